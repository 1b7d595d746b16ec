"""``mien report``: a table of ``mien track`` as one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.errors import InputError
from mien.report import read_table, write_report
from mien.report.pictures import find_video

__all__ = ["report"]


def report(
    table: Annotated[
        Path,
        typer.Argument(
            metavar="TABLE",
            help="Table of mien track: STEM.csv, STEM.jsonl or STEM.parquet.",
            show_default=False,
        ),
    ],
    video: Annotated[
        Path | None,
        typer.Option(
            help="The video of the table, for the pictures; else STEM.mp4 (or another ending) or "
            "STEM.overlay.mp4 beside the table, if there.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="File to write; STEM.report.html beside the table if not given."),
    ] = None,
) -> None:
    """Make one HTML page of a table: which faces are there when, pose, openings, blinks, quality.

    The page holds all it needs: it can be mailed, opened without a network, and printed.
    """
    if video is not None and not video.is_file():
        raise InputError(f"{video}: no such video; check the path")
    read = read_table(table)
    place = out or table.with_suffix(".report.html")
    found = video or find_video(table)
    write_report(read, place, title=table.stem, video=found)
    pictures = (
        f"pictures from {found.name}" if found else "no pictures: name the video with --video"
    )
    typer.echo(f"{place}: {len(read.frames)} frames, {pictures}")
