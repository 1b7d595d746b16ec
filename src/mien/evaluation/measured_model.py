"""A weight file and a detector, as evaluation wants to see them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from mien.alignment import CarefulPredictor
from mien.geometry import Similarity
from mien.runtime import LandmarkerPair, load_landmarkers, open_detector
from mien.tracking import Tracker, TrackerSettings
from mien.types import Box, Frame, Prediction

__all__ = ["MeasuredModel", "open_measured_model"]

Image = UInt8[np.ndarray, "height width 3"]

_ALL_FACES = TrackerSettings().for_photo(all_faces=True)
"""The labelled face of a group photo may be a small one, and big ones enter first."""


@dataclass(frozen=True)
class MeasuredModel:
    """Fulfils ``FaceLandmarker``: networks, opened for 68 points, and a tracker of them."""

    pair: LandmarkerPair
    tracker: Tracker
    careful: CarefulPredictor | None = None
    """What looks in model 2's stead, several times; the tracker has its own."""

    @property
    def side(self) -> int:
        return self.pair.following.side

    def align_crop(self, image_rgb: Image, image_from_crop: Similarity) -> Prediction:
        return self.pair.align_crop(image_rgb, image_from_crop, self.careful)

    def align_box(self, image_rgb: Image, box: Box) -> Prediction:
        return self.pair.align_box(image_rgb, box, self.careful)

    def find(self, frame: Frame) -> Sequence[Prediction]:
        """All faces of a photo, as a user gets them."""
        self.tracker.reset()
        return [Prediction(face.landmarks, face.score) for face in self.tracker.update(frame)]


def open_measured_model(
    model: str, detector: str, threads: int | None, *, careful: bool = False
) -> MeasuredModel:
    """The model of that name or path behind the detector of those words.

    Raises:
        ModelError, ConfigError, InputError: as the parts say.
    """
    pair = load_landmarkers(model, points=68, threads=threads)
    settings = dataclasses.replace(_ALL_FACES, careful=careful)
    tracker = Tracker(open_detector(detector, threads), pair.first, pair.following, settings)
    return MeasuredModel(pair, tracker, CarefulPredictor(pair.following) if careful else None)
