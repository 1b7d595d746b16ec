"""From a rough crop of a face to its landmarks: one way for photos, films and evaluation."""

from mien.alignment.align import align
from mien.alignment.careful import CarefulPredictor
from mien.alignment.predictor import AnswerJudge, LandmarkPredictor, judge_of
from mien.alignment.settings import StartSettings

__all__ = [
    "AnswerJudge",
    "CarefulPredictor",
    "LandmarkPredictor",
    "StartSettings",
    "align",
    "judge_of",
]
