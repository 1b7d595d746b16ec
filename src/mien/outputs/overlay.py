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
from jaxtyping import UInt8

from mien.errors import OutputError
from mien.files import PendingFile, told_as_output_error, write_atomically
from mien.markup import Part
from mien.outputs.drawing import Image, draw_faces
from mien.outputs.ownership import MARK, mark_png
from mien.outputs.sink import Sink
from mien.outputs.sound import Sound
from mien.types import Face, Frame

__all__ = ["OverlayPhoto", "OverlayVideo"]

_TICKS_A_SECOND = 90_000
"""Fine enough for every common frame rate, and for the stamps of a variable one."""

_ENCODERS = (
    ("libx264", {"preset": "ultrafast", "crf": "20"}),
    ("libopenh264", {"rc_mode": "quality"}),
    ("mpeg4", {"qscale": "3"}),
)
"""The best that this build of FFmpeg has is taken; wheels of PyAV have the first."""
_LARGEST_SIDE = 8192
"""Px: H.264's highest level ends there, and so do players. Larger pictures are drawn smaller."""


class OverlayPhoto(Sink):
    """The picture as PNG."""

    def __init__(self, path: Path, parts: Sequence[Part]) -> None:
        self._path, self._parts = path, parts
        PendingFile(path).drop()  # refuses a bad place before any work

    def write(self, frame: Frame, faces: Sequence[Face]) -> None:
        drawn = draw_faces(frame.image_rgb, faces, self._parts)
        _, data = cv2.imencode(".png", cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))
        write_atomically(self._path, mark_png(data.tobytes()))

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
        sound_of: Path | None = None,
    ) -> None:
        """``rate``: the source's frames a second, a hint to the encoder. ``sound_of``: a file whose
        sound is carried over.

        Raises:
            OutputError: the file cannot be made.
        """
        self._parts, self._rate = parts, rate
        self._pending = PendingFile(path)
        self._sound = Sound(sound_of) if sound_of is not None else None
        self._reformatter = VideoReformatter()
        self._container: Any = None
        self._stream: Any = None
        self._last_tick = -1
        self._closed = False

    def write(self, frame: Frame, faces: Sequence[Face]) -> None:
        drawn = draw_faces(frame.image_rgb, faces, self._parts)
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
            if self._sound is not None:
                self._sound.mux_until(frame.time_secs + 1 / self._rate, self._container)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            self._finish()
        finally:
            if self._sound is not None:
                self._sound.close()

    def _finish(self) -> None:
        if self._stream is None:  # no frame came: an MP4 cannot be empty
            if self._container is not None:
                self._container.close()
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
        shrink = min(1.0, _LARGEST_SIDE / max(first.shape[:2]))
        height, width = (round(side * shrink) for side in first.shape[:2])
        encoder, options = self._encoder()
        # FFmpeg would read "10:30/clip.mp4" as an address of the protocol "10".
        self._container = av.open(
            f"file:{self._pending.part}", "w", format="mp4", options={"movflags": "faststart"}
        )
        self._container.metadata["comment"] = MARK
        rate = Fraction(self._rate).limit_denominator(1001)
        self._stream = self._container.add_stream(encoder, rate=rate)
        self._stream.width, self._stream.height = width + width % 2, height + height % 2
        self._stream.pix_fmt = "yuv420p"
        self._stream.options = options
        context = self._stream.codec_context
        context.time_base = Fraction(1, _TICKS_A_SECOND)
        context.colorspace = context.color_primaries = context.color_trc = 1  # BT.709, as written
        context.color_range = 1
        if self._sound is not None:
            self._sound.join(self._container)

    def _encoder(self) -> tuple[str, dict[str, str]]:
        for name, options in _ENCODERS:
            if name in av.codecs_available:
                return name, options
        raise OutputError(
            f"{self._pending.path}: this build of FFmpeg has no encoder for MP4 (libx264); "
            "pip install --force-reinstall av, or leave the video out with --no-overlay"
        )

    def _fitted(self, image: Image) -> UInt8[np.ndarray, "rows columns 3"]:
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
        except (av.error.FFmpegError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise OutputError(
                f"{self._pending.path}: the video cannot be written ({reason})"
            ) from error
