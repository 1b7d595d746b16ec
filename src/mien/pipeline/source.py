"""Track an open source into its sinks: the one loop over frames, and where it can go on.

The frames are decoded ahead and written behind in a thread each, so that neither decoding nor
drawing nor encoding waits for the network.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from mien.errors import InputError
from mien.expression import DetailReader, Details
from mien.media import ReadAhead, Source
from mien.outputs import Sink, WriteBehind
from mien.pipeline.hold import Hold
from mien.pipeline.parts import TrackerParts
from mien.pipeline.tally import Tally
from mien.tracking import Tracker
from mien.types import Face, Frame

__all__ = ["Checkpoint", "track_source", "tracked"]


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
        for ready, faces in tracked(frames, tracker, hold, tally, frames_done):
            writer.put(ready, reader.update(ready, faces))
            on_frame(tally.frames_decoded)
            if checkpoint is not None and hold.is_empty and checkpoint.is_due():
                writer.drain()
                tally.seconds = time.perf_counter() - start_secs
                checkpoint.save(tracker, tally, ready.index + 1)


def tracked(
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
