"""Pictures of a video for the page: a film strip, and the frames that went worst."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Int, UInt8

from mien.errors import InputError
from mien.media import open_source
from mien.outputs import draw_faces
from mien.report.table import FaceTable

__all__ = ["Picture", "find_video", "strip_frames", "take_pictures", "worst_rows"]

_VIDEOS = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".gif", ".jpg", ".jpeg", ".png")
_STRIP, _WORST = 8, 6
_LONG_SIDE, _CROP_SIDE = 420, 260
_AROUND = 1.5
"""Side of a crop in sizes of the face's points."""


@dataclass(frozen=True)
class Picture:
    """A frame as JPEG in a data address, so that the page needs no other file."""

    frame: int
    address: str


def find_video(table: Path) -> Path | None:
    """The video of a table's name beside it, or else its overlay, which is drawn already."""
    stem = table.with_suffix("")
    names = [*(f"{stem.name}{s}" for s in _VIDEOS), f"{stem.name}.overlay.mp4"]
    return next((table.with_name(n) for n in names if table.with_name(n).is_file()), None)


def strip_frames(table: FaceTable) -> Int[np.ndarray, " n"]:
    """Frames at even distances, from the middle of the first stretch to that of the last."""
    count = min(_STRIP, len(table.frames))
    places = (np.arange(count) + 0.5) * len(table.frames) / count
    return np.asarray(table.frames[places.astype(int)])


def worst_rows(table: FaceTable) -> list[int]:
    """Rows whose points are least sure, no two of one face within a second; guesses (a score of
    0) are none."""
    chosen: list[int] = []
    by_confidence = np.argsort(table.confidence.mean(axis=1), kind="stable")
    for row in by_confidence[table.score[by_confidence] != 0].tolist():
        near = [
            other
            for other in chosen
            if table.track_id[other] == table.track_id[row]
            and abs(table.time_secs[other] - table.time_secs[row]) < 1.0
        ]
        if not near:
            chosen.append(row)
        if len(chosen) == _WORST:
            break
    return sorted(chosen)


def take_pictures(
    video: Path, table: FaceTable, whole: Iterable[int], rows: Iterable[int]
) -> tuple[dict[int, Picture], dict[int, Picture]]:
    """Whole frames by their number, and the faces of rows by the row; read in one pass.

    Raises:
        InputError: the video cannot be read, or ends before the table does.
    """
    wanted, faces = set(whole), {int(table.frame[row]): list[int]() for row in rows}
    for row in rows:
        faces[int(table.frame[row])].append(row)
    last = max([*wanted, *faces], default=-1)
    is_drawn = video.name.endswith(".overlay.mp4")
    strips: dict[int, Picture] = {}
    crops: dict[int, Picture] = {}
    with open_source(video) as source:
        for frame in source:
            if frame.index in wanted or frame.index in faces:
                image = frame.image_rgb if is_drawn else _drawn(frame.image_rgb, frame.index, table)
                if frame.index in wanted:
                    strips[frame.index] = Picture(frame.index, _address(_shrunk(image, _LONG_SIDE)))
                for row in faces.get(frame.index, ()):
                    crops[row] = Picture(frame.index, _address(_crop(image, table, row)))
            if frame.index >= last:
                break
    _require_all(video, wanted, strips)
    return strips, crops


def _require_all(video: Path, wanted: set[int], found: Mapping[int, Picture]) -> None:
    if missing := wanted - set(found):
        raise InputError(
            f"{video}: has no frame {min(missing)}, which the table has; name the video that the "
            "table was made of with --video"
        )


Image = UInt8[np.ndarray, "height width 3"]


def _drawn(image: Image, frame: int, table: FaceTable) -> Image:
    faces = [table.face(int(row)) for row in np.flatnonzero(table.frame == frame)]
    return draw_faces(image, faces, table.markup.parts)


def _crop(image: Image, table: FaceTable, row: int) -> UInt8[np.ndarray, "side side 3"]:
    """A square around the face with a margin, moved inside the picture."""
    low, high = table.points[row, :, :2].min(axis=0), table.points[row, :, :2].max(axis=0)
    height, width = image.shape[:2]
    side = int(np.clip(_AROUND * float((high - low).max()), 32, min(width, height)))
    left, top = np.rint((low + high) / 2 - side / 2).astype(int)
    left, top = (int(np.clip(left, 0, width - side)), int(np.clip(top, 0, height - side)))
    crop = np.ascontiguousarray(image[top : top + side, left : left + side])
    return np.asarray(cv2.resize(crop, (_CROP_SIDE, _CROP_SIDE), interpolation=cv2.INTER_AREA))


def _shrunk(image: Image, long_side: int) -> UInt8[np.ndarray, "rows columns 3"]:
    scale = long_side / max(image.shape[:2])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))


def _address(image: Image) -> str:
    _, data = cv2.imencode(
        ".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 82]
    )
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode("ascii")
