"""A closer look for faces that are too small for the detector's look at the whole picture."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mien.types import Box, Detection, FaceFinder, Frame, SmallFaceFinder

__all__ = ["with_small_faces"]

_SAME_FACE_IOU = 0.3
_PART = 0.5
"""Of a face's size: what is smaller and lies on it is a part of it."""


def with_small_faces(
    finder: FaceFinder, frame: Frame, found: Sequence[Detection]
) -> list[Detection]:
    """What was found, and what a closer look finds; nothing more of a detector without one.

    A face that both looks see is the surer one's. What lies on a face and is much smaller, an eye,
    is none.
    """
    kept = list(found)
    if not isinstance(finder, SmallFaceFinder):
        return kept
    for small in finder.find_small(frame):
        under = [one for one in kept if _is_on(small.box, one.box)]
        if all(_size(small.box) > _PART * _size(one.box) for one in under):
            surest = max([small, *under], key=lambda one: one.score)
            kept = [one for one in kept if one not in under] + [surest]
    return kept


def _is_on(small: Box, box: Box) -> bool:
    x, y = small.centre
    is_inside = box.left <= x <= box.right and box.top <= y <= box.bottom
    return is_inside or small.iou(box) >= _SAME_FACE_IOU


def _size(box: Box) -> float:
    return math.sqrt(box.width * box.height)
