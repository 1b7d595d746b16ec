"""The newest frame of a source; those that nobody was ready for are dropped and counted."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import NamedTuple, Self

from mien.media import Source
from mien.types import Frame

__all__ = ["Arrival", "Newest"]


class Arrival(NamedTuple):
    """A frame, and when it came, in seconds of ``time.monotonic``."""

    frame: Frame
    at_secs: float


class Newest:
    """Reads a source in a thread and keeps one frame: the newest."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._changed = threading.Condition()
        self._arrival: Arrival | None = None
        self._error: BaseException | None = None
        self._ended = self._stopping = False
        self.arrived = self.dropped = 0
        self._thread = threading.Thread(target=self._read, name="mien-newest", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping = True
        self._thread.join()

    def take(self, wait_secs: float) -> Arrival | None:
        """The newest frame that was not taken yet; ``None`` if none came in time.

        Raises:
            InputError: the source broke off; its last frame was taken before.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._arrival or self._ended, wait_secs)
            arrival, self._arrival = self._arrival, None
            if arrival is None and self._error is not None:
                raise self._error
            return arrival

    @property
    def ended(self) -> bool:
        """Whether the source is over and its last frame was taken."""
        with self._changed:
            return self._ended and self._arrival is None and self._error is None

    def _read(self) -> None:
        try:
            for frame in self._source:
                with self._changed:
                    self.arrived += 1
                    self.dropped += self._arrival is not None
                    self._arrival = Arrival(frame, time.monotonic())
                    self._changed.notify()
                if self._stopping:
                    break
        except BaseException as error:
            self._error = error
        with self._changed:
            self._ended = True
            self._changed.notify()
