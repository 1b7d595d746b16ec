"""Videos: every whole frame once, upright, at the time the file tells."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import av
import av.container
import av.error
import numpy as np
from av.video.reformatter import VideoReformatter
from jaxtyping import UInt8

from mien.errors import InputError
from mien.media.display_matrix import UPRIGHT, DisplayMark
from mien.media.source import SourceKind, check_size, require_file
from mien.media.timestamps import Clock
from mien.media.truncation import is_cut_off
from mien.types import Frame

__all__ = ["VideoSource"]

_log = logging.getLogger(__name__)

_METADATA_OPTIONS: Final[dict[str, Any]] = (
    {} if int(av.__version__.split(".")[0]) >= 19 else {"metadata_errors": "ignore"}
)
"""A title in an old encoding costs nothing: from PyAV 19 on by itself, before if it is told so."""

_USUAL_RATE = 25.0
"""Frames a second for a file that names no rate and stamps no frame."""


@dataclass
class _Tally:
    """What became of the packets of one pass over the file."""

    packets: int = 0
    frames: int = 0
    refused: int = 0
    stopped: str = ""
    """Why the file could not be read on, if it could not."""


class VideoSource:
    """A video file, or a moving GIF. Sound, subtitles and cover pictures are left alone.

    Frames come with the rotation mark applied and in the pixels the file stores: a pixel aspect
    ratio is not stretched away. Memory does not grow with the length.
    """

    kind: Final = SourceKind.VIDEO

    def __init__(self, path: Path, *, threads: int = 0) -> None:
        """Look at the file's head; frames are decoded when iterated.

        ``threads``: decoder threads, 0 for as many as the machine has cores.

        Raises:
            InputError: missing, empty, unreadable, not a video, without pictures, or too small.
        """
        require_file(path)
        self.name = path.stem
        self._path = path
        self._threads = threads
        self._cut_off = is_cut_off(path)
        self._running: Generator[Frame] | None = None
        with self._open() as container:
            stream = self._pictures_of(container)
            width, height = stream.codec_context.width, stream.codec_context.height
            if width and height:  # some formats tell only with the first frame
                check_size(path, width, height)
            self.rate = float(stream.average_rate or stream.guessed_rate or _USUAL_RATE)
            self._frames_declared = self._declared(container, stream)
            self.frames_expected = self._frames_declared or self._estimate(container, stream)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def __iter__(self) -> Iterator[Frame]:
        self._stop()
        self._running = self._frames()
        return self._running

    def _stop(self) -> None:
        if self._running is not None:
            self._running.close()
            self._running = None

    def _frames(self) -> Generator[Frame]:
        clock = Clock(1 / self.rate)
        index = 0
        time_secs = 0.0
        tally = _Tally()
        for image_rgb, stamp_secs in self._decode(self._threads, 0, tally):
            time_secs = clock.time_secs(stamp_secs)
            yield Frame(image_rgb, index, time_secs)
            index += 1
        if tally.frames < tally.packets:
            # Decoding in threads, an error hides the whole frames that were on their way beside
            # it. One thread reports each error at its own packet: read on with that.
            _log.debug("%s: decoding again from frame %d in one thread", self._path, index)
            tally = _Tally()
            for image_rgb, stamp_secs in self._decode(1, index, tally):
                time_secs = clock.time_secs(stamp_secs)
                yield Frame(image_rgb, index, time_secs)
                index += 1
        self._say_what_is_missing(tally, time_secs)

    def _decode(
        self, threads: int, skip: int, tally: _Tally
    ) -> Generator[tuple[UInt8[np.ndarray, "height width 3"], float | None]]:
        """Pictures from number ``skip`` on, each with its own stamp in seconds."""
        reformatter = VideoReformatter()
        with self._open() as container:
            stream = self._pictures_of(container)
            stream.thread_type = "AUTO"
            stream.codec_context.thread_count = threads
            mark: DisplayMark | None = None
            for packet in self._whole_packets(container, stream, tally):
                for picture in _decode_packet(stream, packet, tally):
                    tally.frames += 1
                    if tally.frames <= skip:
                        continue
                    if mark is None:
                        mark = _display_mark(picture)
                    rgb = reformatter.reformat(picture, format="rgb24", threads=1)
                    image_rgb = mark.apply(rgb.to_ndarray())
                    if tally.frames == 1:
                        check_size(self._path, picture.width, picture.height)
                    stamp = picture.pts if picture.pts is not None else picture.dts
                    yield image_rgb, None if stamp is None else float(stamp * stream.time_base)

    def _whole_packets(self, container: Any, stream: Any, tally: _Tally) -> Generator[Any]:
        """The stream's packets, then ``None`` to flush the decoder.

        A packet marked corrupt is held back until another follows it: the last one is where the
        file was cut, and would decode to a picture that is part grey.
        """
        held = None
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except (av.error.FFmpegError, OSError) as error:
                tally.stopped = str(error)
                break
            if packet is None:
                break
            if not packet.size:  # PyAV's own flush packet, or a frame a recorder dropped
                continue
            if held is not None:
                tally.packets += not held.is_discard
                yield held
                held = None
            if packet.is_corrupt or (self._cut_off and container.format.name == "gif"):
                held = packet
                continue
            tally.packets += not packet.is_discard
            yield packet
        yield None

    def _open(self) -> Any:
        try:
            # A playlist disguised as a video must not reach the network.
            return av.open(
                f"file:{self._path}",
                options={"protocol_whitelist": "file"},
                **_METADATA_OPTIONS,
            )
        except (av.error.FFmpegError, OSError, ValueError) as error:
            if self._cut_off:
                raise InputError(
                    f"{self._path}: the video is cut off before the index of its frames, so none "
                    "can be read; copy or download it again"
                ) from error
            raise InputError(
                f"{self._path}: not a photo or video that can be read; convert it to MP4 or JPEG"
            ) from error

    def _pictures_of(self, container: Any) -> Any:
        """The stream of moving pictures."""
        streams = [
            stream
            for stream in container.streams.video
            if not stream.disposition & av.stream.Disposition.attached_pic
        ]
        if not streams:
            raise InputError(f"{self._path}: the file holds no video, only sound or data")
        best = container.streams.best("video")
        stream = best if best in streams else streams[0]
        if stream.codec_context is None:
            raise InputError(
                f"{self._path}: its video codec is not supported; convert it to MP4 (H.264)"
            )
        return stream

    def _declared(self, container: Any, stream: Any) -> int:
        """The frames the file says it holds, 0 if it does not say."""
        if container.format.name == "gif":
            return 0 if self._cut_off else int(stream.frames)  # counted from what is left
        return int(stream.frames)

    def _estimate(self, container: Any, stream: Any) -> int | None:
        if stream.duration and stream.time_base:
            return max(1, round(float(stream.duration * stream.time_base) * self.rate))
        if container.duration:
            return max(1, round(float(container.duration) / av.time_base * self.rate))
        return None

    def _say_what_is_missing(self, tally: _Tally, last_secs: float) -> None:
        expected = self.frames_expected
        of_all = f" of {expected}" if expected and expected > tally.frames else ""
        read = f"{tally.frames}{of_all} frames were read (up to {last_secs:.2f} s)"
        declared = self._frames_declared
        cut_off = self._cut_off and (not declared or tally.packets < declared)
        if cut_off or tally.stopped:
            raise InputError(
                f"{self._path}: the video is cut off: {read}; copy or download it again for the "
                "rest"
            )
        if tally.frames == 0:
            raise InputError(f"{self._path}: no frame can be decoded; convert it to MP4 (H.264)")
        if tally.refused:
            raise InputError(
                f"{self._path}: {tally.refused} damaged frames were left out: {read}; copy or "
                "download it again for the rest"
            )


def _decode_packet(stream: Any, packet: Any, tally: _Tally) -> list[Any]:
    try:
        pictures: list[Any] = stream.codec_context.decode(packet)
    except (av.error.FFmpegError, ValueError) as error:
        _log.debug("a packet cannot be decoded: %s", error)
        # A broadcast joined between two key frames begins with packets nobody can decode.
        if tally.frames or stream.frames:
            tally.refused += 1
        return []
    return pictures


def _display_mark(picture: Any) -> DisplayMark:
    matrix = picture.side_data.get("DISPLAYMATRIX")
    return UPRIGHT if matrix is None else DisplayMark.from_bytes(bytes(matrix))
