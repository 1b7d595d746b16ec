"""The maps of mien's face finder, decoded to detections."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float, Float32

from mien.runtime.detectors.suppression import strongest_boxes
from mien.types import Box, Detection

__all__ = ["Finds", "decode_maps", "strongest"]


class Finds:
    """Faces found, as arrays, in px of the picture searched, centres of pixels at integers."""

    def __init__(
        self,
        score: Float[np.ndarray, " n"],
        centre: Float[np.ndarray, "n 2"],
        size: Float[np.ndarray, " n"],
        points: Float[np.ndarray, "n 5 2"],
    ) -> None:
        self.score = score
        self.centre = centre
        self.size = size
        self.points = points

    def __len__(self) -> int:
        return len(self.score)

    def take(self, rows: np.ndarray | list[int]) -> Finds:
        """Some of them, by index or flag."""
        return Finds(self.score[rows], self.centre[rows], self.size[rows], self.points[rows])

    def scaled(self, factor: Float[np.ndarray, " 2"]) -> Finds:
        """In a picture whose sides are ``factor`` (x, y) times as long."""
        return Finds(
            self.score,
            (self.centre + 0.5) * factor - 0.5,
            self.size * float(np.sqrt(factor.prod())),
            (self.points + 0.5) * factor - 0.5,
        )

    @classmethod
    def joined(cls, parts: Sequence[Finds]) -> Finds:
        """All finds of several searches."""
        names = ("score", "centre", "size", "points")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def detections(self) -> list[Detection]:
        """As the tracker takes them: square boxes."""
        return [
            Detection(
                Box(
                    float(x - size / 2), float(y - size / 2),
                    float(x + size / 2), float(y + size / 2),
                ),
                float(score),
                points.copy(),
            )
            for score, (x, y), size, points in zip(
                self.score, self.centre, self.size, self.points, strict=True
            )
        ]  # fmt: skip


def decode_maps(
    maps: Sequence[Float32[np.ndarray, "14 _ _"]], strides: Sequence[int], score: float
) -> Finds:
    """Cells that score more than their eight neighbours and at least ``score``.

    The maps' channels are the score, the centre from the cell's middle and the logarithm of the
    size in strides, and five points from the centre in sizes.
    """
    return Finds.joined(
        [_of_map(one, stride, score) for one, stride in zip(maps, strides, strict=True)]
    )


def _of_map(values: Float32[np.ndarray, "14 _ _"], stride: int, score: float) -> Finds:
    heat = np.ascontiguousarray(values[0])
    highest = cv2.dilate(heat, np.ones((3, 3), np.uint8))
    rows, cols = np.nonzero((heat >= highest) & (heat >= score))
    cells = values[:, rows, cols].astype(np.float64)
    middle = np.stack([cols, rows], axis=1) + cells[1:3].T
    # A cell's middle lies at (cell + 0.5) strides from the picture's edge, and the edge half a
    # pixel before the first pixel's centre.
    centre = (middle + 0.5) * stride - 0.5
    size = np.exp(np.clip(cells[3], -10, 10)) * stride
    shares = cells[4:].T.reshape(-1, 5, 2)
    return Finds(cells[0], centre, size, centre[:, None] + shares * size[:, None, None])


def strongest(finds: Finds, overlap: float) -> Finds:
    """Of finds whose boxes overlap by a larger IoU the one with the best score; best first."""
    half = finds.size[:, None] / 2
    kept = strongest_boxes(finds.centre - half, finds.centre + half, finds.score, overlap)
    return finds.take(np.array(kept, dtype=int))
