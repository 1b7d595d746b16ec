"""A weight file and a detector, as evaluation wants to see them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from mien.geometry import Similarity
from mien.runtime import LandmarkerPair
from mien.types import Box, Landmarks

__all__ = ["MeasuredModel"]

Image = UInt8[np.ndarray, "height width 3"]


@dataclass(frozen=True)
class MeasuredModel:
    """Fulfils ``FaceLandmarker``; a model of 84 points is measured on the 68 among them."""

    pair: LandmarkerPair
    find_all: Callable[[Image], Sequence[Landmarks]]
    """All faces of a photo in the model's own markup, as a user gets them."""

    @property
    def side(self) -> int:
        return self.pair.following.side

    def align_crop(self, image_rgb: Image, image_from_crop: Similarity) -> Landmarks:
        return self._to_68(self.pair.align_crop(image_rgb, image_from_crop).landmarks)

    def align_box(self, image_rgb: Image, box: Box) -> Landmarks:
        return self._to_68(self.pair.align_box(image_rgb, box).landmarks)

    def find(self, image_rgb: Image) -> Sequence[Landmarks]:
        return [self._to_68(face) for face in self.find_all(image_rgb)]

    def _to_68(self, face: Landmarks) -> Landmarks:
        chosen = list(self.pair.markup.ibug68)
        return Landmarks(face.points_image[chosen], face.confidence[chosen])
