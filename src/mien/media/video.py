"""Videos: every whole frame once, upright, at the time the file tells."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import av

from mien.errors import InputError
from mien.media.container import (
    Shape,
    frame_rate,
    has_no_times,
    open_container,
    pictures_of,
    zero_secs,
)
from mien.media.decoding import Tally, decode, say_what_is_missing
from mien.media.jpeg import MOTION_JPEG_SUFFIXES
from mien.media.source import SourceKind, check_size, require_file
from mien.media.timestamps import Clock
from mien.media.truncation import is_cut_off
from mien.types import Frame

__all__ = ["VideoSource"]

_log = logging.getLogger(__name__)


class VideoSource:
    """A video file, or a moving GIF. Sound, subtitles and cover pictures are left alone.

    Frames come as they are shown: with the rotation mark applied, and resampled to square pixels
    where the file's are not. Time 0 is the file's own: pictures that start later than the sound
    keep their distance to it. Memory does not grow with the length.
    """

    def __init__(
        self, path: Path, *, threads: int = 0, rate: float | None = None, form: str | None = None
    ) -> None:
        """Look at the file's head; frames are decoded when iterated.

        Args:
            threads: decoder threads, 0 for as many as the machine has cores.
            rate: frames a second of a raw stream, in place of what its header says.
            form: the demuxer, where the bytes alone do not tell.

        Raises:
            InputError: missing, empty, unreadable, not a video, without pictures, or too small.
        """
        require_file(path)
        self.name = path.stem
        self._path, self._threads, self._form = path, threads, form
        self._cut_off = is_cut_off(path)
        self._running: Generator[Frame] | None = None
        with self._open() as container:
            stream = pictures_of(container, path)
            if container.format.name == "mjpeg" and form is None:
                _refuse_a_find(path)
            width, height = stream.codec_context.width, stream.codec_context.height
            if width and height:  # some formats tell only with the first frame
                check_size(path, *Shape(container, stream).size(width, height))
            raw = has_no_times(container)
            self.rate = rate if rate and raw else frame_rate(container, stream)
            self._zero_secs = None if raw else zero_secs(container)
            self._frames_declared = self._declared(container, stream)
            estimate = None if raw else self._estimate(container, stream)
            self.frames_expected = self._frames_declared or estimate
            self.kind: Final = _kind(container)

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
        clock = Clock(1 / self.rate, self._zero_secs)
        index = 0
        time_secs = 0.0
        tally = Tally()
        for image_rgb, stamp_secs in self._decode(self._threads, 0, tally):
            time_secs = clock.time_secs(stamp_secs)
            yield Frame(image_rgb, index, time_secs)
            index += 1
        if tally.frames < tally.packets:
            # Decoding in threads, an error hides the whole frames that were on their way beside
            # it. One thread reports each error at its own packet: read on with that.
            _log.debug("%s: decoding again from frame %d in one thread", self._path, index)
            tally = Tally()
            for image_rgb, stamp_secs in self._decode(1, index, tally):
                time_secs = clock.time_secs(stamp_secs)
                yield Frame(image_rgb, index, time_secs)
                index += 1
        declared = self._frames_declared
        say_what_is_missing(
            self._path,
            tally,
            time_secs,
            expected=self.frames_expected,
            cut_off=self._cut_off and (not declared or tally.packets < declared),
        )

    def _decode(self, threads: int, skip: int, tally: Tally) -> Generator[Any]:
        with self._open() as container:
            yield from decode(
                container,
                self._path,
                threads=threads,
                skip=skip,
                cut_off=self._cut_off,
                tally=tally,
            )

    def _open(self) -> Any:
        # A playlist disguised as a video must not reach the network.
        where, form = f"file:{self._path}", self._form
        return open_container(where, self._path, protocols="file", form=form, cut_off=self._cut_off)

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


def _refuse_a_find(path: Path) -> None:
    """FFmpeg looks for pictures anywhere in what it does not know: the preview in a document, an
    archive or a raw photo would pass for a video.

    Raises:
        InputError: unless the name says that it is motion JPEG, cut at its start.
    """
    if path.suffix.lower() not in MOTION_JPEG_SUFFIXES:
        raise InputError(
            f"{path}: not a photo or video that can be read, though there are JPEG pictures in it; "
            "save those you mean as files of their own"
        )


def _kind(container: Any) -> SourceKind:
    """One picture in a format that Pillow does not read is a photo all the same."""
    still = container.format.name.endswith("_pipe") or container.format.name == "image2"
    return SourceKind.PHOTO if still else SourceKind.VIDEO
