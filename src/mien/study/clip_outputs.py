"""The files that tracking one input leaves: ``STEM.csv``, ``STEM.overlay.mp4``, ``STEM.json``."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import mien
from mien.avatar import details_for, existing_files, notes_of, open_format
from mien.errors import OutputError
from mien.expression import Details
from mien.media import Input, Source, SourceKind, open_source
from mien.outputs import (
    NO_DETAILS,
    OptionalSink,
    OverlayPhoto,
    OverlayVideo,
    Sink,
    StageSeconds,
    Summary,
    Timeline,
    refuse_foreign,
    write_summary,
)
from mien.pipeline import Checkpoint, Tally, TrackerParts, track_source
from mien.study.notes import notes_on

__all__ = ["Outcome", "Outputs", "track_input"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outputs:
    """What is asked for, and where."""

    folder: Path
    table: str
    """Format and ending of the tables: one of ``TABLE_FORMATS``."""
    overlay: bool
    timeline: bool
    overwrite: bool = False
    """Replace files that mien did not write."""
    details: Details = NO_DETAILS
    """What the table has besides points and pose."""
    streams: bool = False
    """Whether faces are also sent away, which needs all details."""

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

    def refuse_foreign(self, stems: Iterable[str]) -> None:
        """See before any work that nobody else's file would be replaced.

        Raises:
            OutputError: one would be.
        """
        if not self.overwrite:
            refuse_foreign(path for stem in stems for path in self.paths(stem))

    @property
    def read(self) -> Details:
        """What is read of faces: what was asked for, and what the format holds anyway."""
        asked = details_for(self.table, self.details)
        if self.streams:
            asked = dataclasses.replace(asked, blendshapes=True, metric=True)
        return asked

    def are_there(self, stem: str) -> bool:
        """Whether an earlier run has left the table and the summary of this input."""
        made = [self.folder / f"{stem}.json", *existing_files(self.table, self.folder, stem)]
        return all(path.is_file() for path in made)

    def paths(self, stem: str) -> list[Path]:
        """Every file that the input of this stem may leave."""
        endings = [".json"]
        endings += [".overlay.mp4", ".overlay.png"] if self.overlay else []
        endings += [".timeline.png"] if self.timeline else []
        table = existing_files(self.table, self.folder, stem)
        return table + [self.folder / f"{stem}{ending}" for ending in endings]

    def overlay_path(self, stem: str, *, is_photo: bool) -> Path:
        """Where the drawn picture or video lies."""
        return self.folder / f"{stem}.overlay.{'png' if is_photo else 'mp4'}"

    def open_sinks(self, source: Source, item: Input, parts: TrackerParts) -> list[Sink]:
        """The sinks of one input, the table first.

        Raises:
            OutputError: the table cannot be made.
        """
        stem, markup = item.stem, parts.pair.markup
        is_photo = source.kind is SourceKind.PHOTO
        table = open_format(
            self.table,
            self.folder,
            stem,
            points=len(markup),
            rate=source.rate,
            details=self.details,
        )
        sinks: list[Sink] = [table]
        if self.overlay:
            path = self.overlay_path(stem, is_photo=is_photo)
            file = Path(item.where)
            sound_of = file if source.kind is SourceKind.VIDEO and file.is_file() else None

            def open_overlay() -> Sink:
                if is_photo:
                    return OverlayPhoto(path, markup.parts)
                return OverlayVideo(path, markup.parts, source.rate, sound_of=sound_of)

            sinks.append(OptionalSink("overlay", open_overlay))
        if self.timeline and not is_photo:
            path_of_timeline = self.folder / f"{stem}.timeline.png"
            sinks.append(
                OptionalSink("timeline", lambda: Timeline(path_of_timeline, title=Path(stem).name))
            )
        return sinks


@dataclass
class Outcome:
    """What came of one input; it grows while the input is tracked, and holds after an error."""

    tally: Tally = dataclasses.field(default_factory=Tally)
    notes: list[str] = dataclasses.field(default_factory=list)
    """What a reader of the table must know, for a person."""
    failures: list[str] = dataclasses.field(default_factory=list)
    """Pictures that were asked for and could not be made."""
    kind: SourceKind | None = None
    frame_rate: float | None = None
    """Of the source; ``None`` until it is open."""


def track_input(
    item: Input,
    parts: TrackerParts,
    outputs: Outputs | None,
    outcome: Outcome,
    on_open: Callable[[int | None], None] = lambda total: None,
    on_frame: Callable[[int], None] = lambda done: None,
    more_sinks: Sequence[Sink] = (),
    *,
    all_faces_of_photos: bool = False,
    rate: float | None = None,
    details: Details = NO_DETAILS,
    checkpoint: Checkpoint | None = None,
    decode_threads: int = 0,
) -> None:
    """Track one input into its files. The summary is written also after an error or Ctrl-C.

    Args:
        outputs: ``None`` where only ``more_sinks`` are asked for.
        details: what is read of each face besides; with ``outputs`` theirs counts.
        decode_threads: 0 for one a core.

    Raises:
        InputError: it cannot be read, or broke off; its whole frames are then in the files.
        OutputError: the table or the summary cannot be written.
    """
    tally = outcome.tally
    details = outputs.read if outputs is not None else details
    with open_source(item.where, rate=rate, threads=decode_threads) as source:
        parts = parts.for_source(source, all_faces_of_photos=all_faces_of_photos)
        outcome.kind, outcome.frame_rate = source.kind, source.rate
        on_open(source.frames_expected)
        own = outputs.open_sinks(source, item, parts) if outputs is not None else []
        sinks = [*own, *more_sinks]
        try:
            track_source(source, parts, sinks, tally, on_frame, details, checkpoint)
        finally:
            error = sys.exception()
            outcome.failures += [
                f"no {sink.name}: {sink.failure}"
                for sink in sinks
                if isinstance(sink, OptionalSink) and sink.failure
            ]
            outcome.notes += notes_on(tally, parts, source, details)
            if outputs is not None:
                if tally.frames_with_face:
                    outcome.notes += notes_of(outputs.table, outputs.details)
                summary = _summary(outcome, parts, details, error)
                with contextlib.ExitStack() as told:
                    if error is not None:  # the error on its way out is the one to tell
                        told.enter_context(_logged())
                    write_summary(outputs.folder / f"{item.stem}.json", summary)


@contextlib.contextmanager
def _logged() -> Iterator[None]:
    try:
        yield
    except OutputError as unwritten:
        _log.warning("%s", unwritten)


def _why(error: BaseException | None) -> str | None:
    if error is None:
        return None
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    return " ".join(str(error).split()) or type(error).__name__


def _camera_of(details: Details, size: tuple[int, int] | None) -> dict[str, float | bool] | None:
    if not details.metric or size is None:
        return None
    camera = details.camera(*size)
    return {
        "focal_px": round(camera.focal_px, 2),
        "fov_diagonal_deg": round(camera.diagonal_deg(*size), 2),
        "assumed": details.assumes_camera,
    }


def _summary(
    outcome: Outcome, parts: TrackerParts, details: Details, error: BaseException | None
) -> Summary:
    tally = outcome.tally
    times, (width, height) = tally.stages, tally.size or (None, None)
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
        version=mien.__version__,
        complete=error is None,
        incomplete_because=_why(error),
        notes=(*outcome.notes, *outcome.failures),
        width=width,
        height=height,
        camera=_camera_of(details, tally.size),
        absent_blendshapes=details.absent() or None,
    )
