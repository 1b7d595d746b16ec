"""A face that the picture's border cuts, looked at from further outside.

A detector's box ends at the border, so that the rough crop has its middle in half a face, and what
is seen there is a head that turned away. The networks know better when the crop lies where the
whole head does: model 1 looks from crops moved and widened beyond the border too, model 2 follows
each up, and the looks are averaged, the surest most: ``docs/decisions/0021-border.md``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float

from mien.geometry import FACE_SHARE, Similarity, pose_head
from mien.types import Box, Landmarks, Prediction

__all__ = ["BORDER_FITTED_TO", "beyond_border", "cut_direction", "joined_looks", "may_be_one_face"]

_NEAR = 0.06
"""Face sizes between a face's box and the border, up to which it may be cut. Boxes of cut faces
end 0.13 beyond to 0.05 before it."""
_LOOKS = ((0.3, 1.25), (0.45, 1.25))
"""Face sizes beyond, and scale, of each further crop."""
_TURN_DOUBT = 0.2
"""Confidence that a look loses for a head turned by 90 degrees: what is half hidden is taken for
turned too easily."""
_SURER = 0.05
"""Confidence by which a look that counts e times as much is surer."""
_ROLL_DEG = 20.0
"""A roll of the head from which the crops turn with it."""
_FARTHEST = 0.6
"""Face sizes between the middles of two looks at one face."""
_CONSTANT, _SLOPE, _BEYOND = 0.72, 0.78, 0.61
"""Of the logit of the averaged confidence, and what is added to that of points beyond the border,
as ``benchmarks/border_looks.py`` fits them. Not of networks whose answers have a judge."""

BORDER_FITTED_TO: Final = {
    "fast-detection.onnx": "00e9b0bdc2ed7ad17c924032b04c063f02f85b6856abbd8e834bc89203d3454a",
    "fast-tracking.onnx": "050451e48b5573610cfe128945c0c301446cdbc3e74458469c1973e3a0a5ee96",
    "nano-detection.onnx": "452acc4959a448b64c69ec23939df2b5534bf39052fbdabcec2932e40fe8b5d3",
    "nano-tracking.onnx": "10481cb54e73e6fe7cc438e9e9c542ad6ab37ccb389f3b257f5e9ac1e757d2c0",
}
"""The networks that these three were fitted to, with the ``sha256`` of their cards.
"""
_SUREST = 1e-3
"""Confidences keep this far from 0 and 1, whose log odds are infinite."""


@dataclass(frozen=True)
class _View:
    """What a look says where the picture shows anything."""

    sure: float
    """Mean confidence of the points inside the picture."""
    turned: float
    """Of the head, either way, in right angles."""

    @property
    def quality(self) -> float:
        return self.sure - _TURN_DOUBT * self.turned


def cut_direction(
    points_image: Float[np.ndarray, "points 3"], size: tuple[int, int]
) -> tuple[float, float] | None:
    """Where the rest of the face lies (x, y: -1, 0 or 1); ``None`` of a face that no border cuts,
    or two opposite ones.

    Args:
        size: width and height of the picture, px.
    """
    box, (width, height) = Box.around(points_image), size
    near = _NEAR * math.sqrt(box.width * box.height)
    x = float(box.right > width - 1 - near) - float(box.left < near)
    y = float(box.bottom > height - 1 - near) - float(box.top < near)
    return None if x == 0 == y else (x, y)


def beyond_border(
    rough: Similarity,
    side: int,
    seen: Prediction,
    mean_shape: Float[np.ndarray, "points 3"],
    direction: tuple[float, float],
) -> list[Similarity]:
    """Further crops of a face that was ``seen`` from the rough one of ``side`` px."""
    face_size = rough.scale * side * FACE_SHARE
    turn = _turn(seen, mean_shape, rough)
    middle = ((side - 1) / 2, (side - 1) / 2)
    return [
        Similarity(1.0, 0.0, (direction[0] * by * face_size, direction[1] * by * face_size))
        @ rough
        @ Similarity.about(middle, scale=scale, angle_rad=turn)
        for by, scale in _LOOKS
    ]


def may_be_one_face(look: Prediction, seen: Prediction) -> bool:
    """Whether two looks may be at the same face."""
    (x, y), (other_x, other_y) = (
        Box.around(one.landmarks.points_image).centre for one in (look, seen)
    )
    box = Box.around(look.landmarks.points_image)
    apart = math.hypot(x - other_x, y - other_y)
    return apart <= _FARTHEST * math.sqrt(box.width * box.height)


def joined_looks(
    looks: Sequence[Prediction],
    mean_shape: Float[np.ndarray, "points 3"],
    size: tuple[int, int],
    *,
    is_judged: bool = False,
) -> Prediction:
    """Their average; surer looks at less turned heads count more.

    Args:
        size: width and height of the picture, px.
        is_judged: whether a judge comes after: the confidences are averaged and no more.
    """
    quality = np.array([_view(look, mean_shape, size).quality for look in looks])
    share = np.exp((quality - quality.max()) / _SURER)
    share /= share.sum()
    points = np.einsum("l,lpd->pd", share, [look.landmarks.points_image for look in looks])
    sure = np.einsum("l,lp->p", share, [look.landmarks.confidence for look in looks])
    score = float(share @ [look.score for look in looks])
    if not is_judged:
        sure = _worth(sure, _inside(points, size))
    return Prediction(Landmarks(points, sure), score)


def _turn(seen: Prediction, mean_shape: Float[np.ndarray, "points 3"], rough: Similarity) -> float:
    """By how much the crops turn, radians: not at all where the head's roll is much like theirs."""
    roll_deg = pose_head(seen.landmarks.points_image[:, :2], mean_shape).pose.roll_deg
    turn_deg = (roll_deg - math.degrees(rough.angle_rad) + 180) % 360 - 180
    return math.radians(turn_deg) if abs(turn_deg) > _ROLL_DEG else 0.0


def _worth(
    sure: Float[np.ndarray, " points"], inside: Bool[np.ndarray, " points"]
) -> Float[np.ndarray, " points"]:
    """The confidence of averaged points: they lie nearer to the truth than each look's."""
    sure = np.clip(sure, _SUREST, 1 - _SUREST)
    logit = _CONSTANT + _SLOPE * np.log(sure / (1 - sure)) + _BEYOND * ~inside
    return np.asarray(1 / (1 + np.exp(-logit)))


def _view(
    look: Prediction, mean_shape: Float[np.ndarray, "points 3"], size: tuple[int, int]
) -> _View:
    points = look.landmarks.points_image
    inside = _inside(points, size)
    sure = float(look.landmarks.confidence[inside].mean()) if inside.any() else 0.0
    return _View(sure, abs(pose_head(points[:, :2], mean_shape).pose.yaw_deg) / 90)


def _inside(
    points_image: Float[np.ndarray, "points 3"], size: tuple[int, int]
) -> Bool[np.ndarray, " points"]:
    xy = points_image[:, :2]
    return np.asarray(((xy >= -0.5) & (xy <= np.array(size) - 0.5)).all(axis=1))
