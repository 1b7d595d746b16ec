"""``mien track``: the faces of a video, photo, folder or webcam, as a table and as a picture."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import cv2
import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from mien.cli.outputs import Outputs, TableFormat, track_input
from mien.errors import InputError
from mien.media import Input, list_inputs
from mien.pipeline import Tally, TrackerParts
from mien.runtime import DEFAULT_MODEL, load_landmarkers, open_detector
from mien.tracking import SmoothingSettings, TrackerSettings

__all__ = ["track"]

_TRACKING, _DETECTOR = "Tracking", "Where to look"


class Points(StrEnum):
    """Markups by their number of points."""

    P68 = "68"
    P84 = "84"


def track(
    where: Annotated[
        str,
        typer.Argument(
            metavar="VIDEO|IMAGE|FOLDER|0",
            help="A video, a photo, a folder of them, or the number of a webcam (Ctrl-C ends it).",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            help="Folder for STEM.csv, STEM.overlay.mp4 (.png for a photo) and STEM.json; made if "
            "it is missing, and files of an earlier run are replaced.",
            show_default=False,
        ),
    ],
    model: Annotated[
        str,
        typer.Option(
            metavar="NAME|PATH",
            help="A model of 'mien models', or a weight file.",
            rich_help_panel=_TRACKING,
        ),
    ] = DEFAULT_MODEL,
    markup: Annotated[
        Points,
        typer.Option(
            help="Number of landmarks; every model has the 68, see 'mien models' for 84.",
            rich_help_panel=_TRACKING,
        ),
    ] = Points.P68,
    max_faces: Annotated[
        int,
        typer.Option(
            min=1, help="Faces followed at once, biggest first.", rich_help_panel=_TRACKING
        ),
    ] = TrackerSettings.max_faces,
    smooth: Annotated[
        bool,
        typer.Option(
            help="Calm points that rest; moving ones do not lag.", rich_help_panel=_TRACKING
        ),
    ] = True,
    threads: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Threads for the networks; all cores if not given.",
            rich_help_panel=_TRACKING,
        ),
    ] = None,
    detector: Annotated[
        str,
        typer.Option(
            help="centerface, centerface:LONG_SIDE (px of the search; more finds smaller faces), "
            "yunet:MODEL_FILE, or boxes:FILE.csv (frame,left,top,right,bottom).",
            rich_help_panel=_DETECTOR,
        ),
    ] = "centerface",
    detect_every: Annotated[
        int,
        typer.Option(
            min=1,
            help="Frames between two searches for further faces.",
            rich_help_panel=_DETECTOR,
        ),
    ] = TrackerSettings.detect_every,
    table_format: Annotated[
        TableFormat, typer.Option("--format", help="Of the table.", rich_help_panel="Results")
    ] = TableFormat.CSV,
    overlay: Annotated[
        bool, typer.Option(help="Draw the landmarks on the video.", rich_help_panel="Results")
    ] = True,
    timeline: Annotated[
        bool,
        typer.Option(
            "--timeline",
            help="Also draw STEM.timeline.png: who was there when, and how the heads turn.",
            rich_help_panel="Results",
        ),
    ] = False,
) -> None:
    """Follow the faces of a video, photo, folder or webcam.

    A file that cannot be read does not stop the others of its folder; the exit code is then 2.
    """
    inputs = list_inputs(where)
    outputs = Outputs(out, table_format, overlay, timeline)
    outputs.make_folder()
    if threads is not None:
        cv2.setNumThreads(threads)
    parts = TrackerParts(
        load_landmarkers(model, points=int(markup), threads=threads),
        open_detector(detector),
        TrackerSettings(
            max_faces=max_faces,
            detect_every=detect_every,
            smoothing=SmoothingSettings() if smooth else None,
        ),
    )
    failed = 0
    with _progress() as progress:
        for number, item in enumerate(inputs, start=1):
            title = item.stem if len(inputs) == 1 else f"{item.stem} ({number}/{len(inputs)})"
            failed += not _track_one(item, parts, outputs, progress, title)
    if len(inputs) > 1:
        typer.echo(f"{len(inputs) - failed} of {len(inputs)} files done, results in {out}")
    if failed:
        raise typer.Exit(2)


def _track_one(
    item: Input, parts: TrackerParts, outputs: Outputs, progress: Progress, title: str
) -> bool:
    """Track one input and say a line; False if it could not be read to its end."""
    task = progress.add_task(title, total=None)
    tally = Tally()
    try:
        track_input(
            item,
            parts,
            outputs,
            tally,
            lambda total: progress.update(task, total=total),
            lambda done: progress.update(task, completed=done),
        )
    except InputError as error:
        print(f"mien: {' '.join(str(error).split())}", file=sys.stderr)
        if tally.frames_decoded:
            typer.echo(report_line(item.stem, tally))
        return False
    finally:
        progress.remove_task(task)
    typer.echo(report_line(item.stem, tally))
    return True


def report_line(stem: str, tally: Tally) -> str:
    """What came of one input, for a person."""
    frames = f"{tally.frames_decoded} frame{'s' * (tally.frames_decoded != 1)}"
    speed = f"{tally.fps:.1f} frames/s"
    if not tally.frames_with_face:
        return f"{stem}: no face found in {frames}, {speed}"
    faces = len(tally.track_ids)
    return (
        f"{stem}: {frames}, {tally.frames_with_face} with a face, "
        f"{faces} face{'s' * (faces != 1)}, {speed}"
    )


def _progress() -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,  # a log file gets no bars, nor their empty lines
    )
