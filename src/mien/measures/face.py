"""What is measured on one face in one frame, from its 68 points in space.

Every length is a distance in space over another one of the same face, so that neither the camera's
distance nor a turn of the head changes it. ``docs/measures.md`` draws each.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from jaxtyping import Float

from mien.geometry.openings import eye_openings, mouth_opening, outer_eye_distance

__all__ = ["FACE_MEASURES", "brow_heights", "face_size_px", "measure_face", "mouth_width"]

FACE_MEASURES: Final = (
    *("size_px", "eye_right_open", "eye_left_open", "mouth_open", "mouth_width"),
    *("brow_right_height", "brow_left_height"),
)
"""Columns of the table, in the order of :func:`measure_face`; right and left are the person's."""
_BROWS = (slice(17, 22), slice(22, 27))
_EYE_CORNERS = ((36, 39), (42, 45))
_MOUTH_CORNERS = (48, 54)


def measure_face(points: Float[np.ndarray, "*faces 68 3"]) -> Float[np.ndarray, "*faces 7"]:
    """The measures named in ``FACE_MEASURES``: px, then shares (see each function)."""
    return np.concatenate(
        [
            face_size_px(points)[..., None],
            eye_openings(points),
            mouth_opening(points)[..., None],
            mouth_width(points)[..., None],
            brow_heights(points),
        ],
        axis=-1,
    )


def face_size_px(points: Float[np.ndarray, "*faces points dims"]) -> Float[np.ndarray, "*faces"]:
    """``sqrt(width * height)`` of the tightest upright box about the points, px (eq. 5)."""
    width, height = np.moveaxis(np.ptp(points[..., :2], axis=-2), -1, 0)
    return np.asarray(np.sqrt(width * height))


def mouth_width(points: Float[np.ndarray, "*faces 68 3"]) -> Float[np.ndarray, "*faces"]:
    """Distance of the mouth's corners (48, 54) over that of the eyes' outer corners.

    About 0.6 at rest; 0.7 in a broad smile, 0.4 for pursed lips.
    """
    right, left = _MOUTH_CORNERS
    width = np.linalg.norm(points[..., right, :] - points[..., left, :], axis=-1)
    return np.asarray(width / outer_eye_distance(points))


def brow_heights(points: Float[np.ndarray, "*faces 68 3"]) -> Float[np.ndarray, "*faces 2"]:
    """Of the person's right and left brow: from the middle of its five points to the middle of the
    eye's corners, over the distance of the eyes' outer corners.

    About 0.25 at rest; lids do not move it.
    """
    apart = outer_eye_distance(points)
    heights = []
    for brow, corners in zip(_BROWS, _EYE_CORNERS, strict=True):
        eye = points[..., list(corners), :].mean(axis=-2)
        heights.append(np.linalg.norm(points[..., brow, :].mean(axis=-2) - eye, axis=-1) / apart)
    return np.stack(heights, axis=-1)
