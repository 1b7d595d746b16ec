"""The configuration of a training run: a TOML file that fills these frozen dataclasses.

Every field has a meaning written under it; an unknown key is refused by name.
"""

from __future__ import annotations

import dataclasses
import tomllib
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

from mien.augmentation.crops import AugmentConfig
from mien.errors import ConfigError, reason_of
from mien.geometry.convention import Convention
from mien.losses import LossWeights
from mien.models import NetworkConfig
from mien.training.device import is_device_name

__all__ = [
    "LAYOUTS",
    "OTHERS",
    "CardConfig",
    "ComputeConfig",
    "DataConfig",
    "RunConfig",
    "Schedule",
    "TrainConfig",
    "fill_config",
    "load_config",
    "read_config",
    "with_device",
]

OTHERS = "*"
"""In ``pack_shares``: the sources that are not named there."""
LAYOUTS = ("faces", "w300lp")
"""Kinds of folder that a run learns from."""

C = TypeVar("C", bound="RunConfig")


@dataclass(frozen=True)
class DataConfig:
    """Which faces, and how often each set is drawn."""

    pack_shares: dict[str, float] = field(default_factory=lambda: {OTHERS: 1.0})
    """Share of each source of the face pack (``--data``). The share of ``*`` goes to all sources
    that are not named, each as many times as it has faces; none named and no ``*``: no pack."""
    turned_share: float = 0.9
    """Share of all turned faces together, where a run is given folders of them (``--turned``)."""
    shut_share: float = 0.0
    """Share of turned faces with (half) shut eyes once more, beside their part of the above."""
    profiles: str = ""
    """Folder of clicked CFP profiles (``mien.datasets.public.cfp``), also given by
    ``--profiles``; they teach the points that were clicked, in the plane."""
    profile_share: float = 0.1
    """Share of those profiles, where a run is given them."""
    convention: str = "clicked"
    """Where on the head the points shall lie: ``clicked`` as people put them, as the labels have
    it; ``300w-lp``; or the ``middle`` of the two (``mien.geometry.convention``)."""
    layout: str = "faces"
    """What ``--data`` is a folder of: ``faces``, the face pack; or ``w300lp``, 300W-LP, of which
    ``pack_shares`` says nothing: it is drawn with share 1."""
    head_basis: str = ""
    """For 300W-LP: file of the head basis that gives its points depth (``docs/data-sets.md``)."""

    def __post_init__(self) -> None:
        if self.layout not in LAYOUTS:
            raise ConfigError(f"layout is one of {', '.join(LAYOUTS)}, not '{self.layout}'")
        if self.convention not in list(Convention):
            known = ", ".join(Convention)
            raise ConfigError(f"convention is one of {known}, not {self.convention!r}")
        shares = [*self.pack_shares.values(), self.turned_share, self.shut_share]
        shares += [self.profile_share] if self.profiles else []
        if not (shares and min(shares) >= 0 and sum(shares) > 0):
            raise ConfigError(f"shares of the data sets are positive numbers, not {shares}")


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to learn."""

    steps: int = 20000
    """Optimiser steps."""
    batch: int = 32
    """Faces a step, over all workers."""
    learning_rate: float = 1.5e-3
    """Peak, reached after ``warmup`` steps, then a cosine to 2 % of it."""
    warmup: int = 300
    """Steps of linear warm-up."""
    weight_decay: float = 1e-4
    """AdamW's decay."""
    clip: float = 5.0
    """Largest norm of the gradient."""
    ema: float = 0.998
    """Decay a step of the averaged weights, which are what is validated and exported."""
    validate_every: int = 1000
    """Steps between validations (and checkpoints of the best)."""
    save_every_secs: float = 180.0
    """Seconds between checkpoints."""

    def __post_init__(self) -> None:
        if min(self.steps, self.batch, self.validate_every) < 1 or self.warmup < 0:
            raise ConfigError("steps, batch and validate_every are at least 1, warmup at least 0")
        if not (self.learning_rate > 0 and self.clip > 0 and 0 <= self.ema < 1):
            raise ConfigError("learning_rate and clip are positive, ema lies in 0..1")


@dataclass(frozen=True)
class ComputeConfig:
    """On what a run computes. None of it changes what the run learns from, or in which order."""

    device: str = "auto"
    """``cpu``, ``mps``, ``cuda``, ``cuda:2``; ``auto`` takes a card where there is one."""
    loaders: int = -1
    """Processes that make batches for each process that learns; 0 makes them in a thread; -1 is a
    thread beside a processor, and beside a card its share of the cores, at most 16."""
    accumulate: int = 1
    """Parts that a batch is learned in, one after the other, where it does not fit the memory.
    Batch normalisation sees a part at a time."""
    compile: bool = False
    """Whether the network runs through ``torch.compile``, which takes minutes to begin."""

    def __post_init__(self) -> None:
        if not is_device_name(self.device):
            raise ConfigError(f"device is auto, cpu, mps, cuda or cuda:NUMBER, not {self.device!r}")
        if self.loaders < -1 or self.accumulate < 1:
            raise ConfigError("loaders is at least -1, accumulate at least 1")


