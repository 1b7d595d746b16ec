"""Videos that come as they go: addresses (``rtsp://``), pipes and standard input."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from mien.errors import InputError
from mien.media.container import frame_rate, has_no_times, open_container, pictures_of, zero_secs
from mien.media.decoding import Tally, decode, say_what_is_missing
from mien.media.foreign import is_heif, is_raw
from mien.media.jpeg import is_a_stream
from mien.media.source import ByteFile, Source, SourceKind
from mien.media.timestamps import Clock
from mien.types import Frame

__all__ = ["STDIN", "StreamSource", "is_address", "is_pipe", "open_address", "open_pipe"]

STDIN: Final = "-"
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_PROTOCOLS: Final = (
    "rtsp,rtsps,rtp,srtp,udp,tcp,tls,http,https,httpproxy,crypto,hls,rtmp,rtmps,rtmpt,rtmpe,srt,"
    "mmsh,mmst,ftp,data"
)
"""No ``file``: what comes from a network names no files of this machine."""
_HEAD = 256
_STEP = 1 << 20
_PICTURE_HEADS: Final = (
    *(b"\xff\xd8\xff", b"\x89PNG", b"BM", b"GIF8", b"\0\0\x01\0"),
    *(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    *(b"P1", b"P2", b"P3", b"P4", b"P5", b"P6", b"\0\0\0\x0cjP", b"\xff\x4f\xff\x51"),
)


def is_address(where: str | Path) -> bool:
    """Whether this names a stream: ``rtsp://``, ``http://``, ``udp://`` and their like."""
    return bool(_ADDRESS.match(str(where)))


def name_of_address(address: str) -> str:
    """What its outputs are named after: the last part of its path, as a file's stem."""
    last = address.split("?")[0].rstrip("/").rsplit("/", 1)[-1]
    return re.sub(r"[^\w.-]+", "_", Path(last).stem).strip("_.") or "stream"


def is_pipe(where: str | Path) -> bool:
    """Whether this is ``-``, standard input, or a pipe with a name."""
    if str(where) == STDIN:
        return not Path(STDIN).exists()
    try:
        return stat.S_ISFIFO(os.stat(where).st_mode)
    except (OSError, ValueError):
        return False


class StreamSource:
    """Frames as they arrive, once. Nothing is sought in it, and it tells no length."""

    frames_expected: Final = None

    def __init__(self, where: Any, name: str, container: Any, *, threads: int, rate: float | None):
        """``container``: opened already."""
        self.name = name
        self.closing = contextlib.ExitStack()
        """What is closed with the source."""
        self._where, self._container, self._threads = where, container, threads
        stream = pictures_of(container, where)
        raw = has_no_times(container)
        self.rate = rate if rate and raw else frame_rate(container, stream)
        self._zero_secs = None if raw else zero_secs(container)
        still = container.format.name.endswith("_pipe")
        self.kind: Final = SourceKind.PHOTO if still else SourceKind.VIDEO
        self._running: Generator[Frame] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._running is not None:
            self._running.close()
        self.closing.close()

    def __iter__(self) -> Iterator[Frame]:
        if self._running is not None:
            raise InputError(f"{self._where}: a stream can be read only once")
        self._running = self._frames()
        return self._running

    def _frames(self) -> Generator[Frame]:
        clock, tally = Clock(1 / self.rate, self._zero_secs), Tally()
        time_secs = 0.0
        decoding = decode(
            self._container,
            self._where,
            threads=self._threads,
            skip=0,
            cut_off=False,
            tally=tally,
        )
        for index, (image_rgb, stamp_secs) in enumerate(decoding):
            time_secs = clock.time_secs(stamp_secs)
            yield Frame(image_rgb, index, time_secs)
        say_what_is_missing(
            self._where,
            tally,
            time_secs,
            expected=None,
            cut_off=False,
            again="a stream cannot be read again",
        )


def open_address(address: str, *, threads: int, rate: float | None) -> StreamSource:
    """The stream at an address, through FFmpeg; 20 s without a byte are its end.

    Raises:
        InputError: nobody answers, or what comes is no video.
    """
    container = open_container(address, address, protocols=_PROTOCOLS)
    name = name_of_address(address)
    with contextlib.ExitStack() as closing:
        closing.enter_context(container)
        source = StreamSource(address, name, container, threads=threads, rate=rate)
        source.closing = closing.pop_all()
    return source


