"""Of boxes that lie on one face, the best one."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float

__all__ = ["strongest_boxes"]


def strongest_boxes(
    start: Float[np.ndarray, "n 2"],
    end: Float[np.ndarray, "n 2"],
    scores: Float[np.ndarray, " n"],
    overlap: float,
) -> list[int]:
    """Greedy non-maximum suppression: indices of the boxes that overlap no better one by a larger
    IoU than ``overlap``, best first. ``start`` and ``end`` are two opposite corners; scores are
    above 0."""
    kept = cv2.dnn.NMSBoxes(
        np.concatenate([start, end - start], axis=1).tolist(), scores.tolist(), 0.0, overlap
    )
    return [int(index) for index in kept]
