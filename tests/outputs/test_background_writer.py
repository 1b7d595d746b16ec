"""Frames are written behind the producer's back, and none is forgotten."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from mien.outputs.background_writer import WriteBehind
from mien.outputs.sink import Sink
from mien.types import Face, Frame
from patience import until


class Kept(Sink):
    """A sink that keeps the numbers of its frames."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def write(self, frame: Frame, faces: Sequence[Face]) -> None:
        self.numbers.append(frame.index)

    def close(self) -> None:
        """Nothing is open."""


def test_a_writer_that_nobody_woke_finds_its_frame() -> None:
    """As after a Ctrl-C in the middle of `put`: the frame lies there, and nobody was told."""
    kept = Kept()
    writer = WriteBehind([kept], lambda faces: None, lambda secs: None)
    with writer:
        time.sleep(0.1)  # it waits by now
        frame = Frame(np.zeros((2, 2, 3), np.uint8), 7, 0.0)
        with writer._queue.mutex:
            writer._queue.queue.append((frame, []))
            writer._queue.unfinished_tasks += 1
        until(lambda: bool(kept.numbers))
    assert kept.numbers == [7]
