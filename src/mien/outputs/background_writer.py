"""Drawing, encoding and writing in a thread, so that the network never waits for them."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from mien.outputs.sink import Sink
from mien.types import Face, Frame

__all__ = ["WriteBehind"]

_FRAMES_BEHIND = 16
"""Bound on frames in memory: 16 of 1920x1080 are 100 MB."""
_LOOK_EVERY_SECS = 0.5
"""A Ctrl-C within `put` may lose the call that wakes the writer: it looks by itself too."""


class WriteBehind:
    """Hands frames to the sinks in a thread. The first error of a sink is raised to the producer,
    and no later frame is written."""

    def __init__(
        self,
        sinks: Sequence[Sink],
        written: Callable[[Sequence[Face]], None],
        spent: Callable[[float], None],
    ) -> None:
        self._sinks = sinks
        self._written = written
        self._spent = spent
        self._queue: queue.Queue[tuple[Frame, list[Face]] | None] = queue.Queue(_FRAMES_BEHIND)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._write, name="mien-write", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._queue.put(None)
        self._thread.join()
        if kind is None and self._error is not None:
            raise self._error

    def put(self, frame: Frame, faces: list[Face]) -> None:
        """Queue a frame; waits while the sinks are too far behind."""
        if self._error is not None:
            raise self._error
        self._queue.put((frame, faces))

    def drain(self) -> None:
        """Wait until every frame that was put is written; raises as ``put``."""
        self._queue.join()
        if self._error is not None:
            raise self._error

    def _write(self) -> None:
        while (item := self._next()) is not None:
            self._write_frame(*item)
            self._queue.task_done()

    def _next(self) -> tuple[Frame, list[Face]] | None:
        while True:
            with contextlib.suppress(queue.Empty):
                return self._queue.get(timeout=_LOOK_EVERY_SECS)

    def _write_frame(self, frame: Frame, faces: list[Face]) -> None:
        if self._error is not None:
            return
        start_secs = time.perf_counter()
        try:
            for sink in self._sinks:
                sink.write(frame, faces)
            self._written(faces)
        except BaseException as error:
            self._error = error
        self._spent(time.perf_counter() - start_secs)
