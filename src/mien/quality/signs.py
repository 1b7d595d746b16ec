"""What speaks against a face's points, each sign for itself: read from the crop and the prediction.

A sign is 0 where nothing speaks against the face and 1 where it is fully there. Their ramps are
stated here; how much each counts is learned (``calibration.json``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from mien.geometry import Similarity, crop_from_box, warp_crop
from mien.types import Box

__all__ = ["REGIONS", "SIGNS", "FaceLook", "look_at", "ramp", "signs_of"]

SIGNS: Final = ("covered", "cut", "blurred", "dark", "small", "jumped", "profile")
_SIDE = 128
"""Of the upright crop that light and sharpness are read in; a face is 74 px of it."""
REGIONS: Final = (
    (*range(0, 9), *range(17, 22), *range(36, 42)),  # the person's right half
    (*range(8, 17), *range(22, 27), *range(42, 48)),
    tuple(range(27, 36)),  # nose
    tuple(range(48, 68)),  # mouth
    tuple(range(5, 12)),  # chin
    (*range(17, 27), *range(36, 48)),  # brows and eyes
)
"""Groups of points, of which the least sure one says whether something is before the face."""
_SMALL_PX = (12.0, 40.0)
_DARK = (15.0, 55.0)
_SHARP = (0.08, 0.22)
_PROFILE_DEG = (50.0, 80.0)
_SURE = (0.35, 0.8)
_LEAST_CONTRAST = 6.0
"""Grey levels: the noise of a dark picture is no sharpness."""


@dataclass(frozen=True)
class FaceLook:
    """What is read of one face in one frame."""

    size_px: float
    outside: Float[np.ndarray, " points"]
    """1 for points beyond the border of the picture, 0 for others."""
    light: float
    """Median grey value within the face, 0 to 255."""
    sharpness: float
    """Spread of the second differences within the face, against its contrast."""


def ramp(value: float, full: float, none: float) -> float:
    """1 at ``full``, 0 at ``none``, straight between and flat beyond."""
    return float(np.clip((value - none) / (full - none), 0.0, 1.0))


def look_at(
    image_rgb: UInt8[np.ndarray, "height width 3"],
    points: Float[np.ndarray, "68 3"],
) -> FaceLook:
    """Look at the face under its points, which are finite."""
    height, width = image_rgb.shape[:2]
    x, y = points[:, 0], points[:, 1]
    outside = (x < -0.5) | (y < -0.5) | (x > width - 0.5) | (y > height - 0.5)
    place = crop_from_box(Box.around(points), _SIDE)
    grey = cv2.cvtColor(warp_crop(image_rgb, place, _SIDE), cv2.COLOR_RGB2GRAY)
    inside = _face_area(points, place, width, height)
    span = np.ptp(points[:, :2], axis=0)
    values = grey[inside].astype(np.float64)
    if len(values) < 16:
        return FaceLook(float(np.sqrt(span.prod())), outside.astype(float), 0.0, 0.0)
    second = cv2.Laplacian(grey, cv2.CV_32F)[inside]
    sharpness = float(second.std()) / max(float(values.std()), _LEAST_CONTRAST)
    return FaceLook(
        float(np.sqrt(span.prod())),
        outside.astype(float),
        float(np.median(values)),
        sharpness,
    )


def _face_area(
    points: Float[np.ndarray, "68 3"], place: Similarity, width: int, height: int
) -> Bool[np.ndarray, "side side"]:
    """Pixels of the crop within the points' hull, and of the picture."""
    crop = place.inverse().apply(points[:, :2])
    mask = np.zeros((_SIDE, _SIDE), np.uint8)
    hull = cv2.convexHull(np.clip(crop, -4 * _SIDE, 4 * _SIDE).astype(np.float32))
    cv2.fillConvexPoly(mask, hull.astype(np.int32), 1)
    rows, columns = np.nonzero(mask)
    image = place.apply(np.column_stack([columns, rows]).astype(np.float64))
    beyond = (image < 0).any(axis=1) | (image[:, 0] > width - 1) | (image[:, 1] > height - 1)
    mask[rows[beyond], columns[beyond]] = 0
    return mask.astype(bool)


def signs_of(
    look: FaceLook, confidence: Float[np.ndarray, " 68"], yaw_deg: float, jumped: float
) -> Float[np.ndarray, " 7"]:
    """The signs in the order of ``SIGNS``.

    ``covered`` is what is left to explain: a region of the face whose points are unsure though it
    is in the picture, bright, sharp, large and not turned away.
    """
    cut = float(look.outside.mean())
    dark = ramp(look.light, *_DARK)
    small = ramp(look.size_px, *_SMALL_PX)
    blurred = ramp(look.sharpness, *_SHARP) * (1 - dark)
    profile = ramp(abs(yaw_deg), _PROFILE_DEG[1], _PROFILE_DEG[0])
    least = min(float(confidence[list(region)].mean()) for region in REGIONS)
    explained = max(min(1.0, 4 * cut), dark, small, blurred, profile)
    covered = ramp(least, *_SURE) * (1 - explained)
    return np.array([covered, cut, blurred, dark, small, jumped, profile])
