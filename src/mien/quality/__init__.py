"""Frames to distrust: how good a face's points are, and what speaks against them."""

from mien.quality.judge import QUALITY_COLUMNS, Calibration, Quality, QualityJudge, features
from mien.quality.signs import SIGNS, FaceLook, look_at, signs_of
from mien.quality.visible import visible

__all__ = [
    "QUALITY_COLUMNS",
    "SIGNS",
    "Calibration",
    "FaceLook",
    "Quality",
    "QualityJudge",
    "features",
    "look_at",
    "signs_of",
    "visible",
]
