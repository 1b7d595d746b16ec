"""Faces that cannot be seen whole: photos cut through the face, and a hand over mouth and chin.

What they show is whether the points stay where the head has them, and whether the confidence knows
which of them nobody can see. Both follow from the photo's name and its true points alone.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from mien.datasets.photo import Image, LabelledPhoto
from mien.errors import ConfigError
from mien.evaluation.confidence import ConfidenceScore, score_confidence
from mien.evaluation.predictions import Predictions
from mien.evaluation.protocols import completed
from mien.geometry import pose_head
from mien.markup import load_markup
from mien.types import Box

__all__ = ["PerturbationScore", "PerturbedPhoto", "cover", "cut_sideways", "perturb",
           "score_perturbed"]  # fmt: skip

_MOST_CUT = 0.6
_MOUTH_AND_CHIN = [*range(5, 12), *range(48, 68)]
_SPREAD = 1.15
"""Of the palm, against the points that it covers."""
_FINGERS = 4
_SKIN_RGB = (176, 128, 104)
"""Where the face's own skin cannot be read."""
_SHADE = 0.86
"""Of the hand against the face: it lies in front of it and is told apart by its edge."""
_REACH, _PALM = 2.6, 2.3
"""Of the hand's canvas and of the palm's axes, in half the size of what is covered."""
_ROOT, _TIP, _SHORTER, _LONGEST_AT = 0.3, 1.5, 0.3, 0.2
"""Of a finger, in half the palm's width from its middle: where it begins and ends, and by how much
the outer ones are shorter than the longest, which is that beside the middle."""
_FINGERS_APART, _FINGERS_UP = 0.8, 0.5
"""Of half the palm's height: where the outermost fingers begin, and how far they rise."""
_FINGER_WIDTH = 0.46
"""Of half the palm's height: four fingers side by side."""
_EDGE_LIGHT, _MORE_LIGHT = 0.8, 0.2
"""Light at the hand's edge, and how much more falls on its middle."""


@dataclass(frozen=True)
class PerturbedPhoto:
    """A photo as the network gets it, and which of its points nobody can see."""

    photo: LabelledPhoto
    hidden: Bool[np.ndarray, " 68"]


@dataclass(frozen=True)
class PerturbationScore:
    """What is measured of them beside the NME."""

    yaw_off_deg: float | None
    """Median distance of the yaw of the predicted points from that of the true ones."""
    confidence: ConfidenceScore | None
    """``None`` where no face was found."""


def perturb(
    photos: Sequence[LabelledPhoto], *, cut: float | None, patch: bool
) -> tuple[PerturbedPhoto, ...]:
    """The photos with what was asked for done to them; empty where nothing was.

    Raises:
        ConfigError: both were asked for, or a cut that leaves no face.
    """
    if cut is not None and patch:
        raise ConfigError("a cut and a patch are measured one at a time: leave one of them out")
    if cut is not None:
        if not 0 < cut <= _MOST_CUT:
            raise ConfigError(f"a cut is a share of the face, above 0 and up to {_MOST_CUT}")
        return tuple(cut_sideways(photo, cut) for photo in photos)
    return tuple(map(cover, photos)) if patch else ()


def cut_sideways(
    photo: LabelledPhoto, share: float, *, at_left: bool | None = None
) -> PerturbedPhoto:
    """The photo ends so that this share of the face's box lies outside, at its left or right side.

    Points are counted from the new first column; those outside keep their places. The side follows
    from the photo's name where none is asked for.
    """
    box = Box.around(photo.points_image[photo.valid])
    if at_left if at_left is not None else _left_by_name(photo):
        first, last = round(box.left + share * box.width + 0.5), None
    else:
        first, last = 0, round(box.right - share * box.width + 0.5)
    first = max(first, 0)
    shift = np.zeros(photo.points_image.shape[1])
    shift[0] = first
    moved = dataclasses.replace(
        photo,
        points_image=photo.points_image - shift,
        other_truths=tuple(
            dataclasses.replace(
                other, points_image=other.points_image - shift[: other.points_image.shape[1]]
            )
            for other in photo.other_truths
        ),
        edit=partial(_columns, first=first, last=last),
    )
    x = moved.points_image[:, 0]
    outside = x < -0.5 if last is None else x > last - first - 0.5
    return PerturbedPhoto(moved, np.asarray(outside))


def _left_by_name(photo: LabelledPhoto) -> bool:
    """Whether a photo is changed at its left: the same in every run, for half of the photos."""
    return bool(zlib.crc32(photo.name.encode()) % 2)


def _columns(
    image_rgb: Image, *, first: int, last: int | None
) -> UInt8[np.ndarray, "height columns 3"]:
    """Columns from ``first`` on and before ``last``."""
    return np.ascontiguousarray(image_rgb[:, first:last])


