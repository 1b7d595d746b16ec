"""A run where it begins or goes on: network, averaged weights, optimiser, step."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import nn

from mien.training.checkpoint_file import RunCheckpoint, check_network
from mien.training.config import RunConfig
from mien.training.device import Device

__all__ = ["Progress", "RunState", "say_nothing"]

N = TypeVar("N", bound=nn.Module)
C = TypeVar("C", bound=RunConfig)


@dataclass(frozen=True)
class Progress:
    """What a run has to tell after some steps."""

    step: int
    steps: int
    per_sec: float
    """Faces or pictures learned from in a second."""
    loss: float
    best: float
    """As :attr:`mien.training.checkpoint_file.RunCheckpoint.best`."""


def say_nothing(progress: Progress) -> None:
    """The default report; a function with a name, so that it can be sent to another process."""


@dataclass(frozen=True)
class RunState(Generic[N]):
    """What changes in a run."""

    model: N
    averaged: N
    optimiser: torch.optim.Optimizer
    step: int
    best: float
    scaler: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def fresh(cls, model: N, config: RunConfig, device: Device, *, worst: float) -> RunState[N]:
        """At its beginning, on a device; ``worst`` is what every score betters."""
        model.to(device.place, memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimiser = torch.optim.AdamW(model.parameters(), weight_decay=config.schedule.weight_decay)
        return cls(model, copy.deepcopy(model), optimiser, 0, worst)

    def at(self, last: RunCheckpoint[C], config: C, run: Path) -> RunState[N]:
        """Where a checkpoint of the folder ``run`` was left.

        Raises:
            ConfigError: it is of another network.
        """
        check_network(last, config, run)
        self.model.load_state_dict(last.model)
        self.averaged.load_state_dict(last.averaged)
        self.optimiser.load_state_dict(last.optimiser)
        return RunState(
            self.model, self.averaged, self.optimiser, last.step, last.best, last.scaler
        )

    def checkpoint(
        self, config: C, step: int, best: float, scaler: dict[str, Any]
    ) -> RunCheckpoint[C]:
        """To go on from, after ``step`` steps."""
        return RunCheckpoint(
            config,
            step,
            self.model.state_dict(),
            self.averaged.state_dict(),
            self.optimiser.state_dict(),
            best,
            scaler,
        )
