"""The training loop: forward, loss, backward, clip, step, average, log, validate, save."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import logging
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mien.errors import ConfigError
from mien.models import Network, build_network
from mien.training.batches import batches_from, normalise, training_sets
from mien.training.card_sources import gathered_card
from mien.training.checkpoint import (
    Checkpoint,
    card_of_weights,
    load_checkpoint,
    load_weights,
    save_checkpoint,
    start_from,
)
from mien.training.config import CardConfig, TrainConfig
from mien.training.device import Device, choose_device
from mien.training.exported_weights import carries_left_out
from mien.training.learning import Learner
from mien.training.onnx_weights import load_folded, separate_folded
from mien.training.run_log import RunLog
from mien.training.schedule import WeightAverage, learning_rate
from mien.training.validation import validate, validation_sets

__all__ = ["Progress", "train"]

_LOG_EVERY = 20
_MOST_LOADERS = 16
_LOOKED_AT = 4
"""Batches that tell what normalisations of an exported file have to normalise."""
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """What a run has to tell after some steps."""

    step: int
    steps: int
    faces_per_sec: float
    loss: float
    nme: float


def train(
    config: TrainConfig,
    data: Path,
    run: Path,
    *,
    turned: Sequence[Path] = (),
    initial: Path | None = None,
    rank: int = 0,
    workers: int = 1,
    report: Callable[[Progress], None] = lambda progress: None,
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
    start = _start(config, run, initial, device)
    model, averaged, optimiser = start.model, start.averaged, start.optimiser
    step, best = start.step, start.best_nme
    average = WeightAverage(averaged, model)
    card = gathered_card(config, data, turned, start.card)
    config = dataclasses.replace(config, card=card)
    sets, shares = training_sets(config, data, turned)
    if start.folded:
        some = itertools.islice(batches_from(0, config, sets, shares), _LOOKED_AT)
        separate_folded(
            model, start.folded, (normalise(batch.to(device.place).crops) for batch in some)
        )
        averaged.load_state_dict(model.state_dict())
    held_out = validation_sets(config, data, turned)
    learner = Learner(model, optimiser, config, device, workers)
    learner.load_state(start.scaler)
    log, saved, clock, seen = RunLog(run, step, rank), time.monotonic(), time.monotonic(), 0

    def checkpoint() -> Checkpoint:
        return Checkpoint(
            config,
            step,
            model.state_dict(),
            averaged.state_dict(),
            optimiser.state_dict(),
            best,
            learner.state(),
        )

    for batch in batches_from(
        step, config, sets, shares, rank=rank, workers=workers,
        loaders=_loaders(config, device, workers), pinned=device.kind == "cuda",
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
                    save_checkpoint(checkpoint(), run / "best.pt")
        overdue = time.monotonic() - saved > config.schedule.save_every_secs
        if rank == 0 and (overdue or step == config.schedule.steps):
            save_checkpoint(checkpoint(), run / "last.pt")
            saved = time.monotonic()


@dataclass(frozen=True)
class _Start:
    """A run where it begins or goes on."""

    model: Network
    averaged: Network
    optimiser: torch.optim.Optimizer
    step: int = 0
    best_nme: float = math.inf
    card: CardConfig | None = None
    """Of the weights; ``None`` where they are random."""
    folded: tuple[str, ...] = ()
    """Normalisations of which the weights say nothing (``training.onnx_weights``)."""
    scaler: dict[str, Any] = field(default_factory=dict)


def _loaders(config: TrainConfig, device: Device, workers: int) -> int:
    """Processes that make crops for one that learns."""
    if config.compute.loaders >= 0:
        return config.compute.loaders
    return 0 if device.kind == "cpu" else min((os.cpu_count() or 1) // workers, _MOST_LOADERS)


def _start(config: TrainConfig, run: Path, initial: Path | None, device: Device) -> _Start:
    """From ``run/last.pt``, from other weights, or from chance."""
    torch.manual_seed(config.seed)
    model = build_network(config.network)
    model.to(device.place, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(model.parameters(), weight_decay=config.schedule.weight_decay)
    averaged = copy.deepcopy(model)
    if (run / "last.pt").exists():
        last = load_checkpoint(run / "last.pt")
        if last.config.network != config.network:
            raise ConfigError(
                f"{run} holds a run of another network ({last.config.network}): "
                "give another --run, or the configuration it was started with"
            )
        model.load_state_dict(last.model)
        averaged.load_state_dict(last.averaged)
        optimiser.load_state_dict(last.optimiser)
        return _Start(
            model, averaged, optimiser, last.step, last.best_nme, last.config.card, (), last.scaler
        )
    if initial is None:
        return _Start(model, averaged, optimiser)
    if initial.suffix == ".onnx" and not carries_left_out(initial):
        folded = tuple(load_folded(model, initial))
        return _Start(model, averaged, optimiser, card=card_of_weights(initial), folded=folded)
    fresh = start_from(model, load_weights(initial))
    averaged.load_state_dict(model.state_dict())
    logger.info("started from %s; afresh: %s", initial, ", ".join(fresh) or "nothing")
    return _Start(model, averaged, optimiser, card=card_of_weights(initial))


def step_seed(seed: int, step: int, rank: int) -> int:
    """What dropout draws follows from the step: a resumed run draws what it would have drawn."""
    return int(np.random.SeedSequence([seed, step, rank]).generate_state(1)[0])
