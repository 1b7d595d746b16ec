"""The newest frame wins: what nobody was ready for is dropped and counted."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from mien.errors import InputError
from mien.live.newest import Newest
from mien.media import SourceKind
from mien.types import Frame
from patience import PATIENCE_SECS, until


class Script:
    """A camera that gives a frame when told, and may break off."""

    name, kind, frames_expected, rate = "script", SourceKind.CAMERA, None, 30.0

    def __init__(self, frames: int, error: Exception | None = None, gated: bool = False) -> None:
        self._frames, self._error, self._gated = frames, error, gated
        self.gate = threading.Semaphore(0)

    def __enter__(self) -> Script:
        return self

    def __exit__(self, *ended: object) -> None:
        pass

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self._frames):
            if self._gated:
                self.gate.acquire()
            yield Frame(np.zeros((20, 20, 3), np.uint8), index, index / 30)
        if self._error is not None:
            raise self._error


def test_a_slow_reader_gets_the_newest_and_the_rest_is_counted() -> None:
    script = Script(9, gated=True)
    with Newest(script) as newest:
        script.gate.release()
        first = newest.take(PATIENCE_SECS)
        assert first is not None
        assert first.frame.index == 0
        for _ in range(5):
            script.gate.release()
        until(lambda: newest.arrived == 6)
        later = newest.take(PATIENCE_SECS)
        assert later is not None
        assert (later.frame.index, newest.dropped) == (5, 4)
        assert later.at_secs >= first.at_secs
        assert newest.take(0.01) is None
        assert not newest.ended
        for _ in range(3):
            script.gate.release()
        until(lambda: newest.arrived == 9)
        last = newest.take(PATIENCE_SECS)
        assert last is not None
        assert last.frame.index == 8
        until(lambda: newest.ended)


def test_a_source_that_breaks_off_gives_its_last_frame_first() -> None:
    with Newest(Script(3, InputError("it broke off"))) as newest:
        until(lambda: newest.arrived == 3)
        time.sleep(0.02)
        last = newest.take(PATIENCE_SECS)
        assert last is not None
        assert last.frame.index == 2
        assert not newest.ended
        with pytest.raises(InputError, match="broke off"):
            newest.take(PATIENCE_SECS)
