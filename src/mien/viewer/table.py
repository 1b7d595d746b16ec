"""The table of results: one row a face and frame, one empty row for a frame without a face."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mien.errors import ConfigError
from mien.types import Face, Frame
from mien.viewer.output import PendingFile, told_as_output_error
from mien.viewer.sink import Sink

__all__ = ["TABLE_FORMATS", "CsvTable", "JsonLinesTable", "columns", "open_table", "rows"]

TABLE_FORMATS = ("csv", "parquet", "jsonl")
"""Also the endings of their files."""

_LEADING = (
    *("frame", "time_secs", "track_id", "score"),
    *("box_left", "box_top", "box_right", "box_bottom"),
    *("yaw_deg", "pitch_deg", "roll_deg"),
)
_PX_DECIMALS, _DEG_DECIMALS, _SHARE_DECIMALS, _SECS_DECIMALS = 3, 3, 4, 6

Value = int | float | None


def columns(points: int) -> tuple[str, ...]:
    """Column names: ``frame`` to ``roll_deg``, then all x, all y, all z, all confidences."""
    return (*_LEADING, *(f"{axis}_{point}" for axis in "xyzc" for point in range(points)))


def rows(frame: Frame, faces: Sequence[Face], points: int) -> Iterator[list[Value]]:
    """The rows of one frame, rounded; ``None`` is an empty cell.

    Raises:
        ValueError: a face has another number of points.
    """
    time_secs = round(frame.time_secs, _SECS_DECIMALS)
    if not faces:
        yield [frame.index, time_secs, *[None] * (len(_LEADING) - 2 + 4 * points)]
    for face in faces:
        landmarks, box, pose = face.landmarks, face.box, face.pose
        if len(landmarks.points_image) != points:
            raise ValueError(
                f"the table holds {points} points a face, not {len(landmarks.points_image)}"
            )
        edges = (box.left, box.top, box.right, box.bottom)
        angles = (pose.yaw_deg, pose.pitch_deg, pose.roll_deg)
        xyz = landmarks.points_image.T.astype(np.float64).round(_PX_DECIMALS)
        confidence = landmarks.confidence.astype(np.float64).round(_SHARE_DECIMALS)
        yield [
            *(
                frame.index,
                time_secs,
                int(face.track_id),
                round(float(face.score), _SHARE_DECIMALS),
            ),
            *(round(float(edge), _PX_DECIMALS) for edge in edges),
            *(round(float(angle), _DEG_DECIMALS) for angle in angles),
            *xyz.ravel().tolist(),
            *confidence.tolist(),
        ]


def open_table(path: Path, points: int) -> Sink:
    """A table for faces of that many points; the path's ending names the format.

    Raises:
        ConfigError: another ending, or Parquet without pyarrow installed.
        OutputError: the file cannot be made.
    """
    if path.suffix == ".csv":
        return CsvTable(path, points)
    if path.suffix == ".jsonl":
        return JsonLinesTable(path, points)
    if path.suffix == ".parquet":
        from mien.viewer.parquet import ParquetTable  # pyarrow is not in the base install

        return ParquetTable(path, points)
    known = ", ".join(f".{name}" for name in TABLE_FORMATS)
    raise ConfigError(f"{path.name}: a table ends in one of {known}, not {path.suffix!r}")


class _Lines:
    """Whole lines in a pending file: each write reaches the system before it returns."""

    def __init__(self, path: Path) -> None:
        self._pending = PendingFile(path)
        with told_as_output_error(path):
            self._file = self._pending.part.open("wb", buffering=0)

    def append(self, text: str) -> None:
        """Add text that ends in a newline, or after an error leave the file as it was."""
        whole = self._file.tell()
        left = memoryview(text.encode("utf-8"))
        try:
            with told_as_output_error(self._pending.path):
                while left:  # a disk that is nearly full takes a part of it
                    left = left[self._file.write(left) :]
        except BaseException:
            self._file.seek(whole)
            self._file.truncate()
            raise

    def close(self) -> None:
        if not self._file.closed:
            with told_as_output_error(self._pending.path):
                self._file.close()
            self._pending.publish()


class CsvTable(Sink):
    """Comma-separated values with a header; an empty cell is an empty string."""

    def __init__(self, path: Path, points: int) -> None:
        self._points = points
        self._lines = _Lines(path)
        self._lines.append(",".join(columns(points)) + "\n")

    def write(self, frame: Frame, faces: Sequence[Face]) -> None:
        text = [
            ",".join("" if value is None else repr(value) for value in row) + "\n"
            for row in rows(frame, faces, self._points)
        ]
        self._lines.append("".join(text))

    def close(self) -> None:
        self._lines.close()


class JsonLinesTable(Sink):
    """One JSON object a row, with the columns as keys; an empty cell is ``null``."""

    def __init__(self, path: Path, points: int) -> None:
        self._points = points
        self._columns = columns(points)
        self._lines = _Lines(path)

    def write(self, frame: Frame, faces: Sequence[Face]) -> None:
        text = [
            json.dumps(dict(zip(self._columns, map(_finite, row), strict=True))) + "\n"
            for row in rows(frame, faces, self._points)
        ]
        self._lines.append("".join(text))

    def close(self) -> None:
        self._lines.close()


def _finite(value: Value) -> Value:
    """JSON has no number for NaN and infinity."""
    return value if value is None or math.isfinite(value) else None
