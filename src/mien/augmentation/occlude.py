"""Things before a face: discs, bars, strands and pieces of other pictures."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import UInt8

__all__ = ["occlude"]


def occlude(
    crop: UInt8[np.ndarray, "side side 3"],
    patch: UInt8[np.ndarray, "height width 3"],
    rng: np.random.Generator,
) -> UInt8[np.ndarray, "side side 3"]:
    """A copy of the crop with one to three things laid over it; soft edges, at most half hidden."""
    side = crop.shape[0]
    mask = np.zeros((side, side), np.uint8)
    for _ in range(int(rng.integers(1, 4))):
        centre = tuple(int(v) for v in rng.normal(side / 2, side * 0.2, 2))
        kind = rng.integers(3)
        if kind == 0:
            axes = tuple(int(v) for v in rng.uniform(0.04, 0.2, 2) * side)
            cv2.ellipse(mask, centre, axes, float(rng.uniform(0, 180)), 0, 360, 255, -1)
        elif kind == 1:
            size = tuple(float(v) for v in rng.uniform([0.2, 0.03], [1.0, 0.15]) * side)
            box = cv2.boxPoints((centre, size, float(rng.uniform(0, 180))))
            cv2.fillConvexPoly(mask, box.astype(np.int32), 255)
        else:
            strand = np.cumsum(rng.normal(0, side * 0.12, (5, 2)), axis=0) + centre
            width = max(1, int(rng.uniform(0.005, 0.03) * side))
            cv2.polylines(mask, [strand.astype(np.int32)], False, 255, width, cv2.LINE_AA)
    cover = _cover(patch, side, rng)
    weight = cv2.blur(mask, (3, 3))[..., None].astype(np.float32) / 255
    return np.asarray(crop * (1 - weight) + cover * weight, dtype=np.uint8)


def _cover(
    patch: UInt8[np.ndarray, "height width 3"], side: int, rng: np.random.Generator
) -> UInt8[np.ndarray, "side side 3"]:
    """A plain colour, or a piece of another picture."""
    if rng.random() < 0.4:
        return np.full((side, side, 3), rng.integers(0, 256, 3), np.uint8)
    height, width = patch.shape[:2]
    size = max(8, int(min(height, width) * rng.uniform(0.3, 1.0)))
    top, left = rng.integers(0, height - size + 1), rng.integers(0, width - size + 1)
    piece = patch[top : top + size, left : left + size]
    return np.asarray(cv2.resize(piece, (side, side)), dtype=np.uint8)
