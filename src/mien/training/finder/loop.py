"""The training loop of the face finder; a run that was stopped goes on from its last step."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mien.augmentation.composing import Composer
from mien.datasets.ours.finder_set import FinderSet
from mien.errors import ConfigError, ModelError, OutputError
from mien.losses.finder import FinderLossTerms, finder_loss
from mien.models.finder import FinderNetwork
from mien.training.device import choose_device
from mien.training.finder.batches import FinderBatch, finder_batches
from mien.training.finder.config import FINDER, FinderConfig
from mien.training.finder.validation import FinderScore, validate_finder, validation_pictures
from mien.training.learning import SkippedSteps, joined
from mien.training.run_log import RunLog
from mien.training.schedule import WeightAverage, learning_rate

__all__ = [
    "FinderCheckpoint",
    "FinderProgress",
    "is_finder_checkpoint",
    "learn_finder",
    "load_finder_checkpoint",
    "train_finder",
]

_LOG_EVERY = 20


@dataclass(frozen=True)
class FinderProgress:
    """What a run has to tell after some steps."""

    step: int
    steps: int
    pictures_per_sec: float
    loss: float
    best_precision: float


@dataclass(frozen=True)
class FinderCheckpoint:
    """A run after ``step`` steps."""

    config: FinderConfig
    step: int
    model: dict[str, Tensor]
    averaged: dict[str, Tensor]
    """The exponential moving average of the model: what is validated and exported."""
    optimiser: dict[str, Any]
    best_precision: float
    """Highest mean average precision on val so far; -1 before the first validation."""

    def save(self, file: Path) -> None:
        """Write to a temporary name and rename, so that a kill leaves the last one whole.

        Raises:
            OutputError: it cannot be written.
        """
        partial = file.with_suffix(".partial")
        try:
            torch.save({**vars(self), "config": self.config.to_dict()}, partial)
            os.replace(partial, file)
        except (OSError, RuntimeError) as error:
            raise OutputError(f"cannot write the checkpoint {file}: {error}") from error


def is_finder_checkpoint(file: Path) -> bool:
    """Whether a file is a checkpoint of a face finder; what cannot be read is none."""
    try:
        return bool(
            torch.load(file, map_location="cpu", weights_only=True)["config"]["role"] == FINDER
        )
    except Exception:  # torch.load raises many kinds for a file that is not its own
        return False


def load_finder_checkpoint(file: Path) -> FinderCheckpoint:
    """Read a checkpoint.

    Raises:
        ModelError: the file is missing or is no checkpoint of a finder.
    """
    try:
        values = torch.load(file, map_location="cpu", weights_only=True)
        return FinderCheckpoint(**{**values, "config": FinderConfig.from_dict(values["config"])})
    except Exception as error:  # torch.load raises many kinds for a file that is not its own
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ModelError(f"{file} is not a checkpoint of a face finder: {reason}") from error


def train_finder(
    config: FinderConfig,
    data: Path,
    run: Path,
    *,
    rank: int = 0,
    workers: int = 1,
    report: Callable[[FinderProgress], None] = lambda progress: None,
) -> None:
    """Train one worker's part of a run, going on from ``run/last.pt`` where there is one.

    Args:
        data: folder of a finder's set.
        run: folder for checkpoints (``last.pt``, ``best.pt``), ``train.csv`` and ``val.csv``.
        rank, workers: this process among those that train together (gloo must be up).

    Raises:
        ConfigError: the run was started with another network, or it diverges.
        DataError: ``data`` holds no finder's set.
        ModelError: a checkpoint to go on from cannot be read.
        OutputError: a checkpoint cannot be written.
    """
    start = _start(config, run)
    model, averaged, optimiser = start.model, start.averaged, start.optimiser
    step, best = start.step, start.best_precision
    composer = Composer(FinderSet(data, "train"), config.pictures)
    held_out = validation_pictures(config, FinderSet(data, "val")) if rank == 0 else {}
    wrapped = joined(model, choose_device("cpu")) if workers > 1 else model
    average, skipped = WeightAverage(averaged, model), SkippedSteps()
    log, saved, clock, seen = RunLog(run, step, rank), time.monotonic(), time.monotonic(), 0

    def checkpoint() -> FinderCheckpoint:
        return FinderCheckpoint(
            config, step, model.state_dict(), averaged.state_dict(), optimiser.state_dict(), best
        )

    for batch in finder_batches(step, config, composer, rank=rank, workers=workers):
        terms = learn_finder(wrapped, optimiser, batch, config, step, skipped)
        average.update(step, config.schedule.ema)
        step += 1
        seen += config.schedule.batch
        if rank != 0:
            continue
        if step % _LOG_EVERY == 0:
            speed = seen / (time.monotonic() - clock)
            loss = float(terms.total.detach())
            log.terms(step, terms, {"pictures_per_sec": speed})
            report(FinderProgress(step, config.schedule.steps, speed, loss, best))
            clock, seen = time.monotonic(), 0
        is_last = step == config.schedule.steps
        if step % config.schedule.validate_every == 0 or is_last:
            scores = validate_finder(averaged, held_out)
            log.scores(step, scores)
            mean = mean_precision(scores)
            if mean > best:
                best = mean
                checkpoint().save(run / "best.pt")
            clock, seen = time.monotonic(), 0
        if is_last or time.monotonic() - saved > config.schedule.save_every_secs:
            checkpoint().save(run / "last.pt")
            saved = time.monotonic()


def mean_precision(scores: list[FinderScore]) -> float:
    """What the best checkpoint is chosen by: over the sets that hold faces."""
    known = [score.precision for score in scores if score.faces]
    return sum(known) / max(len(known), 1)


@dataclass(frozen=True)
class _Start:
    """A run where it begins or goes on."""

    model: FinderNetwork
    averaged: FinderNetwork
    optimiser: torch.optim.Optimizer
    step: int = 0
    best_precision: float = -1.0


def _start(config: FinderConfig, run: Path) -> _Start:
    """From ``run/last.pt`` or from chance."""
    torch.manual_seed(config.seed)
    model = FinderNetwork(config.network)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(model.parameters(), weight_decay=config.schedule.weight_decay)
    averaged = copy.deepcopy(model)
    if not (run / "last.pt").exists():
        return _Start(model, averaged, optimiser)
    last = load_finder_checkpoint(run / "last.pt")
    if last.config.network != config.network:
        raise ConfigError(
            f"{run} holds a run of another network ({last.config.network}): "
            "give another --run, or the configuration it was started with"
        )
    model.load_state_dict(last.model)
    averaged.load_state_dict(last.averaged)
    optimiser.load_state_dict(last.optimiser)
    return _Start(model, averaged, optimiser, last.step, last.best_precision)


def learn_finder(
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    batch: FinderBatch,
    config: FinderConfig,
    step: int,
    skipped: SkippedSteps,
) -> FinderLossTerms:
    """One step of the optimiser on one batch.

    Raises:
        ConfigError: the gradient was no number for fifty steps in a row.
    """
    model.train()
    for group in optimiser.param_groups:
        group["lr"] = learning_rate(step, config.schedule)
    with torch.autocast("cpu", torch.bfloat16):
        maps = model(batch.pictures)
    terms = finder_loss(maps, batch.targets, config.loss)
    optimiser.zero_grad(set_to_none=True)
    terms.total.backward()  # type: ignore[no-untyped-call]
    norm = nn.utils.clip_grad_norm_(model.parameters(), config.schedule.clip)
    is_finite = bool(torch.isfinite(norm))
    if is_finite:
        optimiser.step()
    skipped.count(made=is_finite)
    return terms
