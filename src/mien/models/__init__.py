"""The networks (torch). Figure 2 of the paper is the constructor of :class:`Landmarker`."""

from mien.models.config import NetworkConfig
from mien.models.landmarker import Landmarker, Prediction

__all__ = ["Landmarker", "NetworkConfig", "Prediction"]
