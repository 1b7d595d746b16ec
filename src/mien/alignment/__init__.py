"""From a rough crop of a face to its landmarks: one way for photos, films and evaluation."""

from mien.alignment.align import align
from mien.alignment.predictor import LandmarkPredictor

__all__ = ["LandmarkPredictor", "align"]
