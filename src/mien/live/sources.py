"""What can be looked at live: a webcam, a network stream, or a file played as a camera."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from mien.media import Source, SourceKind, open_source
from mien.media.camera import CameraSource
from mien.media.source import camera_number
from mien.media.stream import is_address
from mien.types import Frame

__all__ = ["FilePlayed", "Fitted", "open_live"]


def open_live(
    where: str, *, size: tuple[int, int] | None, rate: float | None, again: bool = False
) -> Source:
    """A webcam ("0"), an address, or a file at its own pace.

    Args:
        size: width and height: asked of a webcam; other pictures are shrunk to fit in it.
        rate: frames a second: asked of a webcam; a file is played at it, each frame once.
        again: a file begins again at its end.

    Raises:
        InputError: it cannot be opened.
    """
    number = camera_number(where)
    if number is not None:
        return CameraSource(number, size=size, rate=rate)
    source = open_source(where)
    if source.kind is SourceKind.CAMERA or is_address(where):
        return Fitted(source, size)
    return FilePlayed(source, rate, again, size)


class Fitted:
    """A source whose pictures are shrunk to fit into a size."""

    def __init__(self, source: Source, size: tuple[int, int] | None) -> None:
        self._source, self._size = source, size

    @property
    def name(self) -> str:
        return self._source.name

    @property
    def kind(self) -> SourceKind:
        return SourceKind.CAMERA

    @property
    def frames_expected(self) -> int | None:
        return None

    @property
    def rate(self) -> float:
        return self._source.rate

    def __enter__(self) -> Self:
        self._source.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._source.__exit__(kind, error, trace)

    def __iter__(self) -> Iterator[Frame]:
        return (self._shrunk(frame) for frame in self._source)

    def _shrunk(self, frame: Frame) -> Frame:
        if self._size is None:
            return frame
        height, width = frame.image_rgb.shape[:2]
        scale = min(self._size[0] / width, self._size[1] / height)
        if scale >= 1:
            return frame
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        image = cv2.resize(frame.image_rgb, size, interpolation=cv2.INTER_AREA)
        return replace(frame, image_rgb=np.asarray(image, np.uint8))


class FilePlayed(Fitted):
    """A file as a camera would give it: each frame at its time, whether anybody is ready or not."""

    def __init__(
        self, source: Source, rate: float | None, again: bool, size: tuple[int, int] | None
    ) -> None:
        super().__init__(source, size)
        self._asked, self._again = rate, again

    @property
    def rate(self) -> float:
        return self._asked or self._source.rate

    def __iter__(self) -> Iterator[Frame]:
        start_secs: float | None = None
        offset_secs, index = 0.0, 0
        while True:
            last_secs = offset_secs
            for frame in self._source:
                # The clock starts when the first frame is decoded, as a camera's does.
                start_secs = time.monotonic() if start_secs is None else start_secs
                due_secs = offset_secs + frame.time_secs
                if self._asked is not None:
                    due_secs = index / self._asked
                time.sleep(max(0.0, start_secs + due_secs - time.monotonic()))
                yield self._shrunk(Frame(frame.image_rgb, index, due_secs))
                last_secs, index = due_secs, index + 1
            if not self._again or index == 0:
                return
            offset_secs = last_secs + 1 / self.rate
