"""JPEG below Pillow: several pictures in a row, and a picture whose end mark is missing."""

from __future__ import annotations

import re

__all__ = ["END_MARK", "MOTION_JPEG_SUFFIXES", "is_a_stream", "with_end_mark"]

MOTION_JPEG_SUFFIXES = (".mjpeg", ".mjpg", ".mjpe")

END_MARK = b"\xff\xd9"
_START = b"\xff\xd8\xff"
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
"""In compressed data: all but stuffing and restarts."""
_FRAME_HEADERS = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_FILLER = bytes((37 * number + 11) % 255 for number in range(4096))


def is_a_stream(data: bytes) -> bool:
    """Whether the bytes are a motion JPEG: pictures of one size, one right behind the other.

    A phone's photo with a second one behind it, for depth or brightness, is none: that one has
    another size, or the photo tells of it in an MPF block (CIPA DC-007).
    """
    first = _picture(data, 0)
    if first is None or b"MPF\0" in data[: min(first[0], 1 << 17)]:
        return False
    end, size = first
    while data[end : end + 1] in (b"\0", b"\xff", b"\r", b"\n") and data[end : end + 3] != _START:
        end += 1
    if data[end : end + 3] != _START:
        return False
    second = _picture(data, end)
    # The second one of a cut stream has no end.
    return second is None or second[1] == size


def _picture(data: bytes, start: int) -> tuple[int, bytes] | None:
    """Where the picture ends, and its height and width as stored (ITU T.81, B.1 and B.2)."""
    at, size = start + 2, b""
    while marker := _MARKER.search(data, at):
        at, kind = marker.end(), data[marker.end() - 1]
        if kind == 0xD9:
            return at, size
        if kind == 0xD8:
            return None
        if kind in _FRAME_HEADERS:
            size = data[at + 3 : at + 7]
        at += int.from_bytes(data[at : at + 2], "big")
    return None


def with_end_mark(data: bytes) -> tuple[bytes, bytes]:
    """The file with its end mark, twice: with nothing before the mark, and with other data.

    They decode to the same pixels exactly if no pixel was missing: what comes behind the last one
    is not read.
    """
    whole = data.rstrip(b"\xff\0")
    return whole + END_MARK, whole + _FILLER + END_MARK
