"""How a face gets to the network when it is measured: paper 4.1.

* ``oracle``: a crop aligned by the true landmarks: what the tracking model can do at its best;
* ``box``: a crop around the box of the true landmarks: what most papers report;
* ``detector``: nothing but the photo: what a user gets.

Evaluation knows neither network nor detector. It declares what it needs of them
(``FaceLandmarker``), and the command hands the objects in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from jaxtyping import Float, Int, UInt8

from mien.data.sample import LabelledPhoto
from mien.geometry import Similarity, crop_from_box, crop_from_landmarks
from mien.types import Box, Landmarks

__all__ = ["FaceLandmarker", "Init", "Mirrored", "Role", "locate"]

Image = UInt8[np.ndarray, "height width 3"]

_SAME_FACE_IOU = 0.1
"""Least overlap of two boxes to speak of the same face. Landmark boxes of one face overlap by 0.5
and more however poor the points; neighbours in a group photo rarely overlap at all."""


class Init(StrEnum):
    """How the crop is found."""

    ORACLE = "oracle"
    BOX = "box"
    DETECTOR = "detector"


class Role(StrEnum):
    """Which of the paper's two models looks at a crop (3.4)."""

    DETECTION = "detection"
    """Model 1: crops as roughly aligned as a detector's."""
    TRACKING = "tracking"
    """Model 2: crops aligned by landmarks."""


class FaceLandmarker(Protocol):
    """What is measured. Points are those of the 68-point markup."""

    @property
    def side(self) -> int:
        """Side of the square crops that ``align`` takes, in px."""
        ...

    def align(self, image_rgb: Image, image_from_crop: Similarity, role: Role) -> Landmarks:
        """The landmarks of the face in this crop of the image, in image pixels."""
        ...

    def find(self, image_rgb: Image) -> Sequence[Landmarks]:
        """All faces of the photo, from the photo alone; none is an empty sequence.

        Each call stands for itself: a tracker behind it starts anew.
        """
        ...


def locate(
    landmarker: FaceLandmarker,
    photo: LabelledPhoto,
    image_rgb: Image,
    init: Init,
    mean_shape: Float[np.ndarray, "68 3"],
) -> Landmarks | None:
    """The landmarks predicted for the labelled face, or ``None`` where it was not found."""
    valid = photo.valid
    truth = photo.points_image[valid]
    if init is Init.ORACLE:
        # x and y only: depth is not known for every data set, and the crop must not depend on it.
        crop = crop_from_landmarks(truth[:, :2], mean_shape[valid], landmarker.side)
        return landmarker.align(image_rgb, crop, Role.TRACKING)
    if init is Init.BOX:
        crop = crop_from_box(Box.around(truth), landmarker.side)
        return landmarker.align(image_rgb, crop, Role.DETECTION)
    return _nearest(landmarker.find(image_rgb), Box.around(truth))


def _nearest(faces: Sequence[Landmarks], box: Box) -> Landmarks | None:
    """The face that overlaps the box best, if one does."""
    overlaps = [Box.around(face.points_image).iou(box) for face in faces]
    if not overlaps or max(overlaps) < _SAME_FACE_IOU:
        return None
    return faces[int(np.argmax(overlaps))]


@dataclass(frozen=True)
class Mirrored:
    """A landmarker that looks twice, at the photo and at its mirror image, and takes the mean."""

    inner: FaceLandmarker
    mirror_order: Int[np.ndarray, " 68"]
    """Index of each point's mirror partner."""

    @property
    def side(self) -> int:
        return self.inner.side

    def align(self, image_rgb: Image, image_from_crop: Similarity, role: Role) -> Landmarks:
        width = image_rgb.shape[1]
        plain = self.inner.align(image_rgb, image_from_crop, role)
        crop = mirror_crop(image_from_crop, width, self.side)
        mirrored = self.inner.align(_flip(image_rgb), crop, role)
        return _mean(plain, self._unmirror(mirrored, width))

    def find(self, image_rgb: Image) -> Sequence[Landmarks]:
        """The faces of the photo; each joined with its twin, if the mirrored photo has it too."""
        width = image_rgb.shape[1]
        twins = [self._unmirror(face, width) for face in self.inner.find(_flip(image_rgb))]
        faces = []
        for face in self.inner.find(image_rgb):
            twin = _nearest(twins, Box.around(face.points_image))
            faces.append(face if twin is None else _mean(face, twin))
        return faces

    def _unmirror(self, face: Landmarks, width: int) -> Landmarks:
        points = face.points_image[self.mirror_order].copy()
        points[:, 0] = width - 1 - points[:, 0]
        return Landmarks(points, face.confidence[self.mirror_order])


def mirror_crop(image_from_crop: Similarity, width: int, side: int) -> Similarity:
    """The crop of the mirrored image that shows the mirror image of this crop.

    Mirror the crop, place it, mirror the image: two reflections and a similarity between them
    are a similarity with the opposite turn.
    """
    x, y = image_from_crop.apply(np.array([side - 1.0, 0.0]))
    return Similarity(
        image_from_crop.scale, -image_from_crop.angle_rad, (width - 1 - float(x), float(y))
    )


def _flip(image_rgb: Image) -> Image:
    return np.ascontiguousarray(image_rgb[:, ::-1])


def _mean(one: Landmarks, other: Landmarks) -> Landmarks:
    return Landmarks(
        (one.points_image + other.points_image) / 2, (one.confidence + other.confidence) / 2
    )