def cover(photo: LabelledPhoto) -> PerturbedPhoto:
    """A hand in the colour of the face's skin lies over mouth and chin."""
    points = completed(photo.points_image[:, :2], load_markup(68).mean_shape)
    outline = _hand(points, left=_left_by_name(photo))
    mask, corner = outline
    columns, rows = np.round(points - corner).astype(int).T
    inside = (rows >= 0) & (rows < len(mask)) & (columns >= 0) & (columns < mask.shape[1])
    hidden = np.zeros(68, bool)
    hidden[inside] = mask[rows[inside], columns[inside]] > 127
    lay = partial(_lay, mask=mask, corner=corner, cheeks=points[[1, 2, 14, 15, 29, 30]])
    return PerturbedPhoto(dataclasses.replace(photo, edit=lay), hidden)


def _hand(
    points: Float[np.ndarray, "68 2"], *, left: bool
) -> tuple[UInt8[np.ndarray, "height width"], tuple[int, int]]:
    """A palm over the points with four fingers towards a cheek, and where its canvas begins."""
    across = points[45] - points[36]
    across = across / np.linalg.norm(across)
    down = np.array([-across[1], across[0]])
    frame = np.stack([across, down])
    covered = (points[_MOUTH_AND_CHIN] - points[_MOUTH_AND_CHIN].mean(axis=0)) @ frame.T
    low, high = covered.min(axis=0), covered.max(axis=0)
    half = _SPREAD * (high - low) / 2
    centre = points[_MOUTH_AND_CHIN].mean(axis=0) + ((low + high) / 2) @ frame
    reach = _REACH * float(half.max())
    corner = np.floor(centre - reach).astype(int)
    mask = np.zeros((int(2 * reach) + 1,) * 2, np.uint8)
    angle_deg = float(np.degrees(np.arctan2(across[1], across[0])))
    palm = (float(_PALM * half[0]), float(_PALM * half[1]))
    middle = tuple(float(v) for v in centre - corner)
    cv2.ellipse(mask, (middle, palm, angle_deg), 255, -1, cv2.LINE_AA)
    side = -1.0 if left else 1.0
    for finger in range(_FINGERS):
        along = (finger + 0.5) / _FINGERS * 2 - 1
        root = (_ROOT * side * half[0]) * across
        start = centre + root + (_FINGERS_APART * along * half[1]) * down
        length = _TIP - _SHORTER * abs(along - _LONGEST_AT)
        end = start + side * length * half[0] * across - _FINGERS_UP * half[1] * down
        width = max(1, int(_FINGER_WIDTH * half[1]))
        ends = [tuple(np.round(one - corner).astype(int).tolist()) for one in (start, end)]
        cv2.line(mask, ends[0], ends[1], 255, width, cv2.LINE_AA)
    return mask, (int(corner[0]), int(corner[1]))


def _lay(
    image_rgb: Image,
    *,
    mask: UInt8[np.ndarray, "rows columns"],
    corner: tuple[int, int],
    cheeks: Float[np.ndarray, "six 2"],
) -> Image:
    height, width = image_rgb.shape[:2]
    columns, rows = np.round(cheeks).astype(int).T
    seen = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    skin = np.median(image_rgb[rows[seen], columns[seen]], axis=0) if seen.any() else _SKIN_RGB
    left, top = corner
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + mask.shape[1], width), min(top + mask.shape[0], height)
    if x0 >= x1 or y0 >= y1:
        return image_rgb
    laid = image_rgb.copy()
    part = mask[y0 - top : y1 - top, x0 - left : x1 - left]
    # Rounded: darker towards the edge, as a hand under soft light.
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    light = _EDGE_LIGHT + _MORE_LIGHT * np.clip(depth / max(depth.max(), 1), 0, 1) ** 0.5
    hand = (light[..., None] * _SHADE * np.asarray(skin))[
        y0 - top : y1 - top, x0 - left : x1 - left
    ]
    weight = part[..., None].astype(np.float32) / 255
    laid[y0:y1, x0:x1] = np.round(laid[y0:y1, x0:x1] * (1 - weight) + hand * weight)
    return laid


def score_perturbed(
    faces: Sequence[PerturbedPhoto],
    predictions: Predictions,
    mean_shape: Float[np.ndarray, "68 3"],
    confidence_radius: float,
) -> PerturbationScore:
    """Measure predictions of perturbed photos, over the faces found."""
    off = []
    for face, points in zip(faces, predictions.points_image, strict=True):
        if np.isfinite(points).all():
            valid = face.photo.valid
            truth = pose_head(face.photo.points_image[valid, :2], mean_shape[valid]).pose.yaw_deg
            seen = pose_head(points[valid, :2], mean_shape[valid]).pose.yaw_deg
            off.append(abs((seen - truth + 180) % 360 - 180))
    confidence = score_confidence(
        [face.photo.points_image for face in faces],
        [face.hidden for face in faces],
        predictions,
        mean_shape,
        confidence_radius,
    )
    return PerturbationScore(float(np.median(off)) if off else None, confidence)
