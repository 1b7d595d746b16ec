"""What mien asks of a face detector."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from mien.types import Detection

__all__ = ["FaceDetector"]


@runtime_checkable
class FaceDetector(Protocol):
    """Finds faces in a whole picture."""

    def detect(self, image_rgb: UInt8[np.ndarray, "height width 3"]) -> list[Detection]:
        """Every face it sees, best first, in image pixels; empty where there is none."""
        ...
