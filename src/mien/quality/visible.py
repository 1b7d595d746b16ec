"""Which points can be seen: not behind the head itself, not beyond the border, not under a hand."""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Float

from mien.geometry import rotation_from_angles
from mien.markup import load_markup
from mien.types import HeadPose

__all__ = ["facing", "visible"]

_BIAS, _FACING, _CONFIDENCE = -1.82, 5.82, 0.40
"""Log odds = bias + facing + confidence, fitted on the made val clips, whose hidden points are
known (``benchmarks/visible.py``)."""
_SUREST = 0.01
"""Confidences keep this far from 0 and 1, whose log odds are infinite."""


@cache
def _outward(count: int) -> Float[np.ndarray, "points 3"]:
    """From the middle of the mean head, between the ears, to each point; length 1."""
    markup = load_markup(count)
    ears = [markup.ibug68[0], markup.ibug68[16]]
    away = markup.mean_shape - markup.mean_shape[ears].mean(axis=0)
    return np.asarray(away / np.linalg.norm(away, axis=1, keepdims=True))


def facing(pose: HeadPose, count: int = 68) -> Float[np.ndarray, " points"]:
    """How far each point's outward direction points at the camera: 1 towards it, -1 away."""
    return np.asarray(-(_outward(count) @ rotation_from_angles(pose).T)[:, 2])


def visible(
    points_image: Float[np.ndarray, "points dims"],
    confidence: Float[np.ndarray, " points"],
    pose: HeadPose,
    width: int,
    height: int,
) -> Float[np.ndarray, " points"]:
    """The probability that each point can be seen; 0 beyond the picture's border.

    Of 68 or of 84 points, which the head has at ``pose`` in a picture of that size, px.
    """
    sure = np.clip(confidence, _SUREST, 1 - _SUREST)
    odds = _BIAS + _FACING * facing(pose, len(confidence)) + _CONFIDENCE * np.log(sure / (1 - sure))
    x, y = points_image[:, 0], points_image[:, 1]
    inside = (x >= -0.5) & (y >= -0.5) & (x <= width - 0.5) & (y <= height - 0.5)
    return np.where(inside, 1 / (1 + np.exp(-odds)), 0.0)
