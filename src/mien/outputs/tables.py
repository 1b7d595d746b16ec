"""The table of results as a file, written row by row: CSV and JSON lines here, Parquet beside."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

from mien.errors import ConfigError
from mien.expression import Details
from mien.files import PendingFile, told_as_output_error
from mien.outputs.rows import NO_DETAILS, Value, columns, rows
from mien.outputs.sink import Sink
from mien.types import Face, Frame

__all__ = ["TABLE_FORMATS", "CsvTable", "JsonLinesTable", "Lines", "open_table"]

TABLE_FORMATS = ("csv", "parquet", "jsonl")
"""Also the endings of their files."""


def open_table(path: Path, points: int, details: Details = NO_DETAILS) -> Sink:
    """A table for faces of that many points; the path's ending names the format.

    Raises:
        ConfigError: another ending, or Parquet without pyarrow installed.
        OutputError: the file cannot be made.
    """
    if path.suffix == ".csv":
        return CsvTable(path, points, details)
    if path.suffix == ".jsonl":
        return JsonLinesTable(path, points, details)
    if path.suffix == ".parquet":
        from mien.outputs.parquet import ParquetTable  # pyarrow is not in the base install

        return ParquetTable(path, points, details)
    known = ", ".join(f".{name}" for name in TABLE_FORMATS)
    raise ConfigError(f"{path.name}: a table ends in one of {known}, not {path.suffix!r}")


class Lines:
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

    def __init__(self, path: Path, points: int, details: Details = NO_DETAILS) -> None:
        self._points, self._details = points, details
        self._lines = Lines(path)
        self._lines.append(",".join(columns(points, details)) + "\n")

    def write(self, frame: Frame, faces: Sequence[Face]) -> None:
        text = [
            ",".join("" if value is None else repr(value) for value in row) + "\n"
            for row in rows(frame, faces, self._points, self._details)
        ]
        self._lines.append("".join(text))

    def close(self) -> None:
        self._lines.close()


class JsonLinesTable(Sink):
    """One JSON object a row, with the columns as keys; an empty cell is ``null``."""

    def __init__(self, path: Path, points: int, details: Details = NO_DETAILS) -> None:
        self._points, self._details = points, details
        self._columns = columns(points, details)
        self._lines = Lines(path)

    def write(self, frame: Frame, faces: Sequence[Face]) -> None:
        text = [
            json.dumps(dict(zip(self._columns, map(_finite, row), strict=True))) + "\n"
            for row in rows(frame, faces, self._points, self._details)
        ]
        self._lines.append("".join(text))

    def close(self) -> None:
        self._lines.close()


def _finite(value: Value) -> Value:
    """JSON has no number for NaN and infinity."""
    return value if value is None or math.isfinite(value) else None
