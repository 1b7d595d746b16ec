"""TIFF files of every sample layout, written from the specification (TIFF 6.0) with no library."""

from __future__ import annotations

import struct
import zlib

import numpy as np

LETTERS = {3: "H", 4: "I"}


def tiff(
    values: np.ndarray,
    photometric: int,
    *,
    planar: int = 1,
    end: str = "<",
    rows: int = 16,
    deflate: bool = False,
    tags: dict[int, tuple[int, list[int]]] | None = None,
) -> bytes:
    """``values``: height x width x samples, of the type to be stored."""
    height, width, samples = values.shape
    stored = values.astype(values.dtype.newbyteorder(end))
    planes = [stored[..., k] for k in range(samples)] if planar == 2 else [stored]
    strips = [
        plane[top : top + rows].tobytes() for plane in planes for top in range(0, height, rows)
    ]
    if deflate:
        strips = [zlib.compress(strip) for strip in strips]
    out = bytearray(struct.pack(end + "2sHI", b"II" if end == "<" else b"MM", 42, 0))
    places = []
    for strip in strips:
        places.append(len(out))
        out += strip
    kind = 3 if values.dtype.kind == "f" else 1
    every = {
        256: (4, [width]),
        257: (4, [height]),
        258: (3, [values.dtype.itemsize * 8] * samples),
        259: (3, [8 if deflate else 1]),
        262: (3, [photometric]),
        273: (4, places),
        277: (3, [samples]),
        278: (4, [rows]),
        279: (4, [len(strip) for strip in strips]),
        284: (3, [planar]),
        339: (3, [kind] * samples),
        **(tags or {}),
    }
    if samples == {0: 2, 1: 2, 2: 4}.get(photometric):
        every[338] = (3, [2])
    add_directory(out, end, every)
    return bytes(out)


def add_directory(out: bytearray, end: str, tags: dict[int, tuple[int, list[int]]]) -> int:
    """Append one and let the header name it; gives its place."""
    entries = b""
    for tag, (kind, numbers) in sorted(tags.items()):
        raw = struct.pack(f"{end}{len(numbers)}{LETTERS[kind]}", *numbers)
        if len(raw) > 4:
            place = len(out)
            out += raw
            raw = struct.pack(end + "I", place)
        entries += struct.pack(end + "HHI", tag, kind, len(numbers)) + raw.ljust(4, b"\0")
    at = len(out)
    out[4:8] = struct.pack(end + "I", at)
    out += struct.pack(end + "H", len(tags)) + entries + bytes(4)
    return at