def open_pipe(
    where: str | Path, opened: Callable[[Path], Source], *, threads: int, rate: float | None
) -> Source:
    """What comes through a pipe: a video as it goes; a picture, and an MP4 that has the index of
    its frames at the end, when it is whole.

    ``opened``: opens a file; what must be whole is laid into a temporary one, which ends with the
    source.

    Raises:
        InputError: nothing comes, or no photo or video.
    """
    named = "standard input" if str(where) == STDIN else str(where)
    name = "stdin" if str(where) == STDIN else Path(where).stem
    with contextlib.ExitStack() as closing:
        file = _opened(where)
        if str(where) != STDIN:
            closing.enter_context(file)
        head = _read(file, _HEAD)
        if not head:
            raise InputError(f"{named}: nothing came through the pipe; send a photo or video")
        form = None
        if _starts_a_picture(head):
            head = _picture(file, head)
            if not is_a_stream(head):
                return _Spooled(_Pipe(file, head), name, opened)
            form = "mjpeg"
        elif head[4:8] == b"ftyp":
            head, index_first = _up_to_index(file, head)
            if not index_first:
                return _Spooled(_Pipe(file, head), name, opened)
        container = open_container(_Pipe(file, head), named, protocols="pipe,file", form=form)
        closing.enter_context(container)
        source = StreamSource(named, name, container, threads=threads, rate=rate)
        source.closing = closing.pop_all()
    return source


def _opened(where: str | Path) -> ByteFile:
    if str(where) == STDIN:
        if sys.stdin is None or sys.stdin.isatty():
            raise InputError(
                "standard input: expected a photo or video through a pipe, got a terminal; "
                "send one, as in 'cat clip.mkv | mien track - --out out/'"
            )
        return sys.stdin.buffer
    try:
        return Path(where).open("rb")
    except OSError as error:
        raise InputError(f"{where}: cannot be read ({error.strerror})") from error


def _starts_a_picture(head: bytes) -> bool:
    webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    avif = head[4:12] in (b"ftypavif", b"ftypavis")
    return head.startswith(_PICTURE_HEADS) or webp or avif or is_heif(head) or is_raw(head)


def _picture(file: ByteFile, head: bytes) -> bytes:
    """All that comes, or so much of a motion JPEG that its second picture is known."""
    data = bytearray(head)
    step = _STEP
    while piece := _read(file, step):
        data += piece
        if data.startswith(b"\xff\xd8") and is_a_stream(bytes(data)):
            break
        step *= 2
    return bytes(data)


def _up_to_index(file: ByteFile, head: bytes) -> tuple[bytes, bool]:
    """Enough of an MP4 to know whether its index comes before its frames, and whether it does."""
    data, at = head, 0
    while True:
        if len(data) < at + 16:
            data += _read(file, at + 16 - len(data))
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if kind == b"moov":
            return data, True
        if kind == b"mdat" or not 8 <= size < _STEP:
            return data, False
        at += size


def _read(file: ByteFile, size: int) -> bytes:
    """So many bytes, fewer only at the end."""
    pieces: list[bytes] = []
    while size > 0 and (piece := file.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


class _Pipe:
    """A file that is only read, beginning with what was read of it already."""

    def __init__(self, file: ByteFile, head: bytes) -> None:
        self._file, self._head = file, head

    def read(self, size: int) -> bytes:
        """At most so many bytes, none at the end."""
        if self._head:
            piece, self._head = self._head[:size], self._head[size:]
            return piece
        return self._file.read(size)


class _Spooled:
    """What came through a pipe, in a temporary file of its own."""

    def __init__(self, pipe: _Pipe, name: str, opened: Callable[[Path], Source]) -> None:
        self.name = name
        self._file = tempfile.NamedTemporaryFile(prefix="mien-")  # noqa: SIM115
        while piece := pipe.read(_STEP):
            self._file.write(piece)
        self._file.flush()
        try:
            self._source = opened(Path(self._file.name))
        except InputError as error:
            self._file.close()
            raise InputError(str(error).replace(self._file.name, name)) from error
        self.kind, self.rate = self._source.kind, self._source.rate
        self.frames_expected = self._source.frames_expected

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
        self._file.close()

    def __iter__(self) -> Iterator[Frame]:
        return iter(self._source)
