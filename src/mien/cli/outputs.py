"""The files that tracking one input leaves: ``STEM.csv``, ``STEM.overlay.mp4``, ``STEM.json``."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path

from mien.errors import OutputError
from mien.media import Input, Source, SourceKind, open_source
from mien.outputs import (
    OverlayPhoto,
    OverlayVideo,
    Sink,
    StageSeconds,
    Summary,
    Timeline,
    open_table,
    write_summary,
)
from mien.pipeline import Tally, TrackerParts, track_source

__all__ = ["Outputs", "TableFormat", "track_input"]

_log = logging.getLogger(__name__)


class TableFormat(StrEnum):
    """Formats of the table; also the endings of its file."""

    CSV = "csv"
    PARQUET = "parquet"
    JSONL = "jsonl"


@dataclass(frozen=True)
class Outputs:
    """What is asked for, and where."""

    folder: Path
    table: TableFormat
    overlay: bool
    timeline: bool

    def make_folder(self) -> None:
        """Make the folder, and see that it can be written before any work.

        Raises:
            OutputError: it cannot be made or written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"{self.folder}: cannot be made a folder for the results ({error.strerror}); "
                "name another with --out"
            ) from error
        if not os.access(self.folder, os.W_OK | os.X_OK):
            raise OutputError(
                f"{self.folder}: no permission to write there; name another folder with --out"
            )

    def overlay_path(self, stem: str, *, is_photo: bool) -> Path:
        """Where the drawn picture or video lies."""
        return self.folder / f"{stem}.overlay.{'png' if is_photo else 'mp4'}"

    def open_sinks(self, source: Source, stem: str, parts: TrackerParts) -> list[Sink]:
        """The sinks of one input.

        Raises:
            OutputError: a file cannot be made; none is then left open.
        """
        markup = parts.pair.markup
        with contextlib.ExitStack() as opened:
            sinks: list[Sink] = [open_table(self.folder / f"{stem}.{self.table}", len(markup))]
            opened.enter_context(sinks[0])
            is_photo = source.kind is SourceKind.PHOTO
            if self.overlay:
                path = self.overlay_path(stem, is_photo=is_photo)
                drawn = (
                    OverlayPhoto(path, markup.parts)
                    if is_photo
                    else OverlayVideo(path, markup.parts, source.rate)
                )
                sinks.append(opened.enter_context(drawn))
            if self.timeline and not is_photo:
                path = self.folder / f"{stem}.timeline.png"
                sinks.append(opened.enter_context(Timeline(path, title=stem)))
            opened.pop_all()
        return sinks


def track_input(
    item: Input,
    parts: TrackerParts,
    outputs: Outputs,
    tally: Tally,
    on_open: Callable[[int | None], None] = lambda total: None,
    on_frame: Callable[[int], None] = lambda done: None,
    more_sinks: Sequence[Sink] = (),
) -> None:
    """Track one input into its files. The summary is written also after an error or Ctrl-C.

    Raises:
        InputError: it cannot be read, or broke off; its whole frames are then in the files.
        OutputError: a file cannot be written.
    """
    with open_source(item.where) as source:
        on_open(source.frames_expected)
        sinks = [*outputs.open_sinks(source, item.stem, parts), *more_sinks]
        try:
            track_source(source, parts, sinks, tally, on_frame)
        finally:
            is_failing = sys.exception() is not None
            try:
                write_summary(outputs.folder / f"{item.stem}.json", _summary(tally, parts))
            except OutputError as error:
                if not is_failing:
                    raise
                _log.warning("%s", error)  # the error on its way out is the one to tell


def _summary(tally: Tally, parts: TrackerParts) -> Summary:
    times = tally.stages
    return Summary(
        frames_decoded=tally.frames_decoded,
        frames_with_face=tally.frames_with_face,
        tracks=len(tally.track_ids),
        seconds=tally.seconds,
        fps=tally.fps,
        stage_seconds=(
            StageSeconds("decode", times.decode),
            StageSeconds("detect", times.detect),
            StageSeconds("landmarks", times.landmarks),
            StageSeconds("write", times.write),
        ),
        model=parts.pair.name,
        markup=len(parts.pair.markup),
        version=metadata.version("mien"),
    )
