"""The file that a training run goes on from, of landmark networks and of face finders alike.

A file of the second format names it. Those before it had no number: they called the best score
``best_nme`` or ``best_precision``, and the older of them had no ``scaler``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from mien.errors import ConfigError, ModelError, OutputError, reason_of
from mien.training.config import RunConfig

__all__ = ["RunCheckpoint", "check_network", "read_checkpoint", "role_inside", "save_checkpoint"]

_FORMAT = 2
_FORMERLY_BEST = ("best_nme", "best_precision")

C = TypeVar("C", bound=RunConfig)


@dataclass(frozen=True)
class RunCheckpoint(Generic[C]):
    """A run after ``step`` steps."""

    config: C
    step: int
    model: dict[str, Tensor]
    averaged: dict[str, Tensor]
    """The exponential moving average of the model: what is validated and exported."""
    optimiser: dict[str, Any]
    best: float
    """Best score on val so far: of landmark networks the lowest mean NME, of face finders the
    highest mean average precision; infinitely bad before the first validation."""
    scaler: dict[str, Any] = field(default_factory=dict)
    """State of the loss's scale, where the device's precision needs one."""


def save_checkpoint(checkpoint: RunCheckpoint[Any], file: Path) -> None:
    """Write to a temporary name and rename, so that a kill leaves the last one whole.

    Raises:
        OutputError: it cannot be written.
    """
    partial = file.with_suffix(".partial")
    values = {**vars(checkpoint), "config": checkpoint.config.to_dict(), "format": _FORMAT}
    try:
        torch.save(values, partial)
        os.replace(partial, file)
    except (OSError, RuntimeError) as error:
        raise OutputError(f"cannot write the checkpoint {file}: {reason_of(error)}") from error


def read_checkpoint(file: Path, kind: type[C], what: str) -> RunCheckpoint[C]:
    """Read a checkpoint of this format or of those before it.

    Args:
        kind: of its configuration.
        what: is expected, for the error: "checkpoint of a face finder".

    Raises:
        ModelError: the file is missing, is no such checkpoint, or was written by a newer mien.
    """
    try:
        values = _now(torch.load(file, map_location="cpu", weights_only=True))
        return RunCheckpoint(**{**values, "config": kind.from_dict(values["config"])})
    except Exception as error:  # torch.load raises many kinds for a file that is not its own
        raise ModelError(f"{file} is not a {what}: {reason_of(error)}") from error


def role_inside(file: Path) -> str:
    """The role of the network whose checkpoint a file is; empty for what is none."""
    try:
        values = torch.load(file, map_location="cpu", weights_only=True)
        return str(values["config"]["role"])
    except Exception:  # torch.load raises many kinds for a file that is not its own
        return ""


def check_network(last: RunCheckpoint[C], config: C, run: Path) -> None:
    """Whether a run can go on with a configuration.

    Raises:
        ConfigError: its network is another one.
    """
    if last.config.network != config.network:
        raise ConfigError(
            f"{run} holds a run of another network ({last.config.network}): "
            "give another --run, or the configuration it was started with"
        )


def _now(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a file of any format by their names of today."""
    found = dict(values)
    number = found.pop("format", 1)
    if number > _FORMAT:
        raise ModelError(f"it has format {number}, written by a newer mien")
    if number == 1:
        (formerly,) = (name for name in _FORMERLY_BEST if name in found)
        found["best"] = found.pop(formerly)
    return found
