"""Decoding in a thread, so that the network never waits for a frame."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from mien.media.camera import CameraSource
from mien.media.source import Source, SourceKind
from mien.types import Frame

__all__ = ["ReadAhead"]

_FRAMES_AHEAD = 4


class ReadAhead:
    """Iterates a source in a thread, a few frames ahead. Its error is raised in its place.

    A camera does not wait: of its frames the newest is kept, and its ``frames_dropped`` counts
    those that nobody was ready for. The numbers of the frames leave their places free.
    """

    def __init__(self, source: Source, spent: Callable[[float], None] = lambda secs: None) -> None:
        self._source = source
        self._spent = spent
        # A camera's frames must not queue up: they would be old when they are tracked.
        depth = 1 if source.kind is SourceKind.CAMERA else _FRAMES_AHEAD
        self._frames: queue.Queue[Frame | BaseException | None] = queue.Queue(depth)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, name="mien-decode", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        while self._thread.is_alive():
            with contextlib.suppress(queue.Empty):
                self._frames.get(timeout=0.02)

    def __iter__(self) -> Iterator[Frame]:
        while True:
            frame = self._frames.get()
            if frame is None:
                return
            if isinstance(frame, BaseException):
                raise frame
            yield frame

    def _read(self) -> None:
        try:
            start_secs = time.perf_counter()
            for frame in self._source:
                self._spent(time.perf_counter() - start_secs)
                self._hand_over(frame)
                if self._stop.is_set():
                    return
                start_secs = time.perf_counter()
        except BaseException as error:
            self._frames.put(error)
        else:
            self._frames.put(None)

    def _hand_over(self, frame: Frame) -> None:
        if not isinstance(self._source, CameraSource):
            self._frames.put(frame)
            return
        try:
            self._frames.put_nowait(frame)
        except queue.Full:
            with contextlib.suppress(queue.Empty):
                self._frames.get_nowait()
                self._source.frames_dropped += 1
            self._frames.put(frame)  # nobody else puts
