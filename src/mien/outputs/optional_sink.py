"""A sink whose failure costs nobody else anything."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

from mien.errors import OutputError
from mien.outputs.sink import Sink
from mien.types import Face, Frame

__all__ = ["OptionalSink"]


class OptionalSink(Sink):
    """Holds a picture for the eye beside the table, which must not be lost with it.

    The first error ends the picture, is kept in ``failure`` and is raised to nobody.
    """

    def __init__(self, name: str, open_sink: Callable[[], Sink]) -> None:
        """``name`` is what a user calls it: "overlay"."""
        self.name = name
        self.failure: str | None = None
        self._sink: Sink | None = None
        with self._failure_kept():
            self._sink = open_sink()

    def write(self, frame: Frame, faces: Sequence[Face]) -> None:
        if self._sink is not None:
            with self._failure_kept():
                self._sink.write(frame, faces)

    def close(self) -> None:
        sink, self._sink = self._sink, None
        if sink is not None:
            with self._failure_kept():
                sink.close()

    @contextlib.contextmanager
    def _failure_kept(self) -> Iterator[None]:
        try:
            yield
        except (OutputError, MemoryError) as error:
            self.failure = self.failure or str(error) or "out of memory"
            sink, self._sink = self._sink, None
            if sink is not None:
                with contextlib.suppress(OutputError, MemoryError):
                    sink.close()
