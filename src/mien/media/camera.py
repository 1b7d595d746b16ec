"""Webcams, through OpenCV."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, Protocol, Self, runtime_checkable

import cv2

from mien.errors import InputError
from mien.media.source import SourceKind, check_size
from mien.types import Frame

__all__ = ["CameraSource"]

_BACKEND: Final = cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY
"""Where Linux has no camera, OpenCV would ask FFmpeg too, which says so on stderr."""
_USUAL_RATE = 30.0
"""Frames a second for a camera whose driver names none."""


class CameraSource:
    """A webcam. Its frames never end by themselves; times are those of arrival.

    ``frames_dropped`` counts frames that came while nobody was ready (:class:`ReadAhead`).
    """

    kind: Final = SourceKind.CAMERA
    frames_expected: Final = None

    def __init__(
        self, number: int, *, size: tuple[int, int] | None = None, rate: float | None = None
    ) -> None:
        """Open camera ``number``, counted from 0; it gives the nearest size and rate it has.

        Raises:
            InputError: there is none, or another program holds it.
        """
        self.name = f"camera{number}"
        self.frames_dropped = 0
        self._capture = _open_quietly(number)
        if not self._capture.isOpened():
            self._capture.release()
            raise InputError(
                f"camera {number}: cannot be opened; connect it, close other programs that use "
                "it, or name another number"
            )
        if size is not None:
            self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
            self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
        if rate is not None:
            self._capture.set(cv2.CAP_PROP_FPS, rate)
        told = self._capture.get(cv2.CAP_PROP_FPS)
        self.rate = told if 1 <= told <= 1000 else _USUAL_RATE

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._capture.release()

    def __iter__(self) -> Iterator[Frame]:
        start_secs: float | None = None
        index = 0
        while True:
            ready, image_bgr = self._capture.read()
            now_secs = time.monotonic()
            if not ready:
                raise InputError(f"{self.name}: it stopped after {index} frames; connect it again")
            if start_secs is None:
                start_secs = now_secs
                check_size(self.name, image_bgr.shape[1], image_bgr.shape[0])
            image_rgb = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB)
            yield Frame(image_rgb, index, now_secs - start_secs)
            index += 1


@runtime_checkable
class _Capture(Protocol):
    """What is used of ``cv2.VideoCapture``."""

    def isOpened(self) -> bool: ...  # noqa: N802
    def get(self, which: int, /) -> float: ...
    def set(self, which: int, value: float, /) -> bool: ...
    def read(self) -> tuple[bool, Any]: ...
    def release(self) -> None: ...


def _open_quietly(number: int) -> _Capture:
    """Open without OpenCV's own lines on stderr: a missing camera is told once, by our error."""
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        return cv2.VideoCapture(number, _BACKEND)
    finally:
        cv2.utils.logging.setLogLevel(level)
