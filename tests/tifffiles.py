"""TIFF files of every sample layout, written from the specification (TIFF 6.0) with no library."""

from __future__ import annotations

import struct
import zlib

import numpy as np

LETTERS = {3: "H", 4: "I", 16: "Q"}


def tiff(
    values: np.ndarray,
    photometric: int,
    *,
    planar: int = 1,
    end: str = "<",
    rows: int = 16,
    deflate: bool = False,
    big: bool = False,
    pages: int = 1,
    tags: dict[int, tuple[int, list[int]]] | None = None,
) -> bytes:
    """``values``: height x width x samples, of the type to be stored. ``big``: a BigTIFF.
    ``pages``: how often the picture stands in it."""
    height, width, samples = values.shape
    stored = values.astype(values.dtype.newbyteorder(end))
    planes = [stored[..., k] for k in range(samples)] if planar == 2 else [stored]
    strips = [
        plane[top : top + rows].tobytes() for plane in planes for top in range(0, height, rows)
    ]
    if deflate:
        strips = [zlib.compress(strip) for strip in strips]
    order = b"II" if end == "<" else b"MM"
    out = bytearray(struct.pack(end + "2sHI", order, 42, 0))
    if big:
        out = bytearray(struct.pack(end + "2sHHHQ", order, 43, 8, 0, 0))
    places = []
    for strip in strips:
        places.append(len(out))
        out += strip
    kind = {"f": 3, "i": 2}.get(values.dtype.kind, 1)
    long = 16 if big else 4
    every = {
        256: (4, [width]),
        257: (4, [height]),
        258: (3, [values.dtype.itemsize * 8] * samples),
        259: (3, [8 if deflate else 1]),
        262: (3, [photometric]),
        273: (long, places),
        277: (3, [samples]),
        278: (4, [rows]),
        279: (long, [len(strip) for strip in strips]),
        284: (3, [planar]),
        339: (3, [kind] * samples),
        **(tags or {}),
    }
    if samples == {0: 2, 1: 2, 2: 4}.get(photometric):
        every[338] = (3, [2])
    word = 8 if big else 4
    named_at = word
    for _ in range(pages):
        add_directory(out, end, every, named_at, big=big)
        named_at = len(out) - word
    return bytes(out)


def add_directory(
    out: bytearray,
    end: str,
    tags: dict[int, tuple[int, list[int]]],
    named_at: int = 4,
    *,
    big: bool = False,
) -> int:
    """Append one and let the header, or what is at ``named_at``, name it; gives its place."""
    word, count = ("Q", "Q") if big else ("I", "H")
    inline = struct.calcsize(end + word)
    entries = b""
    for tag, (kind, numbers) in sorted(tags.items()):
        raw = struct.pack(f"{end}{len(numbers)}{LETTERS[kind]}", *numbers)
        if len(raw) > inline:
            place = len(out)
            out += raw
            raw = struct.pack(end + word, place)
        entries += struct.pack(end + "HH" + word, tag, kind, len(numbers)) + raw.ljust(
            inline, b"\0"
        )
    at = len(out)
    out[named_at : named_at + inline] = struct.pack(end + word, at)
    out += struct.pack(end + count, len(tags)) + entries + bytes(inline)
    return at
