"""How far eyes and mouth are open, and when eyes blink: from the points alone.

Distances are taken in space, so that a turned head does not shut its eyes.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

__all__ = ["eye_openings", "eye_widths", "find_blinks", "lid_distances", "mouth_opening"]

_LID_PAIRS = (((37, 41), (38, 40)), ((43, 47), (44, 46)))
_CORNERS = ((36, 39), (42, 45))
_INNER_LIPS = ((61, 67), (62, 66), (63, 65))
_OUTER_CORNERS = (36, 45)
_SHUT, _OPEN_AGAIN = 0.55, 0.7
"""Shares of a person's usual opening: a blink begins below the first and ends above the second."""
_LONGEST_BLINK_SECS = 0.6
"""Eyes that stay shut for longer rest."""


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
    right, left = _OUTER_CORNERS
    lips = _distance(points[..., upper, :], points[..., lower, :]).mean(axis=-1)
    width = _distance(points[..., right, :], points[..., left, :])
    return np.asarray(lips / np.maximum(width, 1e-9))


def find_blinks(
    times_secs: Float[np.ndarray, " frames"], openings: Float[np.ndarray, " frames"]
) -> list[tuple[int, int]]:
    """First and last frame of each blink of one person, whose mean eye opening is given.

    NaN stands for a frame in which the eyes were not seen. The usual opening is the 80th
    percentile; eyes shut for more than 0.6 s are no blink, nor are those that the recording begins
    or ends with.
    """
    if not np.isfinite(openings).any():
        return []
    usual = float(np.nanpercentile(openings, 80))
    blinks: list[tuple[int, int]] = []
    first: int | None = None
    was_open = False
    for frame, opening in enumerate(openings.tolist()):
        if first is None and was_open and opening < _SHUT * usual:
            first = frame
        elif first is not None and opening > _OPEN_AGAIN * usual:
            if times_secs[frame] - times_secs[first] <= _LONGEST_BLINK_SECS:
                blinks.append((first, frame - 1))
            first = None
        was_open = was_open or opening > _OPEN_AGAIN * usual
    return blinks


def _distance(
    one: Float[np.ndarray, "*pairs dims"], other: Float[np.ndarray, "*pairs dims"]
) -> Float[np.ndarray, "*pairs"]:
    return np.asarray(np.linalg.norm(one - other, axis=-1))
