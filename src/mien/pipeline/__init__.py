"""Track this video: reader, tracker and sinks joined.

The frames are decoded ahead and written behind in a thread each, so that neither decoding nor
drawing nor encoding waits for the network. There is no second tracking loop anywhere.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from mien.errors import InputError
from mien.expression import DetailReader, Details
from mien.media import ReadAhead, Source, SourceKind, as_picture, list_inputs, open_source
from mien.outputs import Sink, WriteBehind
from mien.pipeline.hold import Hold
from mien.pipeline.tally import StageTimes, Tally, TimedFinder, TimedPredictor
from mien.runtime import (
    DEFAULT_MODEL,
    LandmarkerPair,
    load_landmarkers,
    open_detector,
)
from mien.tracking import OfflineSettings, Tracker, TrackerSettings
from mien.types import Face, FaceFinder, Frame

__all__ = [
    "ALL_FACES",
    "Checkpoint",
    "StageTimes",
    "Tally",
    "TrackerParts",
    "find_faces",
    "load_tracker",
    "make_tracker",
    "track",
    "track_source",
]

ALL_FACES = 10_000
"""More than a photo holds."""


class Checkpoint(Protocol):
    """Where a long source can go on after a break; the sinks are its owner's to restore."""

    def restore(self, tracker: Tracker, tally: Tally) -> int:
        """Bring both to where they stood; returns how many frames are done, 0 for none."""
        ...

    def is_due(self) -> bool:
        """Whether to save now."""
        ...

    def save(self, tracker: Tracker, tally: Tally, frames_done: int) -> None:
        """Every frame before ``frames_done`` is tracked and written.

        Raises:
            OutputError: it cannot be saved.
        """
        ...


@dataclass(frozen=True)
class TrackerParts:
    """What a tracker is made of: opened once, good for any number of videos."""

    pair: LandmarkerPair
    detector: FaceFinder
    settings: TrackerSettings = field(default_factory=TrackerSettings)

    def for_source(self, source: Source, *, all_faces_of_photos: bool) -> TrackerParts:
        """The same, but if the source is a photo for faces at any roll, and maybe for all."""
        if source.kind is not SourceKind.PHOTO:
            return self
        settings = self.settings.for_photo()
        if all_faces_of_photos:
            settings = dataclasses.replace(settings, max_faces=ALL_FACES)
        return dataclasses.replace(self, settings=settings)

    def tracker(self, tally: Tally | None = None) -> Tracker:
        """A new tracker; the time its parts take, and what the detector saw, go to ``tally``."""
        tally = tally or Tally()
        return Tracker(
            TimedFinder(self.detector, tally),
            TimedPredictor(self.pair.first, tally.stages),
            TimedPredictor(self.pair.following, tally.stages),
            self.settings,
        )


def load_tracker(
    model: str = DEFAULT_MODEL,
    *,
    points: int = 68,
    detector: str = "centerface",
    settings: TrackerSettings | None = None,
    threads: int | None = None,
) -> Tracker:
    """A tracker with the model of that name or path, ready for a first frame.

    Args:
        points: the markup: 68, which every model has, or 84.
        detector: see :func:`mien.runtime.open_detector`.
        threads: threads for the networks; ``None`` means all cores.

    Raises:
        ModelError, ConfigError, InputError: as the parts say.
    """
    pair = load_landmarkers(model, points=points, threads=threads)
    return make_tracker(pair, open_detector(detector, threads), settings)


def make_tracker(
    pair: LandmarkerPair, detector: FaceFinder, settings: TrackerSettings | None = None
) -> Tracker:
    """Join opened networks and a detector."""
    return TrackerParts(pair, detector, settings or TrackerSettings()).tracker()


def track(
    where: str | Path,
    tracker: Tracker | None = None,
    *,
    blendshapes: bool = False,
    metric: bool = False,
    focal_px: float | None = None,
    fov_deg: float | None = None,
    offline: bool = False,
    careful: bool = False,
) -> Iterator[tuple[Frame, list[Face]]]:
    """Each frame of a video, a photo, a webcam ("0") or a whole folder with its faces.

    ::

        for frame, faces in mien.track("clip.mp4"):
            print(frame.time_secs, [face.pose.yaw_deg for face in faces])

    ``frame.source`` says which file of a folder it is; each file begins anew, as if alone.

    Args:
        tracker: whose parts and settings to use; its own video goes on.
        blendshapes: fill ``face.expression``, by ARKit's names.
        metric: fill ``face.head_matrix``: the head in cm in the camera's frame.
        focal_px: the camera's focal length, px; ``fov_deg``: or its diagonal field of view. Either
            asks for ``metric`` too; without both, 63 degrees are assumed.
        offline: smooth a file's points by what comes before and after them, so that they lag
            nothing; frames come half a second late.
        careful: look at each face six times in each frame and average, for six times the time.

    Raises:
        InputError: it cannot be read, or broke off: then after its last whole frame. A bad file of
            a folder is told after the others.
        ConfigError: a camera that cannot be.
    """
    metric = metric or focal_px is not None or fov_deg is not None
    details = Details(blendshapes, metric, focal_px, fov_deg)
    inputs = list_inputs(where) if Path(where).is_dir() else None
    shared = tracker or load_tracker()
    if offline:
        shared = shared.fresh(dataclasses.replace(shared.settings, smoothing=OfflineSettings()))
    if careful:
        shared = shared.fresh(dataclasses.replace(shared.settings, careful=True))
    if inputs is None:
        yield from _track_file(where, shared, details)
        return
    bad: list[str] = []
    for item in inputs:
        try:
            yield from _track_file(item.where, shared, details)
        except InputError as error:
            bad.append(str(error))
    if bad:
        more = f" (and {len(bad) - 1} more files)" if len(bad) > 1 else ""
        raise InputError(f"{bad[0]}{more}")


