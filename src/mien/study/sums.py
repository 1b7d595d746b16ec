"""Where the sums of a table go, and a line of them."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

from mien.errors import InputError, OutputError
from mien.measures import ClipSummary, Event, PersonSummary
from mien.study.cells import quoted

__all__ = ["heading", "measures_paths", "row_of"]

_KINDS: dict[str, Any] = {"events": Event, "per-person": PersonSummary, "per-clip": ClipSummary}
_DECIMALS = 4


def measures_paths(table: Path, out: Path | None, *, overwrite: bool = False) -> dict[str, Path]:
    """The files of ``mien measure`` by what they hold.

    Raises:
        InputError: there is no such table.
        OutputError: a file of that name is there that is not one of these.
    """
    if not table.is_file():
        raise InputError(f"{table}: no such table; make one with mien track FOLDER --table {table}")
    folder = table.parent if out is None else out
    paths = {kind: folder / f"{table.stem}.{kind}.csv" for kind in _KINDS}
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
