"""What aligning and tracking ask of a landmark network, which they do not know themselves.

What they ask of a detector is ``mien.types.FaceFinder``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

from mien.geometry import Similarity
from mien.types import Prediction

__all__ = ["LandmarkPredictor"]


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
    ) -> Sequence[Prediction]:
        """One prediction a crop, in their order."""
        ...
