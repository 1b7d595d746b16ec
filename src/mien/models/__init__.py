"""The networks (torch). Figure 2 of the paper is the constructor of :class:`Landmarker`."""

from mien.models.build import build_network
from mien.models.config import NetworkConfig
from mien.models.landmarker import Landmarker
from mien.models.prediction import Network, Prediction

__all__ = ["Landmarker", "Network", "NetworkConfig", "Prediction", "build_network"]
