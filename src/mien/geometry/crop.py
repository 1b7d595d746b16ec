"""The square crop a network sees: where it lies, and how it is cut.

Training and tracking both call these functions, so that their crops cannot drift apart. A crop is
the mean head seen from the front: its landmark box is ``FACE_SHARE`` of the side, upright and in
the middle, however the head is turned: scale, roll and centre come from the head in space
(``pose_head``), because a flat similarity to the frontal mean shrinks to half on a profile.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from mien.geometry.pose import pose_head
from mien.geometry.similarity import Similarity
from mien.types import Box, Detection

__all__ = [
    "FACE_SHARE",
    "crop_from_box",
    "crop_from_detection",
    "crop_from_landmarks",
    "crop_of_head_in_box",
    "detection_box",
    "mirror_crop",
    "resize_crop",
    "warp_crop",
]

FACE_SHARE = 0.58
"""Size of the landmark box, sqrt(width * height) seen from the front, as a share of the crop."""

_DETECTION_SIZE = 0.886
_DETECTION_DOWN = 0.145
"""Landmark box against detector box: its size, and how far its centre lies below, in box sizes.
Medians over the train photos of our pack under CenterFace: ``docs/decisions/0004-crop.md``."""


def crop_from_landmarks(
    points_image: Float[np.ndarray, "points dims"],
    mean_shape: Float[np.ndarray, "points 3"],
    side: int,
) -> Similarity:
    """``image_from_crop`` for a crop of ``side`` px, aligned by landmarks (x, y or x, y, z).

    Raises:
        ValueError: the points coincide, or are not those of the mean shape.
    """
    head = pose_head(points_image[:, :2], mean_shape)
    middle = (mean_shape.min(axis=0) + mean_shape.max(axis=0)) / 2
    centre = head.project(middle[None])[0]
    return _place(centre, head.scale, math.radians(head.pose.roll_deg), side)


def crop_from_box(box: Box, side: int) -> Similarity:
    """``image_from_crop`` around the box of a face's landmarks, upright."""
    return _place(np.array(box.centre), _size(box), 0.0, side)


def crop_of_head_in_box(
    box: Box,
    points_image: Float[np.ndarray, "points dims"],
    mean_shape: Float[np.ndarray, "points 3"],
    side: int,
) -> Similarity:
    """As :func:`crop_from_landmarks`, of the mean head turned as in these points and so near and
    so placed that its landmark box has the size and the centre of ``box``.

    The box of a turned head is narrower than that from the front, and its middle is not the
    head's: with the turn known, a box tells both.

    Raises:
        ValueError: the points coincide, or are not those of the mean shape.
    """
    turned = pose_head(points_image[:, :2], mean_shape).project(mean_shape)
    seen = Box.around(turned)
    grown = _size(box) / max(math.sqrt(seen.width * seen.height), 1e-6)
    placed = grown * (turned - np.array(seen.centre)) + np.array(box.centre)
    return crop_from_landmarks(placed, mean_shape, side)


def crop_from_detection(detection: Detection, side: int) -> Similarity:
    """``image_from_crop`` for a face as the detector gives it: its box, upright by its points."""
    box = detection.box
    angle = 0.0
    if detection.five_points is not None:
        eyes, mouth = detection.five_points[:2].mean(axis=0), detection.five_points[3:].mean(axis=0)
        down = mouth - eyes
        angle = math.atan2(-down[0], down[1])
    drop = _DETECTION_DOWN * _size(box)
    centre = np.array(box.centre) + drop * np.array([-math.sin(angle), math.cos(angle)])
    return _place(centre, _DETECTION_SIZE * _size(box), angle, side)


def detection_box(image_from_crop: Similarity, side: int) -> Box:
    """The square box of a detection whose :func:`crop_from_detection` is this crop.

    The inverse of that function, up to the box's shape, which a crop does not tell: what a detector
    should say of a face whose landmarks are known.
    """
    angle = image_from_crop.angle_rad
    size = image_from_crop.scale * side * FACE_SHARE / _DETECTION_SIZE
    middle = image_from_crop.apply(np.full(2, (side - 1) / 2))
    x, y = middle - _DETECTION_DOWN * size * np.array([-math.sin(angle), math.cos(angle)])
    return Box(x - size / 2, y - size / 2, x + size / 2, y + size / 2)


