"""The sound of a video, carried over into its overlay packet by packet."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import av
import av.error

__all__ = ["Sound"]

_log = logging.getLogger(__name__)

_MP4_PLAYS: Final = ("aac", "mp3", "ac3", "eac3", "opus", "alac", "mp2")
"""Codecs that go into an MP4 as they are; other sound becomes AAC."""


class Sound:
    """The best audio stream of a file, written into another container up to a time.

    A file without sound, or with sound nobody can read, gives none and is no error: the pictures
    are what was asked for.
    """

    def __init__(self, path: Path) -> None:
        self._input: Any = None
        self._packets: Iterator[Any] = iter(())
        self._held: Any = None
        try:
            self._input = av.open(f"file:{path}", options={"protocol_whitelist": "file"})
        except (av.error.FFmpegError, OSError, ValueError):
            return
        self._stream = self._input.streams.best("audio")
        if self._stream is None or self._stream.codec_context is None:
            self.close()
            return
        self._zero_secs = (self._input.start_time or 0) / av.time_base
        self._copies = self._stream.codec_context.codec.canonical_name in _MP4_PLAYS

    def join(self, container: Any) -> None:
        """Add a stream for it; before the container's first packet."""
        if self._input is None:
            return
        if self._copies:
            self._output = container.add_stream_from_template(self._stream)
        else:
            heard = self._stream.codec_context
            self._output = container.add_stream("aac", rate=heard.sample_rate, layout=heard.layout)
        self._packets = self._copied() if self._copies else self._encoded()

    def mux_until(self, secs: float, container: Any) -> None:
        """Write what is heard before ``secs``, counted from the file's zero."""
        while True:
            if self._held is None:
                self._held = next(self._packets, None)
            if self._held is None or self._time_secs(self._held) >= secs:
                return
            container.mux(self._held)
            self._held = None

    def close(self) -> None:
        """Let go of the file; closing twice is closing once."""
        if self._input is not None:
            self._input.close()
            self._input = None
        self._packets, self._held = iter(()), None

    def _copied(self) -> Iterator[Any]:
        with self._errors_end_it():
            shift = round(self._zero_secs / self._stream.time_base)
            for packet in self._input.demux(self._stream):
                if packet.dts is None or not packet.size:
                    continue
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                packet.stream = self._output
                yield packet

    def _encoded(self) -> Iterator[Any]:
        with self._errors_end_it():
            for heard in self._input.decode(self._stream):
                if heard.pts is not None:
                    heard.pts -= round(self._zero_secs / heard.time_base)
                yield from self._output.encode(heard)
            yield from self._output.encode(None)

    @contextlib.contextmanager
    def _errors_end_it(self) -> Iterator[None]:
        try:
            yield
        except (av.error.FFmpegError, OSError, ValueError) as error:
            _log.info("the sound ends here: %s", error)

    @staticmethod
    def _time_secs(packet: Any) -> float:
        stamp = packet.pts if packet.pts is not None else packet.dts
        return float(stamp * packet.time_base) if stamp is not None else 0.0
