"""Clips with a known number of faces, made of the bundled demo clip."""

from __future__ import annotations

import math
from fractions import Fraction
from importlib import resources
from pathlib import Path

import av
import cv2
import numpy as np
from jaxtyping import UInt8

from mien.media import open_source

__all__ = ["write_crowd"]

_RATE = 25
_KEYFRAME_EVERY = 50
_PHASE = 7
"""Frames by which each copy of the demo's person is ahead of the one before, so that a crowd does
not move in step."""
_BACKDROP = 96
"""Grey of the picture around the pasted copies."""


def write_crowd(path: Path, *, faces: int, width: int, height: int, frames: int) -> None:
    """Write an H.264 clip of that many copies of the demo's person, in a grid.

    Args:
        frames: the demo's 150 frames are played forth and back as long as asked.

    Raises:
        ValueError: no face, or a picture smaller than the grid needs.
    """
    columns, rows = _grid(faces, width / height)
    tile = min(width // columns, height // rows)
    if faces < 1 or tile < 32:
        raise ValueError(f"{faces} faces do not fit into {width}x{height} px")
    tiles = _demo_tiles(tile)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=_RATE)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.gop_size = _KEYFRAME_EVERY
        stream.time_base = Fraction(1, _RATE)
        for index in range(frames):
            picture = np.full((height, width, 3), _BACKDROP, np.uint8)
            for face in range(faces):
                top, left = (face // columns) * tile, (face % columns) * tile
                left += (width - columns * tile) // 2
                shown = tiles[_forth_and_back(index + _PHASE * face, len(tiles))]
                picture[top : top + tile, left : left + tile] = shown
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def _grid(faces: int, aspect: float) -> tuple[int, int]:
    """Columns and rows whose square tiles fill a picture of that aspect best."""
    candidates = ((columns, math.ceil(faces / columns)) for columns in range(1, faces + 1))
    return max(candidates, key=lambda grid: min(aspect / grid[0], 1 / grid[1]), default=(1, 1))


def _demo_tiles(side: int) -> list[UInt8[np.ndarray, "side side 3"]]:
    clip = Path(str(resources.files("mien"))) / "demo" / "clip.mp4"
    with open_source(str(clip)) as source:
        return [
            np.asarray(
                cv2.resize(frame.image_rgb, (side, side), interpolation=cv2.INTER_AREA),
                dtype=np.uint8,
            )
            for frame in source
        ]


def _forth_and_back(index: int, count: int) -> int:
    """0, 1, ... count - 1, count - 2, ... 0, 1: no jump at the turn."""
    place = index % (2 * count - 2)
    return place if place < count else 2 * count - 2 - place