def _size(box: Box) -> float:
    return max(math.sqrt(box.width * box.height), 1.0)


def _place(
    centre_image: Float[np.ndarray, " 2"], face_size: float, angle_rad: float, side: int
) -> Similarity:
    """The crop centred there whose ``FACE_SHARE`` is ``face_size`` image pixels."""
    turn = Similarity(face_size / (FACE_SHARE * side), angle_rad, (0.0, 0.0))
    middle = turn.apply(np.full(2, (side - 1) / 2))
    shift = centre_image - middle
    return Similarity(turn.scale, angle_rad, (float(shift[0]), float(shift[1])))


def resize_crop(image_from_crop: Similarity, side: int, new_side: int) -> Similarity:
    """The same place of the image, cut with another number of pixels."""
    ratio = side / new_side  # pixel centres: x_old = (x_new + 0.5) * ratio - 0.5
    old_from_new = Similarity(ratio, 0.0, ((ratio - 1) / 2, (ratio - 1) / 2))
    return image_from_crop @ old_from_new


def mirror_crop(image_from_crop: Similarity, width: int, side: int) -> Similarity:
    """The crop of the mirrored image that shows the mirror image of this crop.

    Mirror the crop, place it, mirror the image: two reflections and a similarity between them
    are a similarity with the opposite turn.
    """
    x, y = image_from_crop.apply(np.array([side - 1.0, 0.0]))
    return Similarity(
        image_from_crop.scale, -image_from_crop.angle_rad, (width - 1 - float(x), float(y))
    )


def warp_crop(
    image_rgb: UInt8[np.ndarray, "height width 3"], image_from_crop: Similarity, side: int
) -> UInt8[np.ndarray, "side side 3"]:
    """Cut a crop; black where the image ends.

    Bilinear, and free of aliasing where the crop shrinks the image: the part under the crop is
    first averaged over whole blocks of pixels.
    """
    block = int(image_from_crop.scale)
    if block < 2:
        return _warp(image_rgb, image_from_crop, side)
    height, width = image_rgb.shape[:2]
    cos = image_from_crop.scale * math.cos(image_from_crop.angle_rad) * side
    sin = image_from_crop.scale * math.sin(image_from_crop.angle_rad) * side
    x, y = image_from_crop.translation
    left = _within(x + min(cos, 0) + min(-sin, 0) - block, width)
    right = _within(x + max(cos, 0) + max(-sin, 0) + block, width)
    top = _within(y + min(sin, 0) + min(cos, 0) - block, height)
    bottom = _within(y + max(sin, 0) + max(cos, 0) + block, height)
    if right <= left or bottom <= top:
        return np.zeros((side, side, 3), np.uint8)
    part = cv2.copyMakeBorder(  # to whole blocks: the last pixels count as well
        image_rgb[top:bottom, left:right],
        0,
        (top - bottom) % block,
        0,
        (left - right) % block,
        cv2.BORDER_REPLICATE,
    )
    small = cv2.resize(
        part,
        (part.shape[1] // block, part.shape[0] // block),
        interpolation=cv2.INTER_AREA,
    )
    image_from_small = Similarity(
        float(block), 0.0, (left + (block - 1) / 2, top + (block - 1) / 2)
    )
    return _warp(small, image_from_small.inverse() @ image_from_crop, side)


def _within(place: float, end: int) -> int:
    return int(min(max(place, 0), end))


def _warp(
    image_rgb: UInt8[np.ndarray, "height width 3"], image_from_crop: Similarity, side: int
) -> UInt8[np.ndarray, "side side 3"]:
    crop = cv2.warpAffine(
        image_rgb,
        image_from_crop.matrix,
        (side, side),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
    )
    return np.asarray(crop, dtype=np.uint8)
