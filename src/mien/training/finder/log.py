"""``train.csv`` and ``val.csv`` of a finder's run, a row at a time."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Sequence
from pathlib import Path

from mien.losses.finder import FinderLossTerms
from mien.training.finder.validation import FinderScore

__all__ = ["FinderLog"]


class FinderLog:
    """Rows are flushed; those past the step that a run goes on from are dropped."""

    def __init__(self, run: Path, step: int, rank: int = 0) -> None:
        self._run = run
        if rank != 0:
            return
        for name in ("train.csv", "val.csv"):
            file = run / name
            if not file.exists():
                continue
            with file.open(newline="") as stream:
                header, *rows = list(csv.reader(stream))
            kept = [row for row in rows if len(row) == len(header) and int(row[0]) <= step]
            with file.open("w", newline="") as stream:
                csv.writer(stream).writerows([header, *kept])

    def terms(self, step: int, terms: FinderLossTerms, pictures_per_sec: float) -> None:
        """A row of losses."""
        values = {name: round(float(value.detach()), 6) for name, value in vars(terms).items()}
        speed = round(pictures_per_sec, 2)
        self._append("train.csv", {"step": step, **values, "pictures_per_sec": speed})

    def scores(self, step: int, scores: Sequence[FinderScore]) -> None:
        """A row a val set."""
        for score in scores:
            self._append("val.csv", {"step": step, **dataclasses.asdict(score)})

    def _append(self, name: str, row: dict[str, object]) -> None:
        file = self._run / name
        new = not file.exists()
        with file.open("a", newline="") as stream:
            writer = csv.DictWriter(stream, list(row))
            if new:
                writer.writeheader()
            writer.writerow(row)
