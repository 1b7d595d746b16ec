"""A weight file and a detector, as evaluation wants to see them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from mien.geometry import Similarity
from mien.runtime import LandmarkerPair
from mien.types import Box, Prediction

__all__ = ["MeasuredModel"]

Image = UInt8[np.ndarray, "height width 3"]


@dataclass(frozen=True)
class MeasuredModel:
    """Fulfils ``FaceLandmarker``: networks, opened for 68 points, and a detector before them."""

    pair: LandmarkerPair
    find_all: Callable[[Image], Sequence[Prediction]]
    """All faces of a photo, as a user gets them."""

    @property
    def side(self) -> int:
        return self.pair.following.side

    def align_crop(self, image_rgb: Image, image_from_crop: Similarity) -> Prediction:
        return self.pair.align_crop(image_rgb, image_from_crop)

    def align_box(self, image_rgb: Image, box: Box) -> Prediction:
        return self.pair.align_box(image_rgb, box)

    def find(self, image_rgb: Image) -> Sequence[Prediction]:
        return self.find_all(image_rgb)
