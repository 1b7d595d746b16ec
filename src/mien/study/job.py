"""One file, from its path to its rows: what a run does in turn, a worker for itself."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2

from mien.errors import InputError
from mien.expression import Details
from mien.media import Input
from mien.outputs import NO_DETAILS, Sink
from mien.pipeline import TrackerParts
from mien.study.cells import clip_name
from mien.study.checkpoint import CHECKPOINT_SECS, FileCheckpoint, StaleCheckpointError
from mien.study.clip_outputs import Outcome, Outputs, track_input
from mien.study.notes import report_line
from mien.study.record import FileRecord, FileState, Fingerprint, fingerprint
from mien.study.shard import size_of_part
from mien.study.tables import PointsIn, ShardPaths, StudyTable
from mien.tracking import OfflineSettings, TrackerSettings

__all__ = ["FileJob", "FileResult", "PartsSpec", "ShardSpec", "opencv_threads", "track_file"]


@dataclass(frozen=True)
class PartsSpec:
    """What to open a tracker from, in this process or another."""

    model: str
    points: int
    detector: str
    settings: TrackerSettings
    threads: int | None
    """For the networks, OpenCV and the decoder; ``None``: all cores."""

    def open(self) -> TrackerParts:
        """Networks, detector and settings.

        Raises:
            ModelError, ConfigError, InputError: as the parts say.
        """
        return TrackerParts.open(
            self.model,
            points=self.points,
            detector=self.detector,
            settings=self.settings,
            threads=self.threads,
        )


@dataclass(frozen=True)
class ShardSpec:
    """Where the rows of a study gather until they are joined."""

    folder: Path
    points: PointsIn
    details: Details = NO_DETAILS
    """Columns besides points, pose and measures."""
    checkpoint_secs: float = CHECKPOINT_SECS


@dataclass(frozen=True)
class FileJob:
    """What is done with every file of a run; it travels to workers."""

    parts: PartsSpec
    outputs: Outputs | None
    """Files a clip, where they are asked for."""
    shards: ShardSpec | None
    """Rows for one table, where it is asked for."""
    rate: float | None
    all_faces_of_photos: bool
    details: Details = NO_DETAILS
    """What is read of each face besides points and pose."""

    @property
    def can_pause(self) -> bool:
        """Whether a file can go on in its middle: an overlay cannot, nor can blendshapes, which
        learn a person's neutral face on the way, nor two-sided smoothing, which holds frames
        back."""
        holds_back = isinstance(self.parts.settings.smoothing, OfflineSettings)
        return self.outputs is None and not self.details.blendshapes and not holds_back


@dataclass(frozen=True)
class FileResult:
    """What came of one file, as fact and as lines for a person."""

    record: FileRecord
    lines: tuple[str, ...] = ()
    """About what was made."""
    errors: tuple[str, ...] = field(default=())
    """What went wrong, a line each."""


def track_file(
    job: FileJob,
    item: Input,
    parts: TrackerParts,
    known: Fingerprint | None = None,
    on_open: Callable[[int | None], None] = lambda total: None,
    on_frame: Callable[[int], None] = lambda done: None,
    on_broken: Callable[[FileResult], None] = lambda result: None,
    more_sinks: Sequence[Sink] = (),
) -> FileResult:
    """Track one file into its outputs. A file that cannot be read is a result, no error.

    Raises:
        OutputError: a table or summary cannot be written: the next file's could not be either.
    """
    outcome = Outcome()
    record = FileRecord(clip_name(item.stem), item.where)
    error: str | None = None
    table: StudyTable | None = None
    checkpoint: FileCheckpoint | None = None
    is_stale = False
    with contextlib.ExitStack() as closing:
        try:
            record = dataclasses.replace(record, print=fingerprint(item.where, known=known))
            if job.shards is not None:
                table, checkpoint = _open_shards(job, job.shards, item, parts, record.print)
                closing.enter_context(table)
            track_input(
                item,
                parts,
                job.outputs,
                outcome,
                on_open,
                on_frame,
                more_sinks if table is None else (table, *more_sinks),
                all_faces_of_photos=job.all_faces_of_photos,
                rate=job.rate,
                details=job.details,
                checkpoint=checkpoint if job.can_pause else None,
                decode_threads=job.parts.threads or 0,
            )
        except InputError as unread:
            error = " ".join(str(unread).split())
        except StaleCheckpointError:
            is_stale = True
        except BaseException:
            on_broken(_result(record, outcome, "broken off", 0))
            raise
    if checkpoint is not None and is_stale:
        checkpoint.drop()
        print_ = record.print
        return track_file(job, item, parts, print_, on_open, on_frame, on_broken, more_sinks)
    if table is not None and checkpoint is not None:
        checkpoint.drop()  # first: it tells of parts, which have other names from here on
        for shard in table.shards:
            shard.publish()
    return _result(record, outcome, error, table.rows if table is not None else 0)


def _open_shards(
    job: FileJob, shards: ShardSpec, item: Input, parts: TrackerParts, print_: Fingerprint
) -> tuple[StudyTable, FileCheckpoint]:
    clip = clip_name(item.stem)
    paths = ShardPaths.of(shards.folder, clip, shards.points)
    checkpoint = FileCheckpoint(paths.checkpoint, print_, shards.checkpoint_secs)
    kept = checkpoint.kept_bytes if job.can_pause else (0, 0)
    if any(size_of_part(p) < size for p, size in zip(paths.tables, kept, strict=False)):
        checkpoint.forget()
        kept = (0, 0)
    table = StudyTable(clip, parts.pair.markup, paths, shards.points, shards.details, kept)
    checkpoint.follow(table)
    return table, checkpoint


def _result(record: FileRecord, outcome: Outcome, error: str | None, rows: int) -> FileResult:
    tally = outcome.tally
    seen = tally.frames_decoded > 0
    state = FileState.DONE if error is None else FileState.INCOMPLETE
    if error is not None and not seen:
        state = FileState.FAILED
    width, height = tally.size or (None, None)
    record = dataclasses.replace(
        record,
        state=state,
        kind=outcome.kind.value if outcome.kind is not None else None,
        frame_rate=round(outcome.frame_rate, 6) if outcome.frame_rate is not None else None,
        frames=tally.frames_decoded,
        frames_with_face=tally.frames_with_face,
        tracks=len(tally.track_ids),
        rows=rows,
        width=width,
        height=height,
        seconds=round(tally.seconds, 3),
        because=error,
        notes=(*outcome.notes, *outcome.failures),
    )
    lines: list[str] = []
    if seen or error is None:
        lines = [report_line(record.clip, tally, complete=error is None)]
        lines += [f"  {note}" for note in outcome.notes]
    errors = [error] if error is not None else []
    errors += [f"{record.clip}: {failure}" for failure in outcome.failures]
    return FileResult(record, tuple(lines), tuple(errors))


@contextlib.contextmanager
def opencv_threads(number: int | None) -> Iterator[None]:
    """OpenCV's are the process's own: they are given back."""
    before = cv2.getNumThreads()
    if number is not None:
        cv2.setNumThreads(number)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
