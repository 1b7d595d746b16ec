"""``mien persons``: who of a clip's tracks is whom, a clip in memory at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from jaxtyping import Float

from mien.cli.said import say
from mien.errors import InputError
from mien.study import (
    LEAST_LIKENESS,
    SumsFile,
    persons_of,
    points_by_face,
    read_clips,
    read_points,
    recorded_files,
    sums_paths,
)
from mien.study.persons import TrackPerson

__all__ = ["persons"]


def persons(
    table: Annotated[
        Path,
        typer.Argument(
            metavar="TABLE",
            help="Table of mien track --table, with its points and run.json beside it; the "
            "videos must still be where they were.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Folder of NAME.persons.csv; beside the table if not given.",
            show_default=False,
        ),
    ] = None,
    least: Annotated[
        float,
        typer.Option(
            min=-1.0,
            max=1.0,
            help="Likeness from which two tracks are one person. Lower joins more, also strangers.",
        ),
    ] = LEAST_LIKENESS,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace also a file that mien did not write.")
    ] = False,
) -> None:
    """Join the tracks of each clip into persons, by how their faces look.

    Within one clip and one place it errs seldom; across places and days it errs often, so clips
    are never compared. Look at what it joined: docs/study.md says how far it is to be trusted.
    """
    path = sums_paths(table, out, ("persons",), overwrite=overwrite)["persons"]
    files = recorded_files(table)
    beside = table.with_name(f"{table.stem}.points{table.suffix}")
    points = _Following(beside if beside.is_file() else table)
    is_good = True
    with SumsFile(path, "persons") as written:
        for rows in read_clips(table):
            columns = points.of(rows.clip)
            if rows.clip not in files:
                raise InputError(f"{table}: run.json beside it knows no clip {rows.clip}")
            if not rows.seen.any():
                continue
            if columns is None:
                raise InputError(
                    f"{points.path}: has no points of {rows.clip} where its table does; the two "
                    "must have the same clips in the same order"
                )
            try:
                told = persons_of(rows, points_by_face(columns), files[rows.clip], least)
            except InputError as error:
                say(str(error))
                is_good = False
                continue
            written.add(told)
            typer.echo(_line(told))
    typer.echo(f"written: {path}; sums of each: mien measure {table} --persons {path}")
    if not is_good:
        raise typer.Exit(2)


def _line(told: Sequence[TrackPerson]) -> str:
    people: dict[int, list[TrackPerson]] = {}
    for one in told:
        people.setdefault(one.person_id, []).append(one)
    joined = [
        f"{person}: tracks {', '.join(str(one.track_id) for one in group)} "
        f"(likeness {group[0].least_likeness:.2f})"
        for person, group in sorted(people.items())
        if len(group) > 1
    ]
    shown = f"; {'; '.join(joined)}" if joined else ""
    count = f"{len(told)} track{'s' * (len(told) != 1)}"
    return f"{told[0].clip}: {count}, {len(people)} person{'s' * (len(people) != 1)}{shown}"


class _Following:
    """A table of points beside another of the same order, which leaves clips without faces out."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rest = read_points(path)
        self._next = next(self._rest, None)

    def of(self, clip: str) -> dict[str, Float[np.ndarray, " rows"]] | None:
        """The columns of that clip, which must come next; ``None`` if it has no faces."""
        if self._next is None or self._next[0] != clip:
            return None
        columns = self._next[1]
        self._next = next(self._rest, None)
        return columns
