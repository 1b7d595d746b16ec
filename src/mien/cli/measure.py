"""``mien measure``: blinks, nods, speech and sums of a table, a clip in memory at a time."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from mien.measures import AT_CAMERA_DEG, ClipSummary, summarise
from mien.study import SumsFile, read_clips, read_persons, sums_paths, with_persons

__all__ = ["measure"]


def measure(
    table: Annotated[
        Path,
        typer.Argument(
            metavar="TABLE",
            help="Table of mien track, of one clip or (--table) of many; CSV or Parquet.",
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
    persons: Annotated[
        Path | None,
        typer.Option(
            metavar="NAME.persons.csv",
            help="Table of mien persons; persons are summed up then, not tracks.",
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
    paths = sums_paths(table, out, overwrite=overwrite)
    joined = read_persons(persons) if persons is not None else None
    with contextlib.ExitStack() as closing:
        files = {kind: closing.enter_context(SumsFile(path, kind)) for kind, path in paths.items()}
        for rows in read_clips(table):
            rows = rows if joined is None else with_persons(rows, joined)
            clip, people, events = summarise(rows, camera)
            files["per-clip"].add([clip])
            files["per-person"].add(people)
            files["events"].add(events)
            typer.echo(_told(clip))
    typer.echo("written: " + ", ".join(str(path) for path in paths.values()))


def _told(clip: ClipSummary) -> str:
    return (
        f"{clip.clip}: {clip.seconds:.1f} s, {clip.persons} person{'s' * (clip.persons != 1)}, "
        f"a face in {100 * clip.face_share:.1f} %, {clip.blinks} blinks, "
        f"{clip.speaking_secs:.1f} s as in speech"
    )
