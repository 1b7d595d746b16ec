"""Where a run computes, and in what precision: a processor, a card, several of either."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from mien.errors import ConfigError

__all__ = ["Device", "choose_device", "is_device_name"]

_KINDS = ("cpu", "cuda", "mps")


@dataclass(frozen=True)
class Device:
    """One device of a run and what it computes in."""

    place: torch.device
    autocast_to: torch.dtype = torch.bfloat16
    """Precision of the networks; weights, losses and their sums stay in float32."""

    @property
    def kind(self) -> str:
        """``cpu``, ``cuda`` or ``mps``."""
        return self.place.type

    @property
    def needs_scaling(self) -> bool:
        """Whether gradients underflow in the precision, so that the loss must be scaled up."""
        return self.autocast_to is torch.float16

    @property
    def backend(self) -> str:
        """What its processes meet by: NCCL between cards, else gloo."""
        return "nccl" if self.kind == "cuda" else "gloo"

    @contextlib.contextmanager
    def autocast(self) -> Iterator[None]:
        """Networks called inside compute in :attr:`autocast_to`."""
        with torch.autocast(self.kind, self.autocast_to):
            yield


def is_device_name(name: str) -> bool:
    """Whether it reads like a device: ``auto``, ``cpu``, ``mps``, ``cuda``, ``cuda:2``."""
    kind, colon, number = name.partition(":")
    return name == "auto" or (kind in _KINDS and (not colon or number.isdecimal()))


def choose_device(name: str, rank: int = 0) -> Device:
    """The device of one process of a run.

    Args:
        name: ``cpu``, ``mps``, ``cuda`` (with several processes each takes the card of its place
            on its machine), ``cuda:2``; ``auto`` takes a card where there is one.
        rank: the process's number, where torchrun's ``LOCAL_RANK`` does not say its place.

    Raises:
        ConfigError: there is no such device here.
    """
    if not is_device_name(name):
        raise ConfigError(f"device is auto, cpu, mps, cuda or cuda:NUMBER, not {name!r}")
    if name == "auto":
        has_mps = torch.backends.mps.is_available()
        name = "cuda" if torch.cuda.is_available() else "mps" if has_mps else "cpu"
    if name == "cpu":
        return Device(torch.device("cpu"))
    if name == "mps":
        if not torch.backends.mps.is_available():
            raise ConfigError("there is no Apple GPU that torch could use: give --device cpu")
        return Device(torch.device("mps"), torch.float16)
    return _card(name, int(os.environ.get("LOCAL_RANK", rank)))


def _card(name: str, place: int) -> Device:
    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    number = int(name.partition(":")[2] or place)
    if number >= cards:
        there = f"{cards} of them" if cards else "none"
        raise ConfigError(f"there is no CUDA card {number} that torch could use, but {there}")
    device = torch.device("cuda", number)
    with torch.cuda.device(device):
        has_bfloat16 = torch.cuda.is_bf16_supported()
    return Device(device, torch.bfloat16 if has_bfloat16 else torch.float16)
