"""Is a video file as long as its own container says?

Demuxers stop at the end of a file without a word, so a download that broke off looks like a short
video. The containers themselves know better: an outermost chunk that reaches past the end of the
file was cut.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

__all__ = ["is_cut_off"]

_MP4_BOXES = (
    *(b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp", b"pnot", b"moof", b"mfra"),
    *(b"sidx", b"ssix", b"uuid", b"meta", b"udta", b"emsg", b"prft", b"pdin"),
)
_EBML_MAGIC = b"\x1a\x45\xdf\xa3"
_EBML_ELEMENTS = (_EBML_MAGIC, b"\x18\x53\x80\x67", b"\xec")
"""The top level of Matroska: header, segment, void."""


def is_cut_off(path: Path) -> bool:
    """True if the container shows that bytes are missing at the end.

    False also where a container cannot know (MPEG-TS, FLV, live Matroska).
    """
    with path.open("rb") as file:
        head = file.read(12)
        length = file.seek(0, os.SEEK_END)
        file.seek(0)
        if head[4:8] in _MP4_BOXES:
            return _mp4_end(file, length) > length
        if head[:4] in (b"RIFF", b"RIFX"):
            return _riff_end(file, length) > length
        if head[:4] == _EBML_MAGIC:
            return _ebml_end(file, length) > length
        if head[:6] in (b"GIF87a", b"GIF89a"):
            return _gif_end(file, length) > length
    return False


def _mp4_end(file: BinaryIO, length: int) -> int:
    """Where the last top-level box ends (ISO 14496-12, 4.2)."""
    end = 0
    while end < length:
        file.seek(end)
        header = file.read(16)
        size = int.from_bytes(header[:4], "big")
        if size == 1:
            size = int.from_bytes(header[8:16], "big")
        if size == 0:  # "to the end of the file"
            return length
        if size < 8 or header[4:8] not in _MP4_BOXES:
            return end  # a tail that is not MP4 is not ours to judge
        end += size
    return end


def _riff_end(file: BinaryIO, length: int) -> int:
    """Where the last RIFF chunk ends; AVI files of over 1 GB have several."""
    end = 0
    while end < length:
        file.seek(end)
        header = file.read(8)
        size = int.from_bytes(header[4:8], "little")
        if header[:4] not in (b"RIFF", b"RIFX") or size in (0, 0xFFFFFFFF):
            return end  # a tail, or a recording that was never closed
        end += 8 + size
    return end


def _ebml_end(file: BinaryIO, length: int) -> int:
    """Where the last top-level EBML element ends (RFC 8794): header, then Matroska segment."""
    end = 0
    while end < length:
        file.seek(end)
        head = file.read(12)
        id_length = _vint_length(head, 0)
        size_length = _vint_length(head, id_length)
        if head[:id_length] not in _EBML_ELEMENTS or not size_length:
            return end
        bits = 7 * size_length
        raw = head[id_length : id_length + size_length]
        size = int.from_bytes(raw, "big") & ((1 << bits) - 1)
        if size == (1 << bits) - 1:  # unknown: written live
            return length
        end += id_length + size_length + size
    return end


def _vint_length(data: bytes, at: int) -> int:
    """Bytes of the variable-length integer at ``at``, 0 if there is none."""
    return 9 - data[at].bit_length() if at < len(data) and data[at] else 0


def _gif_end(file: BinaryIO, length: int) -> int:
    """Where the last block of a GIF ends (GIF89a, appendix A)."""
    _skip_colour_table(file, file.read(13)[10:11])
    while label := file.read(1):
        if label == b"\x21":
            file.seek(1, os.SEEK_CUR)
        elif label == b"\x2c":
            _skip_colour_table(file, file.read(9)[8:9])
            file.seek(1, os.SEEK_CUR)
        else:  # the trailer, or bytes that are not ours to judge
            return file.tell()
        while (size := file.read(1)) != b"\0":
            if not size:
                return length + 1
            file.seek(size[0], os.SEEK_CUR)
    return file.tell()


def _skip_colour_table(file: BinaryIO, flags: bytes) -> None:
    if flags and flags[0] & 0x80:
        file.seek(3 << ((flags[0] & 7) + 1), os.SEEK_CUR)
