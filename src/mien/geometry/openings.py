"""How far eyes and mouth are open: from the points alone.

Distances are taken in space, so that a turned head does not shut its eyes.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

__all__ = ["eye_openings", "eye_widths", "lid_distances", "mouth_opening", "outer_eye_distance"]

_LID_PAIRS = (((37, 41), (38, 40)), ((43, 47), (44, 46)))
_CORNERS = ((36, 39), (42, 45))
_INNER_LIPS = ((61, 67), (62, 66), (63, 65))
_OUTER_CORNERS = (36, 45)


def eye_openings(points: Float[np.ndarray, "*faces 68 3"]) -> Float[np.ndarray, "*faces 2"]:
    """Of the person's right and left eye: distance of the lids over the width of the eye.

    About 0.3 for an open eye; 0.1 or less for a shut one.
    """
    return np.asarray(lid_distances(points) / np.maximum(eye_widths(points), 1e-9))


def lid_distances(points: Float[np.ndarray, "*faces 68 dims"]) -> Float[np.ndarray, "*faces 2"]:
    """Of the person's right and left eye: mean distance of its two pairs of lid points.

    37-41 and 38-40 of the right eye, 43-47 and 44-46 of the left; in the unit of the points.
    """
    upper, lower = np.array(_LID_PAIRS).transpose(2, 0, 1)
    return np.asarray(_distance(points[..., upper, :], points[..., lower, :]).mean(axis=-1))


def eye_widths(points: Float[np.ndarray, "*faces 68 dims"]) -> Float[np.ndarray, "*faces 2"]:
    """Of the person's right and left eye: distance of its corners (36-39, 42-45)."""
    outer, inner = np.array(_CORNERS).T
    return _distance(points[..., outer, :], points[..., inner, :])


def mouth_opening(points: Float[np.ndarray, "*faces 68 3"]) -> Float[np.ndarray, "*faces"]:
    """Distance of the inner lips over that of the eyes' outer corners, which speech does not move.

    0 for a shut mouth, about 0.5 for a wide open one.
    """
    upper, lower = np.array(_INNER_LIPS).T
    lips = _distance(points[..., upper, :], points[..., lower, :]).mean(axis=-1)
    return np.asarray(lips / outer_eye_distance(points))


def outer_eye_distance(points: Float[np.ndarray, "*faces 68 3"]) -> Float[np.ndarray, "*faces"]:
    """Distance of the eyes' outer corners (36, 45), which no expression moves; never 0."""
    right, left = _OUTER_CORNERS
    return np.asarray(np.maximum(_distance(points[..., right, :], points[..., left, :]), 1e-9))


def _distance(
    one: Float[np.ndarray, "*pairs dims"], other: Float[np.ndarray, "*pairs dims"]
) -> Float[np.ndarray, "*pairs"]:
    return np.asarray(np.linalg.norm(one - other, axis=-1))
