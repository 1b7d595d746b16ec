"""Recording what is seen: table (with blendshapes) and drawn video, from key to key."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Sequence
from pathlib import Path

from mien.expression import Details
from mien.markup import Markup
from mien.outputs import OverlayVideo, WriteBehind, open_table
from mien.types import Face, Frame

__all__ = ["Recorder"]


class Recorder:
    """Starts and stops; each recording has a name of its own, and no file is ever replaced."""

    def __init__(self, folder: Path, name: str, markup: Markup, rate: float) -> None:
        self._folder, self._name, self._markup, self._rate = folder, name, markup, rate
        self._closing: contextlib.ExitStack | None = None
        self._writer: WriteBehind | None = None
        self._first_secs = self._last_secs = 0.0
        self._count = 0
        self.tables: list[Path] = []
        """Of all recordings, the one that goes on too."""

    @property
    def seconds(self) -> float | None:
        """Length of the recording that goes on; ``None`` if none does."""
        return None if self._writer is None else self._last_secs - self._first_secs

    def start(self) -> None:
        """Begin a recording.

        Raises:
            OutputError: its files cannot be made.
        """
        table, video = self._free_names()
        sinks = [
            open_table(table, len(self._markup), Details(blendshapes=True)),
            OverlayVideo(video, self._markup.parts, self._rate),
        ]
        self._closing = contextlib.ExitStack()
        for sink in sinks:
            self._closing.enter_context(sink)
        self._writer = self._closing.enter_context(
            WriteBehind(sinks, lambda faces: None, lambda secs: None)
        )
        self._count, self._first_secs, self._last_secs = 0, 0.0, 0.0
        self.tables.append(table)

    def write(self, frame: Frame, faces: Sequence[Face]) -> None:
        """Add a frame, if a recording goes on; it counts frames and seconds from its own start."""
        if self._writer is None:
            return
        if not self._count:
            self._first_secs = frame.time_secs
        self._last_secs = frame.time_secs
        own = Frame(frame.image_rgb, self._count, frame.time_secs - self._first_secs)
        self._writer.put(own, list(faces))
        self._count += 1

    def stop(self) -> None:
        """End the recording that goes on; its files are then whole.

        Raises:
            OutputError: a file could not be written.
        """
        closing, self._closing, self._writer = self._closing, None, None
        if closing is not None:
            closing.close()

    def _free_names(self) -> tuple[Path, Path]:
        stamp = time.strftime("%Y%m%d-%H%M%S")
        for more in itertools.count(1):
            stem = f"{self._name}-{stamp}" + (f"-{more}" if more > 1 else "")
            names = self._folder / f"{stem}.csv", self._folder / f"{stem}.overlay.mp4"
            if not any(name.exists() for name in names):
                return names
        raise AssertionError("counting never ends")
