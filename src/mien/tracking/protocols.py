"""What the tracker asks of a detector and of a landmark network. It knows neither itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

from mien.geometry import Similarity
from mien.types import Detection, Frame, Landmarks

__all__ = ["FaceFinder", "LandmarkPredictor", "ScoredLandmarks"]


@runtime_checkable
class FaceFinder(Protocol):
    """Looks for faces in a whole frame."""

    def find(self, frame: Frame) -> Sequence[Detection]:
        """Every face it sees; empty where there is none."""
        ...


@runtime_checkable
class ScoredLandmarks(Protocol):
    """Landmarks in the image, and the probability that a well aligned face lies under the crop."""

    @property
    def landmarks(self) -> Landmarks: ...

    @property
    def score(self) -> float: ...


@runtime_checkable
class LandmarkPredictor(Protocol):
    """Reads landmarks from places in a picture."""

    @property
    def side(self) -> int:
        """Side of its crops, px."""
        ...

    @property
    def mean_shape(self) -> Float[np.ndarray, "points 3"]:
        """The mean head that its crops are aligned by."""
        ...

    def predict(
        self,
        image_rgb: UInt8[np.ndarray, "height width 3"],
        image_from_crops: Sequence[Similarity],
    ) -> Sequence[ScoredLandmarks]:
        """One prediction a crop, in their order."""
        ...
