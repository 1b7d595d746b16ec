"""A search of a photo: small faces too, and at other rolls where none surely is upright."""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Float

from mien.tracking.small_search import with_small_faces
from mien.types import Box, Detection, FaceFinder, Frame

__all__ = ["find_at_any_roll"]

_SAME_FACE_IOU = 0.4
_SURE_SCORE = 0.5
"""Of a detection in the frame as it came: the people of a doubtful one may be another way up."""
_LEAST_SCORE = 0.65
"""Of a detection in a turned frame: in pictures without a face it saw some at 0.55 to 0.63."""


def find_at_any_roll(finder: FaceFinder, frame: Frame) -> list[Detection]:
    """What the detector finds, small faces too; if nothing that is sure, what it finds in the frame
    turned by quarters besides.

    Boxes and points are those of the frame as it came. Of overlapping boxes the best stays.
    """
    found = with_small_faces(finder, frame, finder.find(frame))
    if any(each.score >= _SURE_SCORE for each in found):
        return found
    turned = [
        _turned_back(each, quarters, frame)
        for quarters in (1, 2, 3)
        for each in finder.find(_turned(frame, quarters))
        if each.score >= _LEAST_SCORE
    ]
    kept: list[Detection] = []
    for each in sorted([*found, *turned], key=lambda each: -each.score):
        if all(each.box.iou(other.box) < _SAME_FACE_IOU for other in kept):
            kept.append(each)
    return kept


def _turned(frame: Frame, quarters: int) -> Frame:
    image_rgb = np.ascontiguousarray(np.rot90(frame.image_rgb, quarters))
    return dataclasses.replace(frame, image_rgb=image_rgb)


def _turned_back(found: Detection, quarters: int, frame: Frame) -> Detection:
    """From pixels of ``np.rot90(image, quarters)`` to those of the image."""
    height, width = frame.image_rgb.shape[:2]

    def back(points: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
        x, y = points.T
        if quarters == 1:
            return np.stack([width - 1 - y, x], axis=1)
        if quarters == 2:
            return np.stack([width - 1 - x, height - 1 - y], axis=1)
        return np.stack([y, height - 1 - x], axis=1)

    box = found.box
    corners = back(np.array([[box.left, box.top], [box.right, box.bottom]]))
    five = None if found.five_points is None else back(found.five_points)
    return Detection(Box.around(corners), found.score, five)
