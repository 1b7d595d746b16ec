"""Where the sums of a table go, and a line of them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

from mien.errors import InputError, OutputError
from mien.files import PendingFile, told_as_output_error
from mien.measures import ClipSummary, Event, PersonSummary
from mien.study.cells import quoted
from mien.study.persons import TrackPerson

__all__ = ["SumsFile", "heading", "row_of", "sums_paths"]

_KINDS: dict[str, Any] = {
    "events": Event,
    "per-person": PersonSummary,
    "per-clip": ClipSummary,
    "persons": TrackPerson,
}
MEASURES = ("events", "per-person", "per-clip")
_DECIMALS = 4


def sums_paths(
    table: Path, out: Path | None, kinds: Sequence[str] = MEASURES, *, overwrite: bool = False
) -> dict[str, Path]:
    """The files of ``mien measure`` or ``mien persons`` by what they hold.

    Raises:
        InputError: there is no such table.
        OutputError: a file of that name is there that is not one of these.
    """
    if not table.is_file():
        raise InputError(f"{table}: no such table; make one with mien track FOLDER --table {table}")
    folder = table.parent if out is None else out
    paths = {kind: folder / f"{table.stem}.{kind}.csv" for kind in kinds}
    for kind, path in paths.items():
        if path.exists() and not overwrite and not _is_ours(path, _KINDS[kind]):
            raise OutputError(
                f"{path}: there is a file of this name that mien did not write; name another "
                "folder with --out, or replace it with --overwrite"
            )
    return paths


def _is_ours(path: Path, kind: Any) -> bool:
    names = [field.name for field in dataclasses.fields(kind)]
    try:
        with path.open(encoding="utf-8") as file:
            return file.readline().rstrip("\n").split(",")[:4] == names[:4]
    except (OSError, ValueError):
        return False


def heading(kind: str) -> bytes:
    """The first line of a file of that kind."""
    names = (field.name for field in dataclasses.fields(_KINDS[kind]))
    return (",".join(names) + "\n").encode("ascii")


def row_of(record: Any) -> bytes:
    """One line of CSV; what is not known is an empty cell."""
    line = ",".join(map(_cell, dataclasses.astuple(record))) + "\n"
    return line.encode("utf-8", "replace")


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, float):
        return repr(round(value, _DECIMALS) + 0.0) if math.isfinite(value) else ""
    return str(value)


class SumsFile:
    """A file of one kind of record, which appears when it is whole."""

    def __init__(self, path: Path, kind: str) -> None:
        """Begin it.

        Raises:
            OutputError: it cannot be made.
        """
        self._pending = PendingFile(path)
        with told_as_output_error(path):
            self._file = self._pending.part.open("wb")
            self._file.write(heading(kind))

    def __enter__(self) -> Self:
        return self

    def add(self, records: Iterable[object]) -> None:
        """Add a line for each.

        Raises:
            OutputError: they cannot be written.
        """
        with told_as_output_error(self._pending.path):
            self._file.writelines(row_of(record) for record in records)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        with told_as_output_error(self._pending.path):
            self._file.close()
        if kind is None:
            self._pending.publish()
        else:
            self._pending.drop()
