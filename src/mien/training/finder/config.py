"""Settings of a face finder's training run, read from TOML; unknown keys are refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from mien.augmentation.composing import ComposeConfig
from mien.errors import ConfigError
from mien.losses.finder import FinderLossWeights
from mien.models.finder import FinderNetworkConfig
from mien.training.config import RunConfig, read_config

__all__ = ["FINDER", "FinderConfig", "load_finder_config"]

FINDER = "finder"
"""The role by which a configuration says that it is of a face finder."""


@dataclass(frozen=True)
class FinderConfig(RunConfig):
    """A run of a face finder; its role is ``finder``."""

    network: FinderNetworkConfig = field(default_factory=FinderNetworkConfig)
    pictures: ComposeConfig = field(default_factory=ComposeConfig)
    loss: FinderLossWeights = field(default_factory=FinderLossWeights)
    val_pictures: int = 160
    """Pictures made of the val split that a validation looks at, beside the val photos as they
    are."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.role != FINDER:
            raise ConfigError(f"role is {FINDER!r}, not {self.role!r}")
        if self.val_pictures < 1:
            raise ConfigError("val_pictures is at least 1")
        if self.card.any_use:
            raise ConfigError(
                "any_use is of landmark networks: nobody gathers what a face finder learns from"
            )


def load_finder_config(file: Path) -> FinderConfig:
    """Read a TOML file.

    Raises:
        ConfigError: it cannot be read, or a key or value is wrong.
    """
    return FinderConfig.from_dict(read_config(file))
