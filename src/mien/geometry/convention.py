"""Where on a head the 68 points lie: one markup, two conventions, and the middle between them.

The points that people click on photos (300-W) and those of 300W-LP and AFLW2000-3D bear the same
numbers and lie in different places: brows by 0.026 and the nose by 0.021 of the face's size, eyes
and mouth by 0.008. The difference is fixed to the head, so it turns with it: the mean head of one
convention is fitted to the points rigidly, and the difference of the mean heads is carried along.
The jaw is the same in all, and lids and inner lips move in pairs, so that a shut eye is shut in
every convention (`docs/decisions/0012-conventions.md`).
"""

from __future__ import annotations

import json
from enum import StrEnum
from functools import cache
from importlib import resources

import numpy as np
from jaxtyping import Float

from mien.geometry.similarity import umeyama
from mien.markup import load_markup

__all__ = ["Convention", "convention_offset", "in_convention", "mean_head_cm"]


class Convention(StrEnum):
    """A place on the head for each of the 68 points."""

    CLICKED = "clicked"
    """As people click them on photos: 300-W."""
    W300LP = "300w-lp"
    """As fitted heads have them: 300W-LP, AFLW2000-3D."""
    MIDDLE = "middle"
    """Half way between the two: never far from either."""


def in_convention(
    points: Float[np.ndarray, "points 3"], old: Convention, new: Convention
) -> Float[np.ndarray, "points 3"]:
    """68 or 84 points of a face, in any unit, moved from one convention to another."""
    if old == new:
        return points
    chosen = list(load_markup(len(points)).ibug68)
    before, after = mean_head_cm(old), mean_head_cm(new)
    scale, rotation, _ = umeyama(before, points[chosen])
    moved = points.copy()
    moved[chosen] += (scale * (after - before) @ rotation.T).astype(points.dtype)
    return moved


def convention_offset(
    points: Float[np.ndarray, "points 3"], convention: Convention
) -> Float[np.ndarray, "points 3"]:
    """What leads from points of the middle to where people click them; its opposite, to 300W-LP.

    0 for points of any other convention, which have one place and no choice of two.
    """
    if convention != Convention.MIDDLE:
        return np.zeros_like(points)
    way: Float[np.ndarray, "points 3"] = (
        in_convention(points, convention, Convention.CLICKED) - points
    )
    return way


@cache
def mean_head_cm(convention: Convention) -> Float[np.ndarray, "68 3"]:
    """The 68 points of the mean head in a convention; symmetric, in the axes of images."""
    text = resources.files("mien.markup").joinpath("conventions.json").read_text(encoding="utf-8")
    heads = {name: np.array(head) for name, head in json.loads(text).items()}
    heads[Convention.MIDDLE] = (heads[Convention.CLICKED] + heads[Convention.W300LP]) / 2
    head: Float[np.ndarray, "68 3"] = heads[convention]
    head.setflags(write=False)
    return head
