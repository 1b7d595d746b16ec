"""Pictures and videos with the faces drawn on them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import cv2
import numpy as np
from av.video.reformatter import Colorspace, VideoReformatter

from mien.errors import OutputError
from mien.files import PendingFile, told_as_output_error, write_atomically
from mien.markup import Part
from mien.outputs.drawing import Colouring, Image, draw_faces
from mien.outputs.sink import Sink
from mien.types import Face, Frame

__all__ = ["OverlayPhoto", "OverlayVideo"]

_TICKS_A_SECOND = 90_000
"""Fine enough for every common frame rate, and for the stamps of a variable one."""


class OverlayPhoto(Sink):
    """The picture as PNG."""

    def __init__(
        self, path: Path, parts: Sequence[Part], colouring: Colouring = Colouring.CONFIDENCE
    ) -> None:
        self._path, self._parts, self._colouring = path, parts, colouring
        PendingFile(path).drop()  # refuses a bad place before any work

    def write(self, frame: Frame, faces: Sequence[Face]) -> None:
        drawn = draw_faces(frame.image_rgb, faces, self._parts, self._colouring)
        _, data = cv2.imencode(".png", cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))
        write_atomically(self._path, data.tobytes())

    def close(self) -> None:
        pass  # written whole by each write


class OverlayVideo(Sink):
    """H.264 in MP4 that plays everywhere, at the frames' own times.

    An odd side is made even by repeating its last line, so that pixels stay where they are. A
    frame of another size than the first is fitted into the first one's.
    """

    def __init__(
        self,
        path: Path,
        parts: Sequence[Part],
        rate: float,
        colouring: Colouring = Colouring.CONFIDENCE,
    ) -> None:
        """``rate``: the source's frames a second, a hint to the encoder.

        Raises:
            OutputError: the file cannot be made.
        """
        self._parts, self._colouring, self._rate = parts, colouring, rate
        self._pending = PendingFile(path)
        self._reformatter = VideoReformatter()
        self._container: Any = None
        self._stream: Any = None
        self._last_tick = -1
        self._closed = False

    def write(self, frame: Frame, faces: Sequence[Face]) -> None:
        drawn = draw_faces(frame.image_rgb, faces, self._parts, self._colouring)
        with self._errors_told():
            if self._container is None:
                self._start(drawn)
            picture = av.VideoFrame.from_ndarray(self._fitted(drawn), format="rgb24")
            picture = self._reformatter.reformat(
                picture, format="yuv420p", dst_colorspace=Colorspace.ITU709, threads=1
            )
            self._last_tick = max(round(frame.time_secs * _TICKS_A_SECOND), self._last_tick + 1)
            picture.pts = self._last_tick
            picture.time_base = Fraction(1, _TICKS_A_SECOND)
            self._container.mux(self._stream.encode(picture))

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._container is None:  # no frame came: an MP4 cannot be empty
            self._pending.drop()
            return
        try:
            with self._errors_told():
                self._container.mux(self._stream.encode(None))
                self._container.close()
        except BaseException:
            with contextlib.suppress(av.error.FFmpegError, OSError):
                self._container.close()
            self._pending.drop()
            raise
        self._pending.publish()

    def _start(self, first: Image) -> None:
        height, width = (side + side % 2 for side in first.shape[:2])
        self._container = av.open(
            str(self._pending.part), "w", format="mp4", options={"movflags": "faststart"}
        )
        rate = Fraction(self._rate).limit_denominator(1001)
        self._stream = self._container.add_stream("libx264", rate=rate)
        self._stream.width, self._stream.height = width, height
        self._stream.pix_fmt = "yuv420p"
        self._stream.options = {"preset": "ultrafast", "crf": "20"}
        context = self._stream.codec_context
        context.time_base = Fraction(1, _TICKS_A_SECOND)
        context.colorspace = context.color_primaries = context.color_trc = 1  # BT.709, as written
        context.color_range = 1

    def _fitted(self, image: Image) -> Image:
        height, width = image.shape[:2]
        right, below = self._stream.width - width, self._stream.height - height
        if not (0 <= right <= 1 and 0 <= below <= 1):
            scale = min(self._stream.width / width, self._stream.height / height)
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            canvas = np.zeros((self._stream.height, self._stream.width, 3), dtype=np.uint8)
            canvas[: size[1], : size[0]] = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            return canvas
        if right or below:
            return np.asarray(
                cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REPLICATE), np.uint8
            )
        return image

    @contextlib.contextmanager
    def _errors_told(self) -> Iterator[None]:
        try:
            with told_as_output_error(self._pending.path):
                yield
        except av.error.FFmpegError as error:
            raise OutputError(
                f"{self._pending.path}: the video cannot be written ({error.strerror})"
            ) from error
