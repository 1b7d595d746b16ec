"""From a rough crop of a face to its landmarks: one way for photos, films and evaluation."""

from mien.alignment.align import align
from mien.alignment.careful import CarefulPredictor
from mien.alignment.predictor import LandmarkPredictor
from mien.alignment.settings import StartSettings

__all__ = ["CarefulPredictor", "LandmarkPredictor", "StartSettings", "align"]
