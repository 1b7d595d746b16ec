"""Who is who: detections against faces, found faces against lost ones, two tracks on one face."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from mien.geometry import least_cost_pairs
from mien.tracking.region import Place
from mien.types import Box

__all__ = ["farness", "match_boxes", "may_be_same_face", "pair_up", "same_face"]

_SAME_BOX_IOU = 0.25
"""A detector's box and a landmark box of one face overlap by 0.4 to 0.9."""

_SAME_FACE_DISTANCE = 0.2
"""Mean distance of like points, in face sizes. Cheek to cheek is 0.7, a detection of a lost crop
against the face itself 0.05."""

_NEAR = 0.6
_NEAR_PER_SEC = 1.0
"""A lost face is looked for within so many face sizes, and so many more a second."""
_FASTEST = 10.0
_NEAR_AT_ONCE = 1.5
"""A face that was lost because it rushes goes so many face sizes a second, which counts until the
search is so wide."""
_SIZE_RATIO = 1.7
_OUT_OF_REACH = 1e6
"""Of faces whose sizes do not agree."""


def pair_up(cost: Float[np.ndarray, "rows cols"], most: float) -> list[tuple[int, int]]:
    """Pairs (row, col) with the smallest sum of costs, without those above ``most``."""
    if min(cost.shape) == 0:
        return []
    if 1 in cost.shape:
        row, col = np.unravel_index(int(np.argmin(cost)), cost.shape)
        pairs = [(int(row), int(col))]
    else:
        pairs = least_cost_pairs(cost)
    return [(row, col) for row, col in pairs if cost[row, col] <= most]


def match_boxes(found: Sequence[Box], faces: Sequence[Box]) -> list[tuple[int, int]]:
    """Pairs (found, face) with the largest sum of overlaps; pairs that hardly overlap are left."""
    if not found or not faces:
        return []
    overlap = np.array([[box.iou(face) for face in faces] for box in found])
    return pair_up(-overlap, most=-_SAME_BOX_IOU)


def may_be_same_face(one: Place, other: Place) -> bool:
    """False where :func:`same_face` of their landmarks is: like points lie no nearer to each other
    in the mean than the points' middles."""
    (x, y), (other_x, other_y) = one.centre.tolist(), other.centre.tolist()
    apart = math.hypot(x - other_x, y - other_y)
    return apart < _SAME_FACE_DISTANCE * min(one.size, other.size)


def same_face(one: Float[np.ndarray, "points 3"], other: Float[np.ndarray, "points 3"]) -> bool:
    """Whether two sets of landmarks lie on the same face."""
    size = min(Place.of(one).size, Place.of(other).size)
    distance = np.linalg.norm(one[:, :2] - other[:, :2], axis=1).mean()
    return bool(distance < _SAME_FACE_DISTANCE * size)


def farness(here: Place, there: Place, secs: float) -> float:
    """How far a found face is from where a lost one may be: 0 for the same place, above 1 out of
    reach.

    A lost face may have stayed where it was or gone on as it moved, whichever is nearer. The
    search widens with the seconds for which it was not seen.
    """
    if max(here.size / there.size, there.size / here.size) > _SIZE_RATIO:
        return _OUT_OF_REACH
    stayed = np.linalg.norm(here.centre - there.centre)
    went_on = np.linalg.norm(here.centre - there.after(secs))
    rushed = min(_NEAR + _FASTEST * secs, _NEAR_AT_ONCE)
    reach = max(rushed, _NEAR + _NEAR_PER_SEC * secs) * max(here.size, there.size)
    return float(min(stayed, went_on) / reach)
