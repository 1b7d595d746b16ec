"""From a rough crop of a face to its landmarks: the one way that photos, films and evaluation go."""

from mien.alignment.align import align
from mien.alignment.predictor import LandmarkPredictor

__all__ = ["LandmarkPredictor", "align"]
