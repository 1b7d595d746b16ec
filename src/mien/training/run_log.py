"""``train.csv`` and ``val.csv`` of a run, a row at a time."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mien.files import write_atomically

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["RunLog"]


class RunLog:
    """Rows are flushed; those past the step that a run goes on from are dropped."""

    def __init__(self, run: Path, step: int, rank: int = 0) -> None:
        """Of the run in that folder, which goes on from ``step``; the first process writes.

        Raises:
            OutputError: the rows that stay cannot be written.
        """
        self._run = run
        if rank != 0:
            return
        for name in ("train.csv", "val.csv"):
            if (run / name).exists():
                _cut(run / name, step)

    def terms(self, step: int, terms: object, speeds: Mapping[str, float]) -> None:
        """A row of losses, which are the tensors of a dataclass, and of speeds."""
        losses = {name: round(float(value.detach()), 6) for name, value in vars(terms).items()}
        told = {name: round(speed, 2) for name, speed in speeds.items()}
        self._append("train.csv", {"step": step, **losses, **told})

    def scores(self, step: int, scores: Sequence[DataclassInstance]) -> None:
        """A row a val set."""
        for score in scores:
            self._append("val.csv", {"step": step, **dataclasses.asdict(score)})

    def _append(self, name: str, row: dict[str, object]) -> None:
        file = self._run / name
        columns = _columns(file)
        if not {*row} <= {*columns}:
            columns = _widen(file, [*row, *(name for name in columns if name not in row)])
        with file.open("a", newline="") as stream:
            csv.DictWriter(stream, columns).writerow(row)


def _columns(file: Path) -> list[str]:
    if not file.exists():
        return []
    with file.open(newline="") as stream:
        return next(csv.reader(stream), [])


def _widen(file: Path, columns: list[str]) -> list[str]:
    """The file with these columns: a new one, or that of a mien that had fewer losses, whose rows
    have empty cells there."""
    text, rows = io.StringIO(), list[dict[str, str]]()
    if file.exists():
        with file.open(newline="") as stream:
            rows = list(csv.DictReader(stream))
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(file, text.getvalue().encode("utf-8"))
    return columns


def _cut(file: Path, step: int) -> None:
    with file.open(newline="") as stream:
        lines = list(csv.reader(stream))
    if not lines:  # the run was killed as it made the file
        return
    header, *rows = lines
    kept = [row for row in rows if len(row) == len(header) and int(row[0]) <= step]
    text = io.StringIO()
    csv.writer(text).writerows([header, *kept])
    write_atomically(file, text.getvalue().encode("utf-8"))
