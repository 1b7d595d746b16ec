"""Where to look next: a place in the image, its size and its motion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from mien.geometry import Similarity, crop_from_landmarks
from mien.types import Box, Frame, Prediction

__all__ = ["Place", "is_readable", "next_crop", "share_inside"]

_LONGEST_LEAD = 0.35
"""Face sizes by which a crop is moved ahead at most: a wrong guess must leave the face inside."""
_LEAST_INSIDE = 0.3
"""Share of the landmark box that must lie in the picture."""
_LEAST_SIZE = 6.0
"""Landmark boxes smaller than this, in px, hold no face that could be read."""


@dataclass(frozen=True)
class Place:
    """A face reduced to where it is, how large, and where it is heading."""

    centre: Float[np.ndarray, " 2"]
    size: float
    """sqrt(width * height) of the landmark box, px."""
    velocity: Float[np.ndarray, " 2"]
    """Pixels a second."""

    @classmethod
    def of(cls, points_image: Float[np.ndarray, "points 3"]) -> Place:
        """A face at rest."""
        box = Box.around(points_image)
        size = max(float(np.sqrt(box.width * box.height)), 1e-6)
        return cls(points_image[:, :2].mean(axis=0), size, np.zeros(2))

    def moved_to(self, points_image: Float[np.ndarray, "points 3"], step_secs: float) -> Place:
        """The same face a step later."""
        now = Place.of(points_image)
        return Place(now.centre, now.size, (now.centre - self.centre) / step_secs)

    def after(self, secs: float) -> Float[np.ndarray, " 2"]:
        """Where the centre is if the motion goes on."""
        return self.centre + self.velocity * secs


def next_crop(
    points_image: Float[np.ndarray, "points 3"],
    place: Place,
    mean_shape: Float[np.ndarray, "points 3"],
    side: int,
    lead_secs: float,
) -> Similarity:
    """The crop aligned by the last landmarks, moved ahead by ``lead_secs`` of their motion.

    Raises:
        ValueError: the landmarks coincide.
    """
    crop = crop_from_landmarks(points_image, mean_shape, side)
    ahead = place.velocity * lead_secs
    length, longest = float(np.linalg.norm(ahead)), _LONGEST_LEAD * place.size
    if length > longest:
        ahead = ahead * (longest / length)
    x, y = crop.translation
    return Similarity(crop.scale, crop.angle_rad, (x + float(ahead[0]), y + float(ahead[1])))


def share_inside(box: Box, width: int, height: int) -> float:
    """Share of a box's area that lies in the picture."""
    shared_w = min(box.right, width - 0.5) - max(box.left, -0.5)
    shared_h = min(box.bottom, height - 0.5) - max(box.top, -0.5)
    area = box.width * box.height
    return max(shared_w, 0.0) * max(shared_h, 0.0) / area if area > 0 else 0.0


def is_readable(seen: Prediction, frame: Frame) -> bool:
    """Whether the points are numbers, not too small, and mostly in the picture."""
    points = seen.landmarks.points_image
    if not np.isfinite(points).all():
        return False
    box = Box.around(points)
    height, width = frame.image_rgb.shape[:2]
    is_large = min(box.width, box.height) >= _LEAST_SIZE / 2
    is_large = is_large and box.width * box.height >= _LEAST_SIZE**2
    return is_large and share_inside(box, width, height) >= _LEAST_INSIDE
