"""The network that a configuration names."""

from __future__ import annotations

from pathlib import Path

from mien.models.baselines.morphable import LandmarkBasis, MorphableRegression
from mien.models.baselines.resnet import ResNet18
from mien.models.config import NetworkConfig
from mien.models.landmarker import Landmarker
from mien.models.prediction import Network

__all__ = ["build_network"]


def build_network(config: NetworkConfig) -> Network:
    """A network with fresh weights.

    Raises:
        DataError: the head that ``config`` names is no landmark basis.
    """
    if config.system == "resnet-18":
        return ResNet18(config)
    if config.system == "morphable":
        return MorphableRegression(config, LandmarkBasis.load(Path(config.head)))
    return Landmarker(config)
