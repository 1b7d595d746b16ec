"""``mien measure``: blinks, nods, speech and sums of a table, a clip in memory at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Self

import typer

from mien.files import PendingFile, told_as_output_error
from mien.measures import AT_CAMERA_DEG, ClipSummary, summarise
from mien.study import heading, measures_paths, read_clips, row_of

__all__ = ["measure"]


def measure(
    table: Annotated[
        Path,
        typer.Argument(
            metavar="TABLE", help="Of mien track --table, or of one clip; CSV or Parquet."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Folder of NAME.events.csv, NAME.per-person.csv and NAME.per-clip.csv; beside the "
            "table if not given.",
            show_default=False,
        ),
    ] = None,
    camera: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=90.0,
            metavar="DEGREES",
            help="How far a head may be turned away and still face the camera.",
        ),
    ] = AT_CAMERA_DEG,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace also files that mien did not write.")
    ] = False,
) -> None:
    """Find blinks, nods, shakes and speech in a table, and sum up each person and clip.

    What each number means, and how far it is to be trusted: docs/measures.md.
    """
    paths = measures_paths(table, out, overwrite=overwrite)
    with contextlib.ExitStack() as closing:
        files = {kind: closing.enter_context(_Lines(path, kind)) for kind, path in paths.items()}
        for rows in read_clips(table):
            clip, persons, events = summarise(rows, camera)
            files["per-clip"].add([clip])
            files["per-person"].add(persons)
            files["events"].add(events)
            typer.echo(_told(clip))
    typer.echo("written: " + ", ".join(str(path) for path in paths.values()))


def _told(clip: ClipSummary) -> str:
    return (
        f"{clip.clip}: {clip.seconds:.1f} s, {clip.persons} person{'s' * (clip.persons != 1)}, "
        f"a face in {100 * clip.face_share:.1f} %, {clip.blinks} blinks, "
        f"{clip.speaking_secs:.1f} s as in speech"
    )


class _Lines:
    """A file of one kind of record, which appears when it is whole."""

    def __init__(self, path: Path, kind: str) -> None:
        self._pending = PendingFile(path)
        with told_as_output_error(path):
            self._file = self._pending.part.open("wb")
            self._file.write(heading(kind))

    def __enter__(self) -> Self:
        return self

    def add(self, records: Iterable[object]) -> None:
        with told_as_output_error(self._pending.path):
            self._file.writelines(row_of(record) for record in records)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        with told_as_output_error(self._pending.path):
            self._file.close()
        if kind is None:
            self._pending.publish()
        else:
            self._pending.drop()
