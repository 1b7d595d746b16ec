"""The training loop: forward, loss, backward, clip, step, average, log, validate, save."""

from __future__ import annotations

import dataclasses
import itertools
import logging
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from mien.models import Network, build_network
from mien.training.ahead import loaders_for
from mien.training.batches import batches_from, normalise, training_sets
from mien.training.card_sources import gathered_card
from mien.training.checkpoint import card_of_weights, load_checkpoint, load_weights, start_from
from mien.training.checkpoint_file import save_checkpoint
from mien.training.config import CardConfig, TrainConfig
from mien.training.device import Device, choose_device
from mien.training.exported_weights import carries_left_out
from mien.training.landmark_losses import LandmarkLosses
from mien.training.learning import Learner, step_seed
from mien.training.onnx_weights import load_folded, separate_folded
from mien.training.run_log import RunLog
from mien.training.run_state import Progress, RunState, say_nothing
from mien.training.schedule import WeightAverage, learning_rate
from mien.training.validation import validate, validation_sets

__all__ = ["train"]

_LOG_EVERY = 20
_LOOKED_AT = 4
"""Batches that tell what normalisations of an exported file have to normalise."""
logger = logging.getLogger(__name__)


def train(
    config: TrainConfig,
    data: Path,
    run: Path,
    *,
    turned: Sequence[Path] = (),
    initial: Path | None = None,
    rank: int = 0,
    workers: int = 1,
    report: Callable[[Progress], None] = say_nothing,
) -> None:
    """Train one worker's part of a run, going on from ``run/last.pt`` where there is one.

    Args:
        data: folder of the face pack.
        run: folder for checkpoints (``last.pt``, ``best.pt``), ``train.csv`` and ``val.csv``.
        turned: folders of turned faces; a folder beside one, named ``..._val``, is validated on.
        initial: checkpoint, file of ``mien export --keep``, or exported network, whose weights a
            new run starts from.
        rank, workers: this process among those that train together (their group must be up).

    Raises:
        ConfigError: the run was started with another network, there is nothing to validate on, no
            such device, or it diverges.
        DataError: the faces are not where ``data`` and the configuration say.
        ModelError: a checkpoint to go on from cannot be read.
        OutputError: a checkpoint cannot be written.
    """
    device = choose_device(config.compute.device, rank)
    start, learned, folded = _start(config, run, initial, device)
    model, averaged, step, best = start.model, start.averaged, start.step, start.best
    average = WeightAverage(averaged, model)
    config = dataclasses.replace(config, card=gathered_card(config, data, turned, learned))
    sets, shares = training_sets(config, data, turned)
    if folded:
        some = itertools.islice(batches_from(0, config, sets, shares), _LOOKED_AT)
        separate_folded(model, folded, (normalise(batch.to(device.place).crops) for batch in some))
        averaged.load_state_dict(model.state_dict())
    held_out = validation_sets(config, data, turned)
    learner = Learner(
        model, start.optimiser, LandmarkLosses(config.loss), device,
        clip=config.schedule.clip, compute=config.compute, processes=workers,
    )  # fmt: skip
    learner.load_state(start.scaler)
    log, saved, clock, seen = RunLog(run, step, rank), time.monotonic(), time.monotonic(), 0

    def save(file: Path) -> None:
        save_checkpoint(start.checkpoint(config, step, best, learner.state()), file)

    for batch in batches_from(
        step, config, sets, shares, rank=rank, workers=workers,
        loaders=loaders_for(config.compute, device, workers), pinned=device.kind == "cuda",
    ):  # fmt: skip
        torch.manual_seed(step_seed(config.seed, step, rank))
        terms = learner.step(batch, learning_rate(step, config.schedule))
        average.update(step, config.schedule.ema)
        step += 1
        seen += config.schedule.batch
        if step % _LOG_EVERY == 0 and rank == 0:
            speed = seen / (time.monotonic() - clock)
            log.terms(step, terms, {"faces_per_sec": speed})
            report(Progress(step, config.schedule.steps, speed, float(terms.total.detach()), best))
            clock, seen = time.monotonic(), 0
        if step % config.schedule.validate_every == 0 or step == config.schedule.steps:
            scores = validate(averaged, config, held_out, device, rank=rank, workers=workers)
            mean = sum(score.nme for score in scores) / len(scores)
            better, best = mean < best, min(mean, best)
            if rank == 0:
                log.scores(step, scores)
                if better:
                    save(run / "best.pt")
        overdue = time.monotonic() - saved > config.schedule.save_every_secs
        if rank == 0 and (overdue or step == config.schedule.steps):
            save(run / "last.pt")
            saved = time.monotonic()


def _start(
    config: TrainConfig, run: Path, initial: Path | None, device: Device
) -> tuple[RunState[Network], CardConfig | None, list[str]]:
    """From ``run/last.pt``, from other weights, or from chance.

    Returns:
        the run; what is known of where its weights come from, ``None`` where they are random; and
        normalisations of which the weights say nothing (``training.onnx_weights``).
    """
    torch.manual_seed(config.seed)
    state = RunState.fresh(build_network(config.network), config, device, worst=math.inf)
    if (run / "last.pt").exists():
        last = load_checkpoint(run / "last.pt")
        return state.at(last, config, run), last.config.card, []
    if initial is None:
        return state, None, []
    if initial.suffix == ".onnx" and not carries_left_out(initial):
        return state, card_of_weights(initial), load_folded(state.model, initial)
    afresh = start_from(state.model, load_weights(initial))
    state.averaged.load_state_dict(state.model.state_dict())
    logger.info("started from %s; afresh: %s", initial, ", ".join(afresh) or "nothing")
    return state, card_of_weights(initial), []
