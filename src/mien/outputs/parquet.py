"""The table as Parquet. Importing this module needs pyarrow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mien.errors import ConfigError
from mien.expression import Details
from mien.files import PendingFile, told_as_output_error
from mien.outputs.rows import NO_DETAILS, Value, columns, rows
from mien.outputs.sink import Sink
from mien.types import Face, Frame

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError as missing:
    raise ConfigError(
        "Parquet tables need pyarrow: pip install 'mien[parquet]', or ask for csv or jsonl"
    ) from missing

__all__ = ["ParquetTable", "column_names"]

_ROWS_A_GROUP = 512
"""Rows held in memory at once: about 1 MB at 84 points."""


def column_names(file: Any) -> tuple[str, ...]:
    """Of a Parquet file.

    Raises:
        ValueError: it is not one.
    """
    return tuple(pq.read_schema(file).names)  # pyarrow's ArrowInvalid is a ValueError


class ParquetTable(Sink):
    """Columns of 64-bit integers and floats; an empty cell is null.

    The footer comes last, so a process killed outright leaves no readable file, unlike the line
    formats.
    """

    def __init__(self, path: Path, points: int, details: Details = NO_DETAILS) -> None:
        self._points, self._details = points, details
        integers = ("frame", "track_id")
        self._schema = pa.schema(
            [
                pa.field(name, pa.int64() if name in integers else pa.float64(), name != "frame")
                for name in columns(points, details)
            ]
        )
        self._held: list[list[Value]] = []
        self._pending = PendingFile(path)
        with told_as_output_error(path):
            self._file = self._pending.part.open("wb")
            self._writer = pq.ParquetWriter(self._file, self._schema, compression="zstd")

    def write(self, frame: Frame, faces: Sequence[Face]) -> None:
        self._held.extend(rows(frame, faces, self._points, self._details))
        if len(self._held) >= _ROWS_A_GROUP:
            self._write_group()

    def close(self) -> None:
        if self._file.closed:
            return
        try:
            self._write_group()
            with told_as_output_error(self._pending.path):
                self._writer.close()
                self._file.close()
        except BaseException:
            self._pending.drop()
            raise
        finally:
            self._abandon()
        self._pending.publish()

    def _write_group(self) -> None:
        held, self._held = self._held, []
        if held:
            arrays = [
                pa.array(column, type=field.type)
                for column, field in zip(zip(*held, strict=True), self._schema, strict=True)
            ]
            with told_as_output_error(self._pending.path):
                self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))

    def _abandon(self) -> None:
        """Release the handle even where its last flush fails."""
        try:
            self._file.close()
        except OSError:
            self._file.detach()
