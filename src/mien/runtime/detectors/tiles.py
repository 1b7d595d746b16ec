"""A picture looked at finely, in overlapping tiles: the cost is bounded, whatever its shape."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Tile", "fine_ratio", "tiles_of"]

_FINE_PIXELS = 2_100_000
"""Most pixels of the fine look: full HD as it is."""
_WORTH_IT = 1.5
"""Times as fine as the look at the whole from which a second look pays."""
_TILE = 736
"""Px of a tile's sides at most: bounds memory."""
_MOST_OVERLAP = 0.5
"""Of a tile's side."""


@dataclass(frozen=True)
class Tile:
    """Columns and rows of the picture, half open, and those that no neighbour answers for."""

    left: int
    top: int
    right: int
    bottom: int
    own_x: tuple[float, float]
    own_y: tuple[float, float]

    def owns(self, place: tuple[float, float]) -> bool:
        """Whether a face with its centre there is this tile's to tell."""
        (x, y), (left, right), (top, bottom) = place, self.own_x, self.own_y
        return left <= x < right and top <= y < bottom


def fine_ratio(width: int, height: int, whole: float) -> float | None:
    """By how much to shrink a picture for the fine look; ``None`` where the look at the whole,
    which shrinks it by ``whole``, is about as fine."""
    ratio = min(math.sqrt(_FINE_PIXELS / (width * height)), 1.0)
    return ratio if ratio >= _WORTH_IT * whole else None


def tiles_of(width: int, height: int, ratio: float, least_overlap: float) -> Iterator[Tile]:
    """Tiles that cover the picture and overlap by ``least_overlap`` px of it, so that smaller faces
    lie whole in the tile that owns them."""
    longest = max(math.floor(_TILE / ratio), 2)
    overlap = min(math.ceil(least_overlap), math.floor(_MOST_OVERLAP * longest))
    for (top, bottom), own_y in _spans(height, longest, overlap):
        for (left, right), own_x in _spans(width, longest, overlap):
            yield Tile(left, top, right, bottom, own_x, own_y)


def _spans(
    length: int, longest: int, overlap: int
) -> Sequence[tuple[tuple[int, int], tuple[float, float]]]:
    """Equal ones, as few as there can be, each with the part that is its own."""
    count = 1 if length <= longest else math.ceil((length - overlap) / (longest - overlap))
    size = math.ceil((length + (count - 1) * overlap) / count)
    starts = [round(i * (length - size) / max(count - 1, 1)) for i in range(count)]
    middles = [(before + size + after) / 2 for before, after in pairwise(starts)]
    edges = [-math.inf, *middles, math.inf]
    return [
        ((start, start + size), own) for start, own in zip(starts, pairwise(edges), strict=True)
    ]
