"""Faces that the picture's border cuts, as they stand half in a frame."""

from __future__ import annotations

import dataclasses

import numpy as np

from mien.datasets.labelled_face import LabelledFace
from mien.types import Box

__all__ = ["cut_by_border"]

_MOST = 0.5
"""Largest share of the landmark box beyond the border."""
_LEAST = 0.05


def cut_by_border(face: LabelledFace, rng: np.random.Generator) -> LabelledFace:
    """The same face where the picture ends at one side, 5 to 50 % into its landmark box.

    The points stay where they are on the head, also beyond the border: who looks at the crop
    cannot see them, and shall say so by a large expected error.
    """
    height, width = face.image_rgb.shape[:2]
    box = Box.around(face.points)
    share = float(rng.uniform(_LEAST, _MOST))
    side = int(rng.integers(4))
    left, top, right, bottom = 0, 0, width, height
    if side == 0:
        left = round(box.left + share * box.width)
    elif side == 1:
        right = round(box.right - share * box.width)
    elif side == 2:
        top = round(box.top + share * box.height)
    else:
        bottom = round(box.bottom - share * box.height)
    left, top = max(left, 0), max(top, 0)
    right, bottom = min(right, width), min(bottom, height)
    if right - left < 2 or bottom - top < 2:  # the photo ends before the face does
        return face
    moved = face.points - np.array([left, top, 0], face.points.dtype)
    picture = np.ascontiguousarray(face.image_rgb[top:bottom, left:right])
    return dataclasses.replace(face, image_rgb=picture, points=moved)
