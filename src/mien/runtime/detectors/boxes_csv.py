"""Faces from a table: for users with a detector of their own, and for repeatable tests."""

from __future__ import annotations

import csv
from pathlib import Path

from mien.errors import InputError, reason_of
from mien.types import Box, Detection, Frame

__all__ = ["BoxesCsv"]

_COLUMNS = ("frame", "left", "top", "right", "bottom")


class BoxesCsv:
    """Boxes by frame, from a CSV file with the columns frame, left, top, right, bottom.

    Frames count from 0: a frame is known by its index, so that the order of asking is free.
    """

    def __init__(self, path: Path) -> None:
        """Read the table.

        Raises:
            InputError: the file cannot be read, lacks a column, or has a row that is not a box.
        """
        self._by_frame = _read(path)

    def find(self, frame: Frame) -> list[Detection]:
        """The rows of that frame."""
        return self._by_frame.get(frame.index, [])


def _read(path: Path) -> dict[int, list[Detection]]:
    by_frame: dict[int, list[Detection]] = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, skipinitialspace=True)
            missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise InputError(
                    f"{path}: expected the columns {','.join(_COLUMNS)}, "
                    f"missing {','.join(missing)}"
                )
            for row in reader:
                box = _box(row, f"{path} line {reader.line_num}")
                by_frame.setdefault(int(row["frame"]), []).append(Detection(box, 1.0))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"cannot read boxes from {path}: {reason_of(error)}") from None
    return by_frame


def _box(row: dict[str, str], place: str) -> Box:
    try:
        int(row["frame"])
        return Box(*(float(row[name]) for name in _COLUMNS[1:]))
    except (TypeError, ValueError):
        given = ",".join(str(row[name]) for name in _COLUMNS)
        raise InputError(f"{place}: expected frame,left,top,right,bottom, not {given!r}") from None
