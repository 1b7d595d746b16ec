"""A clip of a walking square, the detector's table for it, and how to read results."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from PIL import Image

from standin import square_picture

DARK, FRAMES = 3, 20
"""Frames without the square at the start of the clip, and all frames."""


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Scene:
    """Inputs in a folder of their own, and the options that the stand-in network needs."""

    folder: Path
    options: tuple[str, ...]

    @property
    def clip(self) -> Path:
        return self.folder / "clip.mp4"


def square_at(index: int) -> tuple[float, float, int]:
    return 40.0 + 2 * (index - DARK), 60.0, 31


def write_clip(path: Path, frames: int = FRAMES, dark: int = DARK) -> Path:
    """25 frames a second, 160x120: dark first, then the square walks right, 2 px a frame."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.bit_rate = 4_000_000
        for index in range(frames):
            squares = [square_at(DARK + (index - dark) % 30)] if index >= dark else []
            picture = av.VideoFrame.from_ndarray(square_picture(*squares), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def write_photo(path: Path, *squares: tuple[float, float, int]) -> Path:
    Image.fromarray(square_picture(*squares)).save(path)
    return path


def write_boxes(path: Path, frames: int = FRAMES) -> Path:
    """The square's box in every frame, dark ones too: the network must refuse those."""
    lines = ["frame,left,top,right,bottom"]
    for index in range(frames):
        x, y, side = square_at(max(index, DARK))
        half = side / 2
        lines.append(f"{index},{x - half},{y - half - 4},{x + half},{y + half - 4}")
    path.write_text("\n".join(lines) + "\n")
    return path


def read_rows(path: Path) -> list[dict[str, str]]:
    """The table as text cells."""
    head, *lines = path.read_text().splitlines()
    names = head.split(",")
    return [dict(zip(names, line.split(","), strict=True)) for line in lines]


def count_frames(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def middle(row: dict[str, str]) -> np.ndarray:
    """Mean of the 68 points."""
    return np.array(
        [np.mean([float(row[f"{axis}_{i}"]) for i in range(68)]) for axis in ("x", "y")]
    )
