"""One step of training: forward, loss, backward, clip, step, on whatever device the run has."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import logging
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from mien.errors import ConfigError
from mien.losses import LossTerms, total_loss
from mien.models import Network
from mien.training.batches import Batch, normalise
from mien.training.config import TrainConfig
from mien.training.device import Device

__all__ = ["Learner", "SkippedSteps", "joined"]

_MOST_SKIPPED = 50
"""Steps in a row whose gradient is no number: beyond them the run is beyond saving. (Where the
loss is scaled, a few of the first are skipped until the scale is found.)"""
logger = logging.getLogger(__name__)


class SkippedSteps:
    """Counts the steps in a row that were not made, as their gradient was no number."""

    def __init__(self, *, is_scaled: bool = False) -> None:
        """``is_scaled``: the loss is, so that a few at the beginning are no news."""
        self.number = 0
        self._is_scaled = is_scaled

    def count(self, *, made: bool) -> None:
        """One step more.

        Raises:
            ConfigError: it is the fiftieth in a row.
        """
        self.number = 0 if made else self.number + 1
        if not made and (not self._is_scaled or self.number == _MOST_SKIPPED):
            logger.warning("a step was skipped: its gradient is no number")
        if self.number >= _MOST_SKIPPED:
            raise ConfigError(
                f"the gradient was no number for {_MOST_SKIPPED} steps: give a lower "
                "learning_rate, or another device"
            )


class Learner:
    """A network that learns, its optimiser, and the device that both are on."""

    def __init__(
        self,
        model: Network,
        optimiser: torch.optim.Optimizer,
        config: TrainConfig,
        device: Device,
        processes: int = 1,
    ) -> None:
        """With several ``processes`` their gradients are averaged (a process group must be up)."""
        self.model = model
        self._optimiser = optimiser
        self._config = config
        self._device = device
        self._model = joined(model, device) if processes > 1 else model
        self._run = torch.compile(self._model) if config.compute.compile else self._model
        self._scaler = torch.amp.GradScaler(device.kind, enabled=device.needs_scaling)
        self.skipped = SkippedSteps(is_scaled=device.needs_scaling)

    def state(self) -> dict[str, Any]:
        """What a resumed run must know besides weights and optimiser; empty without scaling."""
        return dict(self._scaler.state_dict())

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from :meth:`state`; nothing where the other device did not scale."""
        if state and self._device.needs_scaling:
            self._scaler.load_state_dict(state)

    def step(self, batch: Batch, rate: float) -> LossTerms:
        """Learn from one batch, in ``compute.accumulate`` parts.

        Returns:
            The loss and its terms, the mean over the parts.

        Raises:
            ConfigError: the gradient was no number for fifty steps in a row.
        """
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        self._optimiser.zero_grad(set_to_none=True)
        parts = batch.parts(self._config.compute.accumulate)
        terms = []
        for number, part in enumerate(parts):
            with self._exchanging(number == len(parts) - 1):
                terms.append(self._backward(part, len(parts)))
        self._scaler.unscale_(self._optimiser)
        norm = nn.utils.clip_grad_norm_(self._model.parameters(), self._config.schedule.clip)
        is_finite = bool(torch.isfinite(norm))
        if is_finite:
            self._scaler.step(self._optimiser)
        self.skipped.count(made=is_finite)
        self._scaler.update()
        return _mean(terms)

    def _backward(self, part: Batch, parts: int) -> LossTerms:
        part = part.to(self._device.place)
        crops = normalise(part.crops).contiguous(memory_format=torch.channels_last)
        with self._device.autocast():
            prediction = self._run(crops)
        terms = total_loss(
            prediction,
            part.points,
            part.weights,
            part.is_face,
            self._config.loss,
            part.apart,
            part.has_depth,
        )
        self._scaler.scale(terms.total / parts).backward()  # type: ignore[no-untyped-call]
        return terms

    @contextlib.contextmanager
    def _exchanging(self, is_last: bool) -> Iterator[None]:
        """Processes exchange gradients once a batch, with its last part."""
        if is_last or not isinstance(self._model, DistributedDataParallel):
            yield
        else:
            with self._model.no_sync():
                yield


def joined(model: nn.Module, device: Device) -> DistributedDataParallel:
    """Each process keeps its own normalisation statistics on processors; cards share them."""
    if device.kind == "cuda":
        model = nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
    # Torch before 2.13 has the first name alone, later ones warn of it.
    known = inspect.signature(DistributedDataParallel).parameters
    name = "forward_sync_buffers" if "forward_sync_buffers" in known else "broadcast_buffers"
    options: dict[str, Any] = {name: False}
    if device.kind == "cuda":
        options["device_ids"] = [device.place]
    return DistributedDataParallel(model, **options)


def _mean(terms: list[LossTerms]) -> LossTerms:
    names = [field.name for field in dataclasses.fields(LossTerms)]
    return LossTerms(
        **{
            name: torch.stack([getattr(each, name).detach() for each in terms]).mean()
            for name in names
        }
    )
