"""What every reading of a container through PyAV has in common: opening, choosing, measuring."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import av
import av.container
import av.error
import av.format
from av.video.reformatter import VideoReformatter

from mien.errors import InputError

__all__ = [
    "Shape",
    "frame_rate",
    "has_no_times",
    "numbers_as_stored",
    "open_container",
    "pictures_of",
    "zero_secs",
]

_METADATA_OPTIONS: Final[dict[str, Any]] = (
    {} if int(av.__version__.split(".")[0]) >= 19 else {"metadata_errors": "ignore"}
)
"""A title in an old encoding costs nothing: from PyAV 19 on by itself, before if it is told so."""
_USUAL_RATE = 25.0
"""Frames a second for a file that names no rate and stamps no frame."""
_HIGHEST_RATE = 1000.0
"""Frames a second; what claims more has named the unit of its clock."""
_NO_TIMES = 0x0080
"""AVFMT_NOTIMESTAMPS: raw H.264, HEVC, MJPEG and their like."""
_STRANGEST_PIXEL = 5.0
"""Pixels further from square than this are damage, not film."""
_NETWORK_TIMEOUT_SECS = 20.0


def open_container(
    where: Any, named: str | Path, *, protocols: str, form: str | None = None, cut_off: bool = False
) -> Any:
    """Open for reading.

    Args:
        where: an address with its protocol, or an open binary file.
        named: what errors call it.
        protocols: those that the input, or a playlist in it, may use.
        form: the demuxer, where the bytes alone do not tell.
        cut_off: whether the container shows that its end is missing.

    Raises:
        InputError: it is no video that can be read.
    """
    try:
        return av.open(
            where,
            format=form,
            options={"protocol_whitelist": protocols},
            timeout=None if "file" in protocols else _NETWORK_TIMEOUT_SECS,
            **_METADATA_OPTIONS,
        )
    except (av.error.FFmpegError, OSError, ValueError) as error:
        if cut_off:
            raise InputError(
                f"{named}: the video is cut off before the index of its frames, so none can be "
                "read; copy or download it again"
            ) from error
        if isinstance(where, str) and not where.startswith("file:"):
            raise InputError(
                f"{named}: cannot be read ({_reason(error)}); check the address and the network"
            ) from error
        raise InputError(
            f"{named}: not a photo or video that can be read; convert it to MP4 or JPEG"
        ) from error


def pictures_of(container: Any, named: str | Path) -> Any:
    """The stream of moving pictures: no cover of a song.

    Raises:
        InputError: there is none, or none that can be decoded.
    """
    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & av.stream.Disposition.attached_pic
    ]
    if not streams:
        raise InputError(f"{named}: the file holds no video, only sound or data")
    best = container.streams.best("video")
    stream = best if best in streams else streams[0]
    if stream.codec_context is None:
        raise InputError(f"{named}: its video codec is not supported; convert it to MP4 (H.264)")
    return stream


def has_no_times(container: Any) -> bool:
    """Whether the format stamps no frame: then the rate alone says when each is shown."""
    return bool(int(container.format.flags) & _NO_TIMES)


def frame_rate(container: Any, stream: Any) -> float:
    """Frames a second as the stream's own header says where the container has no times."""
    named = [stream.average_rate, stream.guessed_rate]
    if has_no_times(container):
        named = [stream.codec_context.framerate, *reversed(named)]
    rates = [float(rate) for rate in named if rate]
    return next((rate for rate in rates if 0 < rate <= _HIGHEST_RATE), _USUAL_RATE)


def numbers_as_stored(container: Any) -> bool:
    """Whether the format says when a packet is stored and not when its picture is shown."""
    return str(container.format.name) == "avi"


def zero_secs(container: Any) -> float | None:
    """The file's zero on its own clock: where the first of its sound and pictures starts.

    Sound that starts before 0 is the run-in of its codec and is never heard.
    """
    starts = [
        float(stream.start_time * stream.time_base)
        for stream in container.streams
        if stream.type in ("video", "audio")
        and stream.start_time is not None
        and not stream.disposition & av.stream.Disposition.attached_pic
    ]
    return max(0.0, min(starts)) if starts else None


class Shape:
    """Decoded pictures as 8-bit RGB with square pixels.

    The longer of a pixel's sides is filled up with new ones, so that no detail is lost: 360x480
    pixels of 4:3 become 480x480.
    """

    def __init__(self, container: Any, stream: Any) -> None:
        ratio = float(stream.sample_aspect_ratio or 1)
        # A GIF's ratio is shown by nobody.
        strange = not 1 / _STRANGEST_PIXEL <= ratio <= _STRANGEST_PIXEL
        self._ratio = 1.0 if strange or container.format.name == "gif" else ratio
        self._reformatter = VideoReformatter()

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of such a picture as it is shown, before any rotation mark."""
        if self._ratio >= 1:
            return round(width * self._ratio), height
        return width, round(height / self._ratio)

    def rgb(self, picture: Any) -> Any:
        """An array of height x width x 3."""
        width, height = self.size(picture.width, picture.height)
        rgb = self._reformatter.reformat(
            picture,
            format="rgb24",
            width=width,
            height=height,
            interpolation="BICUBIC" if (width, height) != (picture.width, picture.height) else None,
            threads=1,
        )
        return rgb.to_ndarray()


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or " ".join(str(error).split())