def _track_file(
    where: str | Path, tracker: Tracker, details: Details
) -> Iterator[tuple[Frame, list[Face]]]:
    reader = DetailReader(details)
    with open_source(where) as source, ReadAhead(source) as frames:
        is_photo = source.kind is SourceKind.PHOTO
        tracker = tracker.for_photo() if is_photo else tracker.fresh()
        for frame, faces in _tracked(frames, tracker, Hold(source, tracker), Tally(), 0):
            named = dataclasses.replace(frame, source=str(where))
            yield named, reader.update(named, faces)


def find_faces(
    image: object, tracker: Tracker | None = None, *, careful: bool = False
) -> list[Face]:
    """The faces of one photo, which has nothing to do with the one before.

    Any number of threads may call it, with one tracker or with many.

    Args:
        image: an RGB array (height, width, 3), a grey or RGBA one, each uint8; one of Pillow's; or
            a path.
        tracker: one whose parts and settings to use; its own video goes on. If not given, the
            default model with room for every face, opened at the first call and kept.
        careful: look at each face six times, mirrored too, and average: confidence falls where the
            looks differ, and it takes four times as long.

    Raises:
        InputError: not a picture, or an empty one.
    """
    picture = as_picture(image)
    if tracker is None:
        tracker = _default_parts().tracker()
    settings = dataclasses.replace(tracker.settings, careful=careful or tracker.settings.careful)
    return tracker.fresh(settings.for_photo()).update(Frame(picture, 0, 0.0))


@functools.cache
def _default_parts() -> TrackerParts:
    pair = load_landmarkers(DEFAULT_MODEL, points=68)
    return TrackerParts(pair, open_detector("centerface"), TrackerSettings(max_faces=ALL_FACES))


def track_source(
    source: Source,
    parts: TrackerParts,
    sinks: Sequence[Sink],
    tally: Tally,
    on_frame: Callable[[int], None] = lambda done: None,
    details: Details | None = None,
    checkpoint: Checkpoint | None = None,
) -> None:
    """Track an open source into ``sinks``, which are closed whatever happens.

    It begins at the source's start, or with a checkpoint after the frames that are done already.
    Two-sided smoothing (``OfflineSettings``) cannot go on after a break, and saves no checkpoint.

    ``details`` are filled in before the sinks see a face.

    Raises:
        InputError: the source broke off; all its whole frames were tracked and written before. Or
            smoothing is two-sided, and the source is a camera.
        OutputError: a sink could not write.
    """
    tracker, reader = parts.tracker(tally), DetailReader(details or Details())
    hold = Hold(source, tracker)
    frames_done = checkpoint.restore(tracker, tally) if checkpoint is not None else 0
    start_secs = time.perf_counter() - tally.seconds
    with contextlib.ExitStack() as closing:
        closing.callback(lambda: _stop_clock(tally, start_secs))
        for sink in sinks:
            closing.enter_context(sink)
        writer = closing.enter_context(WriteBehind(sinks, tally.count, tally.stages.add_write))
        frames = closing.enter_context(ReadAhead(source, tally.stages.add_decode))
        for ready, faces in _tracked(frames, tracker, hold, tally, frames_done):
            writer.put(ready, reader.update(ready, faces))
            on_frame(tally.frames_decoded)
            if checkpoint is not None and hold.is_empty and checkpoint.is_due():
                writer.drain()
                tally.seconds = time.perf_counter() - start_secs
                checkpoint.save(tracker, tally, ready.index + 1)


def _tracked(
    frames: Iterable[Frame], tracker: Tracker, hold: Hold, tally: Tally, frames_done: int
) -> Iterator[tuple[Frame, Sequence[Face]]]:
    """The faces of each frame from ``frames_done`` on; of all whole ones also if it broke off."""
    try:
        for frame in frames:
            if tally.size is None:
                tally.size = (frame.image_rgb.shape[1], frame.image_rgb.shape[0])
            if frame.index >= frames_done:
                yield from hold.push(frame, tracker.update(frame))
    except InputError:
        yield from hold.drain()
        raise
    yield from hold.drain()


def _stop_clock(tally: Tally, start_secs: float) -> None:
    tally.seconds = time.perf_counter() - start_secs
