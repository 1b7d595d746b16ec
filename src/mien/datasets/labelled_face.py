"""One face to learn from, and what any set of them is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, UInt8

__all__ = ["LabelledFace", "TrainingFaces"]


@dataclass(frozen=True)
class LabelledFace:
    """One face to learn from, in the pixels of its picture."""

    image_rgb: UInt8[np.ndarray, "height width 3"]
    points: Float[np.ndarray, "points 3"]
    trusted: Bool[np.ndarray, " points"]
    has_depth: bool = True
    """Whether z may be learned from; points clicked on a photo alone have none."""


@runtime_checkable
class TrainingFaces(Protocol):
    """A set of faces that can be read in any order."""

    name: str

    def __len__(self) -> int: ...

    def load(self, index: int) -> LabelledFace: ...
