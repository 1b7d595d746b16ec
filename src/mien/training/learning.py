"""One step of training: forward, loss, backward, clip, step, on whatever device the run has."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import logging
from collections.abc import Callable, Iterator
from typing import Any, Final, Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from mien.errors import ConfigError
from mien.training.ahead import TensorBatch
from mien.training.config import ComputeConfig
from mien.training.device import Device

__all__ = ["Learner", "Losses", "SkippedSteps", "joined", "step_seed"]

_MOST_SKIPPED = 50
"""Steps in a row whose gradient is no number: beyond them the run is beyond saving. (Where the
loss is scaled, a few of the first are skipped until the scale is found.)"""
_AS_IT_IS: Final = ComputeConfig()
logger = logging.getLogger(__name__)


@runtime_checkable
class Terms(Protocol):
    """Losses by name, and what is to be made smaller."""

    @property
    def total(self) -> Tensor: ...


B = TypeVar("B", bound=TensorBatch)
B_contra = TypeVar("B_contra", bound=TensorBatch, contravariant=True)
T = TypeVar("T", bound=Terms)
T_co = TypeVar("T_co", bound=Terms, covariant=True)


class Losses(Protocol[B_contra, T_co]):
    """What a network is punished for; the terms are a dataclass of numbers with a ``total``."""

    def __call__(self, network: Callable[[Tensor], Any], batch: B_contra, /) -> T_co: ...


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


class Learner(Generic[B, T]):
    """A network that learns, its optimiser, and the device that both are on."""

    def __init__(
        self,
        model: nn.Module,
        optimiser: torch.optim.Optimizer,
        losses: Losses[B, T],
        device: Device,
        *,
        clip: float,
        compute: ComputeConfig = _AS_IT_IS,
        processes: int = 1,
    ) -> None:
        """With several ``processes`` their gradients are averaged (a process group must be up).

        Args:
            losses: of a batch that is on the device.
            clip: largest norm of the gradient.
            compute: whether to compile, and in how many parts a batch is learned.
        """
        self.model = model.train()
        self._optimiser = optimiser
        self._losses = losses
        self._device = device
        self._clip = clip
        self._parts = compute.accumulate
        self._model = joined(model, device) if processes > 1 else model
        self._run = torch.compile(self._model) if compute.compile else self._model
        self._scaler = torch.amp.GradScaler(device.kind, enabled=device.needs_scaling)
        self.skipped = SkippedSteps(is_scaled=device.needs_scaling)

    def state(self) -> dict[str, Any]:
        """What a resumed run must know besides weights and optimiser; empty without scaling."""
        return dict(self._scaler.state_dict())

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from :meth:`state`; nothing where the other device did not scale."""
        if state and self._device.needs_scaling:
            self._scaler.load_state_dict(state)

    def step(self, batch: B, rate: float) -> T:
        """Learn from one batch, in ``compute.accumulate`` parts.

        Returns:
            The loss and its terms, the mean over the parts.

        Raises:
            ConfigError: the gradient was no number for fifty steps in a row.
        """
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        self._optimiser.zero_grad(set_to_none=True)
        parts = batch.parts(self._parts)
        terms = []
        for number, part in enumerate(parts):
            with self._exchanging(number == len(parts) - 1):
                terms.append(self._backward(part, len(parts)))
        self._scaler.unscale_(self._optimiser)
        norm = nn.utils.clip_grad_norm_(self._model.parameters(), self._clip)
        is_finite = bool(torch.isfinite(norm))
        if is_finite:
            self._scaler.step(self._optimiser)
        self.skipped.count(made=is_finite)
        self._scaler.update()
        return _mean(terms)

    def _backward(self, part: B, parts: int) -> T:
        try:
            terms = self._losses(self._forward, part.to(self._device.place))
        except ValueError as error:  # torch's words for a normalisation of one value
            if len(part) > 1 or "more than 1 value per channel" not in str(error):
                raise
            raise ConfigError(
                "a process learns from one picture at a time, and the network's smallest map has "
                "one pixel: there is nothing to normalise; give a larger batch, fewer --workers, "
                "or a lower accumulate"
            ) from error
        self._scaler.scale(terms.total / parts).backward()  # type: ignore[no-untyped-call]
        return terms

    def _forward(self, inputs: Tensor) -> Any:
        """In the device's precision; losses are summed in float32."""
        with self._device.autocast():
            return self._run(inputs)

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


def _mean(terms: list[T]) -> T:
    names = [field.name for field in dataclasses.fields(terms[0])]  # type: ignore[arg-type]
    return type(terms[0])(
        **{
            name: torch.stack([getattr(each, name).detach() for each in terms]).mean()
            for name in names
        }
    )


def step_seed(seed: int, step: int, rank: int) -> int:
    """What dropout draws follows from the step: a resumed run draws what it would have drawn."""
    return int(np.random.SeedSequence([seed, step, rank]).generate_state(1)[0])