@dataclass(frozen=True)
class CardConfig:
    """What the weight file will say of where it comes from."""

    training_sources: tuple[str, ...] = ()
    """Every data set that the weights saw, those of the weights they started from included. Where
    none is named they are gathered from the pack and the weights (``training.card_sources``)."""
    licence: str = "unknown"
    """What the sources allow to do with the weights."""
    any_use: bool = False
    """Whether the weights shall be free for any use: their sources are then gathered from the pack,
    the sets and the weights that the run starts from, and one that the ledger (docs/sources.md)
    does not free ends the run before it begins."""


@dataclass(frozen=True)
class RunConfig:
    """What the configurations of all runs have; each is the tables of its file."""

    name: str
    """What the weights will be called."""
    role: str
    """What they are for; each kind of run has its own words."""
    network: Any
    schedule: Schedule = field(default_factory=Schedule)
    compute: ComputeConfig = field(default_factory=ComputeConfig)
    card: CardConfig = field(default_factory=CardConfig)
    seed: int = 0
    """Everything random of step k follows from this and k."""

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ConfigError(f"seed is 0 or more, not {self.seed}")

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as a TOML or JSON file holds them."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of :meth:`to_dict`; missing keys take their defaults.

        Raises:
            ConfigError: an unknown key, a missing one without default, or a wrong type.
        """
        filled: Self = fill_config(cls, values)
        return filled


@dataclass(frozen=True)
class TrainConfig(RunConfig):
    """A run of a landmark network.

    Its role is ``detection`` (model 1: crops from a detector) or ``tracking`` (model 2: from
    landmarks).
    """

    network: NetworkConfig = field(default_factory=NetworkConfig)
    data: DataConfig = field(default_factory=DataConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    loss: LossWeights = field(default_factory=LossWeights)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.role not in ("detection", "tracking"):
            raise ConfigError(f"role is 'detection' or 'tracking', not '{self.role}'")
        if self.data.layout == "w300lp":
            if self.network.points != 68:
                raise ConfigError(
                    f"300W-LP labels 68 points: it cannot teach {self.network.points}"
                )
            if self.data.convention != Convention.W300LP:
                raise ConfigError(
                    "300W-LP has points of its own convention: set data.convention to '300w-lp'"
                )
            if self.loss.depth > 0 and not self.data.head_basis:
                raise ConfigError(
                    "300W-LP has no depth: set loss.depth to 0, or give data.head_basis"
                )


def with_device(config: C, device: str | None) -> C:
    """The same run on another device; ``None``: as the configuration says.

    Raises:
        ConfigError: no device is called so.
    """
    if device is None:
        return config
    compute = dataclasses.replace(config.compute, device=device)
    return dataclasses.replace(config, compute=compute)


def load_config(file: Path) -> TrainConfig:
    """Read a TOML file.

    Raises:
        ConfigError: it cannot be read, or a key or value is wrong.
    """
    return TrainConfig.from_dict(read_config(file))


def read_config(file: Path) -> dict[str, Any]:
    """The tables of a TOML file, as they stand there.

    Raises:
        ConfigError: it cannot be read.
    """
    if not file.exists():
        raise ConfigError(f"there is no configuration {file}: give a TOML file")
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(
            f"{file} is not a readable TOML configuration: {reason_of(error)}"
        ) from error


def fill_config(kind: Any, values: dict[str, Any], where: str = "") -> Any:
    """An object of the dataclass ``kind`` from nested tables; missing keys take their defaults.

    Raises:
        ConfigError: an unknown key, a missing one without default, or a wrong type.
    """
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise ConfigError(
            f"unknown key '{where}{unknown[0]}' in the configuration: "
            f"known are {', '.join(sorted(hints))}"
        )
    arguments = {key: _value(hints[key], value, where + key) for key, value in values.items()}
    missing = [
        f.name
        for f in dataclasses.fields(kind)
        if f.name not in values
        and f.default is dataclasses.MISSING
        and f.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise ConfigError(f"the configuration lacks '{where}{missing[0]}'")
    return kind(**arguments)


def _value(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, dict):
            raise ConfigError(f"'{where}' is a table of values, not {value!r}")
        return fill_config(hint, value, where + ".")
    if typing.get_origin(hint) is tuple:  # tuple[str, ...], tuple[int, ...]
        kind = typing.get_args(hint)[0]
        if not isinstance(value, list | tuple) or not all(type(one) is kind for one in value):
            what = "texts" if kind is str else "whole numbers"
            raise ConfigError(f"'{where}' is a list of {what}, not {value!r}")
        return tuple(value)
    if isinstance(hint, types.GenericAlias):  # dict[str, float]
        if not isinstance(value, dict):
            raise ConfigError(f"'{where}' is a table of numbers, not {value!r}")
        return {str(key): _value(float, number, f"{where}.{key}") for key, number in value.items()}
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not hint:
        raise ConfigError(f"'{where}' is a {hint.__name__}, not {value!r}")
    return value
