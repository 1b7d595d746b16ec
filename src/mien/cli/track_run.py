"""What ``mien track`` does: one input after the other, a line about each."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import typer

from mien.cli.choices import MAX_FACES, TableFormat
from mien.cli.inputs import list_words
from mien.cli.notes import report_line
from mien.cli.outputs import Outcome, Outputs, track_input
from mien.cli.progress import RunProgress
from mien.cli.streams import open_streams, parse_targets
from mien.errors import InputError
from mien.expression import Details
from mien.media import Input
from mien.pipeline import TrackerParts
from mien.runtime import load_landmarkers, open_detector
from mien.tracking import SmoothingSettings, TrackerSettings

if TYPE_CHECKING:
    from mien.avatar.streams import StreamTarget

__all__ = ["TrackOptions", "run_track"]


@dataclass(frozen=True)
class TrackOptions:
    """The options of ``mien track``, as its help explains them."""

    words: list[str]
    out: Path
    recursive: bool
    rate: float | None
    model: str
    points: int
    max_faces: int | None
    smooth: bool
    threads: int | None
    detector: str
    search_secs: float
    table: TableFormat
    overlay: bool
    timeline: bool
    overwrite: bool
    details: Details
    osc: str | None = None
    vmc: str | None = None
    face: int | None = None

    def open_parts(self) -> TrackerParts:
        """Networks, detector and settings.

        Raises:
            ModelError, ConfigError, InputError: as the parts say.
        """
        return TrackerParts(
            load_landmarkers(self.model, points=self.points, threads=self.threads),
            open_detector(self.detector),
            TrackerSettings(
                max_faces=self.max_faces or MAX_FACES,
                search_secs=self.search_secs,
                smoothing=SmoothingSettings() if self.smooth else None,
            ),
        )


def run_track(options: TrackOptions) -> bool:
    """Track everything; False if something could not be read or made.

    Raises:
        MienError: nothing can be done at all.
    """
    targets = parse_targets(options.osc, options.vmc, options.face)
    listing = list_words(options.words, options.out, recursive=options.recursive)
    inputs = listing.inputs
    named = len(inputs) + len(listing.refused)
    outputs = Outputs(
        options.out,
        options.table,
        options.overlay,
        options.timeline,
        options.overwrite,
        options.details,
        streams=bool(targets),
    )
    outputs.make_folder()
    outputs.refuse_foreign(item.stem for item in inputs)
    with _opencv_threads(options.threads):
        parts = options.open_parts()
        for refusal in listing.refused:
            _say(refusal)
        done = 0
        with RunProgress() as progress:
            for number, item in enumerate(inputs, start=1):
                title = item.stem if len(inputs) == 1 else f"{item.stem} ({number}/{len(inputs)})"
                done += _track_one(item, parts, outputs, options, progress, title, targets)
    if named > 1:
        typer.echo(f"{done} of {named} files done, results in {options.out}")
    if line := listing.left_out_line():
        typer.echo(line)
    return done == named


def _track_one(
    item: Input,
    parts: TrackerParts,
    outputs: Outputs,
    options: TrackOptions,
    progress: RunProgress,
    title: str,
    targets: Sequence[StreamTarget] = (),
) -> bool:
    """Track one input and say a line; False if it could not be read, or drawn, to its end."""
    outcome = Outcome()
    is_read = False
    try:
        with progress.of(title) as task, open_streams(targets, options.face) as streams:
            track_input(
                item,
                parts,
                outputs,
                outcome,
                task.expect,
                task.show,
                streams,
                all_faces_of_photos=options.max_faces is None,
                rate=options.rate,
            )
        is_read = True
    except InputError as error:
        _say(str(error))
    finally:
        if is_read or outcome.tally.frames_decoded:
            typer.echo(report_line(item.stem, outcome.tally, complete=is_read))
            for note in outcome.notes:
                typer.echo(f"  {note}")
        for failure in outcome.failures:
            _say(f"{item.stem}: {failure}")
    return is_read and not outcome.failures


@contextlib.contextmanager
def _opencv_threads(number: int | None) -> Iterator[None]:
    """OpenCV's are the process's own: they are given back."""
    before = cv2.getNumThreads()
    if number is not None:
        cv2.setNumThreads(number)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _say(text: str) -> None:
    print(f"mien: {' '.join(text.split())}", file=sys.stderr)
