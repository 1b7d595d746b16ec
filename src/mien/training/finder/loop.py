"""The training loop of the face finder; a run that was stopped goes on from its last step."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import torch

from mien.augmentation.composing import Composer
from mien.datasets.ours.finder_set import FinderSet
from mien.models.finder import FinderNetwork
from mien.training.ahead import loaders_for
from mien.training.checkpoint_file import (
    RunCheckpoint,
    read_checkpoint,
    role_inside,
    save_checkpoint,
)
from mien.training.device import Device, choose_device
from mien.training.finder.batches import finder_batches
from mien.training.finder.config import FINDER, FinderConfig
from mien.training.finder.losses import FinderLosses
from mien.training.finder.validation import FinderScore, validate_finder, validation_pictures
from mien.training.learning import Learner
from mien.training.run_log import RunLog
from mien.training.run_state import Progress, RunState, say_nothing
from mien.training.schedule import WeightAverage, learning_rate

__all__ = ["FinderCheckpoint", "is_finder_checkpoint", "load_finder_checkpoint", "train_finder"]

_LOG_EVERY = 20

FinderCheckpoint = RunCheckpoint[FinderConfig]
"""Of a face finder."""


def is_finder_checkpoint(file: Path) -> bool:
    """Whether a file is a checkpoint of a face finder; what cannot be read is none."""
    return role_inside(file) == FINDER


def load_finder_checkpoint(file: Path) -> FinderCheckpoint:
    """Read a checkpoint.

    Raises:
        ModelError: the file is missing or is no checkpoint of a finder.
    """
    return read_checkpoint(file, FinderConfig, "checkpoint of a face finder")


def train_finder(
    config: FinderConfig,
    data: Path,
    run: Path,
    *,
    rank: int = 0,
    workers: int = 1,
    report: Callable[[Progress], None] = say_nothing,
) -> None:
    """Train one worker's part of a run, going on from ``run/last.pt`` where there is one.

    Args:
        data: folder of a finder's set.
        run: folder for checkpoints (``last.pt``, ``best.pt``), ``train.csv`` and ``val.csv``.
        rank, workers: this process among those that train together (their group must be up).

    Raises:
        ConfigError: the run was started with another network, no such device, or it diverges.
        DataError: ``data`` holds no finder's set.
        ModelError: a checkpoint to go on from cannot be read.
        OutputError: a checkpoint cannot be written.
    """
    device = choose_device(config.compute.device, rank)
    start = _start(config, run, device)
    averaged, step, best = start.averaged, start.step, start.best
    composer = Composer(FinderSet(data, "train"), config.pictures)
    held_out = validation_pictures(config, FinderSet(data, "val")) if rank == 0 else {}
    average = WeightAverage(averaged, start.model)
    learner = Learner(
        start.model, start.optimiser, FinderLosses(config.loss), device,
        clip=config.schedule.clip, compute=config.compute, processes=workers,
    )  # fmt: skip
    learner.load_state(start.scaler)
    log, saved, clock, seen = RunLog(run, step, rank), time.monotonic(), time.monotonic(), 0

    def save(file: Path) -> None:
        save_checkpoint(start.checkpoint(config, step, best, learner.state()), file)

    for batch in finder_batches(
        step, config, composer, rank=rank, workers=workers,
        loaders=loaders_for(config.compute, device, workers), pinned=device.kind == "cuda",
    ):  # fmt: skip
        terms = learner.step(batch, learning_rate(step, config.schedule))
        average.update(step, config.schedule.ema)
        step += 1
        seen += config.schedule.batch
        if rank != 0:
            continue
        if step % _LOG_EVERY == 0:
            speed = seen / (time.monotonic() - clock)
            loss = float(terms.total.detach())
            log.terms(step, terms, {"pictures_per_sec": speed})
            report(Progress(step, config.schedule.steps, speed, loss, best))
            clock, seen = time.monotonic(), 0
        is_last = step == config.schedule.steps
        if step % config.schedule.validate_every == 0 or is_last:
            scores = validate_finder(averaged, held_out, device)
            log.scores(step, scores)
            mean = mean_precision(scores)
            if mean > best:
                best = mean
                save(run / "best.pt")
            clock, seen = time.monotonic(), 0
        if is_last or time.monotonic() - saved > config.schedule.save_every_secs:
            save(run / "last.pt")
            saved = time.monotonic()


def mean_precision(scores: list[FinderScore]) -> float:
    """What the best checkpoint is chosen by: over the sets that hold faces."""
    known = [score.precision for score in scores if score.faces]
    return sum(known) / max(len(known), 1)


def _start(config: FinderConfig, run: Path, device: Device) -> RunState[FinderNetwork]:
    """From ``run/last.pt`` or from chance."""
    torch.manual_seed(config.seed)
    state = RunState.fresh(FinderNetwork(config.network), config, device, worst=-math.inf)
    if not (run / "last.pt").exists():
        return state
    return state.at(load_finder_checkpoint(run / "last.pt"), config, run)
