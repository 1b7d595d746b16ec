"""How a face gets to the network when it is measured: paper 4.1.

* ``oracle``: a crop aligned by the true landmarks: what the tracking model can do at its best;
* ``box``: a crop around the box of the true landmarks: what most papers report;
* ``detector``: nothing but the photo: what a user gets.

Evaluation knows neither network nor detector. It declares what it needs of them
(``FaceLandmarker``), and the command hands the objects in.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int, UInt8

from mien.datasets.photo import LabelledPhoto
from mien.geometry import Similarity, crop_from_landmarks, mirror_crop, pose_head
from mien.types import Box, Frame, Landmarks, Prediction

__all__ = ["FaceLandmarker", "Init", "Mirrored", "completed", "locate"]

Image = UInt8[np.ndarray, "height width 3"]

_SAME_FACE_IOU = 0.1
"""Least overlap of two boxes to speak of the same face. Landmark boxes of one face overlap by 0.5
and more however poor the points; neighbours in a group photo rarely overlap at all."""


class Init(StrEnum):
    """How the crop is found."""

    ORACLE = "oracle"
    BOX = "box"
    DETECTOR = "detector"


@runtime_checkable
class FaceLandmarker(Protocol):
    """What is measured. Points are those of the 68-point markup."""

    @property
    def side(self) -> int:
        """Side of the square crops that ``align_crop`` takes, in px."""
        ...

    def align_crop(self, image_rgb: Image, image_from_crop: Similarity) -> Prediction:
        """The landmarks of the face in a crop that landmarks have aligned."""
        ...

    def align_box(self, image_rgb: Image, box: Box) -> Prediction:
        """The landmarks of the face whose landmarks have this box."""
        ...

    def find(self, frame: Frame) -> Sequence[Prediction]:
        """All faces of a photo, from the photo alone; none is an empty sequence.

        Each call stands for itself: a tracker behind it starts anew.
        """
        ...


def locate(
    landmarker: FaceLandmarker,
    photo: LabelledPhoto,
    frame: Frame,
    init: Init,
    mean_shape: Float[np.ndarray, "68 3"],
) -> Prediction | None:
    """The landmarks predicted for the labelled face, or ``None`` where it was not found.

    ``frame`` is the photo with its place in the set, by which detectors that read a file know it.
    """
    # x and y only: depth is not known for every data set, and the crop must not depend on it.
    truth = completed(photo.points_image[:, :2], mean_shape)
    if init is Init.ORACLE:
        crop = crop_from_landmarks(truth, mean_shape, landmarker.side)
        return landmarker.align_crop(frame.image_rgb, crop)
    if init is Init.BOX:
        return landmarker.align_box(frame.image_rgb, Box.around(truth))
    return _nearest(landmarker.find(frame), Box.around(truth))


def completed(
    truth: Float[np.ndarray, "68 2"], mean_shape: Float[np.ndarray, "68 3"]
) -> Float[np.ndarray, "68 2"]:
    """Points without a label taken from the mean head in the pose of the others.

    Without a jaw the box would be that of the inner face, half as large.
    """
    known = np.isfinite(truth).all(axis=1)
    if known.all():
        return truth
    head = pose_head(truth[known], mean_shape[known])
    return np.where(known[:, None], truth, head.project(mean_shape))


def _nearest(faces: Sequence[Prediction], box: Box) -> Prediction | None:
    """The face that overlaps the box best, if one does."""
    overlaps = [Box.around(face.landmarks.points_image).iou(box) for face in faces]
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

    def align_crop(self, image_rgb: Image, image_from_crop: Similarity) -> Prediction:
        width = image_rgb.shape[1]
        plain = self.inner.align_crop(image_rgb, image_from_crop)
        crop = mirror_crop(image_from_crop, width, self.side)
        mirrored = self.inner.align_crop(_flip(image_rgb), crop)
        return _mean(plain, self._unmirror(mirrored, width))

    def align_box(self, image_rgb: Image, box: Box) -> Prediction:
        width = image_rgb.shape[1]
        plain = self.inner.align_box(image_rgb, box)
        turned = Box(width - 1 - box.right, box.top, width - 1 - box.left, box.bottom)
        mirrored = self.inner.align_box(_flip(image_rgb), turned)
        return _mean(plain, self._unmirror(mirrored, width))

    def find(self, frame: Frame) -> Sequence[Prediction]:
        """The faces of the photo; each joined with its twin, if the mirrored photo has it too."""
        width = frame.image_rgb.shape[1]
        mirrored = dataclasses.replace(frame, image_rgb=_flip(frame.image_rgb))
        twins = [self._unmirror(face, width) for face in self.inner.find(mirrored)]
        faces = []
        for face in self.inner.find(frame):
            twin = _nearest(twins, Box.around(face.landmarks.points_image))
            faces.append(face if twin is None else _mean(face, twin))
        return faces

    def _unmirror(self, face: Prediction, width: int) -> Prediction:
        points = face.landmarks.points_image[self.mirror_order].copy()
        points[:, 0] = width - 1 - points[:, 0]
        confidence = face.landmarks.confidence[self.mirror_order]
        return Prediction(Landmarks(points, confidence), face.score)


def _flip(image_rgb: Image) -> Image:
    return np.ascontiguousarray(image_rgb[:, ::-1])


def _mean(one: Prediction, other: Prediction) -> Prediction:
    here, there = one.landmarks, other.landmarks
    points = (here.points_image + there.points_image) / 2
    confidence = (here.confidence + there.confidence) / 2
    return Prediction(Landmarks(points, confidence), (one.score + other.score) / 2)
