"""The network that a configuration names."""

from __future__ import annotations

from mien.models.baselines.resnet import ResNet18
from mien.models.config import NetworkConfig
from mien.models.landmarker import Landmarker
from mien.models.prediction import Network

__all__ = ["build_network"]


def build_network(config: NetworkConfig) -> Network:
    """A network with fresh weights."""
    return ResNet18(config) if config.system == "resnet-18" else Landmarker(config)
