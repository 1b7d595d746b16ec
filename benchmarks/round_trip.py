"""How far skin has moved under its label when a head is turned and turned back.

Of a photo two pictures are made: its head drawn once in its own pose, and its head turned, the
turned picture turned back. Both are laid over each other by their labels, so that each label point
is at one place in both; how far the *pictures* differ there is measured by two instruments that
know nothing of the engine: dense optical flow (OpenCV's DIS), and our landmark network.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from mien.evaluation.metrics import face_size
from mien.geometry import crop_from_landmarks
from mien.geometry.pose import rotation_from_angles
from mien.runtime import LandmarkerPair
from mien.synthesis.fit.residual_warp import FittedPhoto
from mien.synthesis.render.turning import HeadTurner, Turn, TurnedPhoto
from mien.types import HeadPose

Image = UInt8[np.ndarray, "side side 3"]
_LOOK_PX = 2
"""Flow at a point is the median over the square of so many pixels to each side."""


@dataclass(frozen=True)
class RoundTrip:
    """Two pictures of one head, in OpenCV's colour order, with one label."""

    start: Image
    back: Image
    points_image: Float[np.ndarray, "68 3"]
    seen: Bool[np.ndarray, " 68"]
    """Points that are hidden neither at the start nor in the turned picture."""

    def flow_nme(self) -> float:
        """Mean length of the flow from ``start`` to ``back`` at the points that are seen."""
        grey = (cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) for image in (self.start, self.back))
        finder = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        flow = finder.calc(*grey, None)
        lengths = []
        for x, y in np.round(self.points_image[self.seen, :2]).astype(int):
            rows, columns = (slice(max(v - _LOOK_PX, 0), v + _LOOK_PX + 1) for v in (y, x))
            around = flow[rows, columns].reshape(-1, 2)
            lengths.append(np.hypot(*np.median(around, axis=0)))
        return float(np.mean(lengths)) / face_size(self.points_image)

    def network_nme(self, pair: LandmarkerPair) -> float:
        """Mean distance between what the network finds in the one and in the other picture."""
        landmarker = pair.following
        crop = crop_from_landmarks(self.points_image, landmarker.mean_shape, landmarker.side)
        found = [
            pair.align_crop(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), crop).landmarks.points_image
            for image in (self.start, self.back)
        ]
        moved = np.linalg.norm((found[1] - found[0])[self.seen, :2], axis=1)
        return float(moved.mean()) / face_size(self.points_image)


def make_round_trip(turner: HeadTurner, photo: FittedPhoto, yaw_deg: float) -> RoundTrip:
    """Turn a photo's head to a yaw, to the side that it shows better, and back."""
    side = 1 if photo.rotation[0, 2] <= 0 else -1
    away = rotation_from_angles(HeadPose(side * yaw_deg, 0, 0)).astype(np.float32)
    home = Turn(photo.rotation)
    start, there = turner.turn(photo, home), turner.turn(photo, Turn(away))
    back = turner.turn(_as_photo(photo, there, away), home)
    seen = ~(start.hidden | there.hidden)
    return RoundTrip(start.image, _laid_over(back, start), start.points_image, seen)


def _as_photo(
    photo: FittedPhoto, turned: TurnedPhoto, rotation: Float[np.ndarray, "3 3"]
) -> FittedPhoto:
    """The turned picture with the same head; where it stands in it follows from the label."""
    scale = photo.scale * turned.window.zoom
    missed = turned.points_image - scale * photo.points_cm @ rotation.T
    shift = missed[:, :2].mean(axis=0).astype(np.float32)
    return replace(photo, image=turned.image, rotation=rotation, scale=scale, shift=shift)


def _laid_over(turned: TurnedPhoto, other: TurnedPhoto) -> Image:
    """A picture as large as another, its label moved and enlarged onto the other's."""
    own, goal = (one.points_image[:, :2] for one in (turned, other))
    zoom = float(np.linalg.norm(goal - goal.mean(axis=0)) / np.linalg.norm(own - own.mean(axis=0)))
    shift = goal.mean(axis=0) - zoom * own.mean(axis=0)
    matrix = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])
    size = other.image.shape[1::-1]
    laid = cv2.warpAffine(
        turned.image, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(laid, np.uint8)
