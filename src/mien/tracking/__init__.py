"""Following faces through time: figure 6 of the paper. Knows neither network nor detector."""

from mien.alignment import LandmarkPredictor
from mien.tracking.offline import OfflineSmoother, smooth_offline
from mien.tracking.settings import (
    ALL_FACES,
    OfflineSettings,
    RecheckSettings,
    SmoothingSettings,
    TrackerSettings,
)
from mien.tracking.tracker import Tracker

__all__ = [
    "ALL_FACES",
    "LandmarkPredictor",
    "OfflineSettings",
    "OfflineSmoother",
    "RecheckSettings",
    "SmoothingSettings",
    "Tracker",
    "TrackerSettings",
    "smooth_offline",
]
