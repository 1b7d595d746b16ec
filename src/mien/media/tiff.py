"""TIFF below Pillow: which of its directories hold the picture, and samples of more than 8 bits."""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import UInt8

__all__ = ["Directory", "Layout", "is_tiff", "layout_of", "wide_rgb"]

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_STRIPS, _SAMPLES, _STRIP_BYTES, _PLANAR, _SUBFILES = 273, 277, 279, 284, 330
_TILES, _TILE_BYTES, _EXTRA, _FORMAT = 324, 325, 338, 339
_KIND, _DNG_VERSION, _CFA, _LINEAR_RAW = 254, 50706, 32803, 34892
_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_LETTERS: Final = {1: "B", 3: "H", 4: "I", 13: "I"}
_MOST_DIRECTORIES = 10_000
_MOST_ENTRIES = 4096


@dataclass(frozen=True)
class Directory:
    """One picture of the file (TIFF 6.0, section 2)."""

    tags: dict[int, tuple[int, ...]]

    def one(self, tag: int, default: int) -> int:
        """The tag's first number, or what the specification says where it is missing."""
        return (self.tags.get(tag) or (default,))[0]

    @property
    def pixels(self) -> int:
        width, height = self.size
        return width * height

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as stored."""
        return self.one(_WIDTH, 0), self.one(_HEIGHT, 0)

    @property
    def is_reduced(self) -> bool:
        """A preview of another one, or a mask."""
        return bool(self.one(_KIND, 0) & 0b101)

    @property
    def is_camera_raw(self) -> bool:
        return _DNG_VERSION in self.tags or self.one(_PHOTOMETRIC, 1) in (_CFA, _LINEAR_RAW)

    @property
    def is_wide(self) -> bool:
        """A layout that Pillow reads wrongly or not at all."""
        bits, samples = self.one(_BITS, 1), self.one(_SAMPLES, 1)
        planar = samples > 1 and self.one(_PLANAR, 1) == 2
        inverted = self.one(_PHOTOMETRIC, 1) == 0
        floats = self.one(_FORMAT, 1) == 3
        return (bits > 8 and (planar or inverted or samples == 2 or floats)) or (
            planar and samples == 2
        )


@dataclass(frozen=True)
class Layout:
    """The file's directories: the chain of pages, and what hangs under each."""

    pages: tuple[Directory, ...]
    within: tuple[Directory, ...]

    @property
    def is_camera_raw(self) -> bool:
        """Whether the picture is not among the pages: a sensor's data, or only previews of it."""
        every = self.pages + self.within
        if any(one.is_camera_raw for one in every):
            return True
        largest = max((one.pixels for one in self.pages), default=0)
        return any(one.pixels > largest for one in self.within)

    @property
    def pictures(self) -> tuple[int, ...]:
        """Numbers of the pages that are pictures themselves; the first if none says so."""
        own = tuple(number for number, one in enumerate(self.pages) if not one.is_reduced)
        return own or (0,)


def is_tiff(head: bytes) -> bool:
    return head[:4] in (b"II*\0", b"MM\0*")


def layout_of(data: bytes | mmap.mmap) -> Layout:
    """Read the directories as far as they go; damage ends the list without an error."""
    end = "<" if data[:1] == b"I" else ">"
    pages: list[Directory] = []
    within: list[Directory] = []
    seen: set[int] = set()
    (at,) = struct.unpack_from(end + "I", data, 4) if len(data) >= 8 else (0,)
    while at and at not in seen and len(pages) < _MOST_DIRECTORIES:
        seen.add(at)
        directory, at = _read(data, end, at)
        if directory is None:
            break
        pages.append(directory)
        for offset in directory.tags.get(_SUBFILES, ())[:16]:
            below, _ = _read(data, end, offset)
            if below is not None:
                within.append(below)
    return Layout(tuple(pages), tuple(within))


def _read(data: bytes | mmap.mmap, end: str, at: int) -> tuple[Directory | None, int]:
    try:
        (count,) = struct.unpack_from(end + "H", data, at)
        if count > _MOST_ENTRIES:
            return None, 0
        tags: dict[int, tuple[int, ...]] = {}
        for number in range(count):
            tag, kind, values = struct.unpack_from(end + "HHI", data, at + 2 + 12 * number)
            if kind not in _LETTERS or not 0 < values <= len(data):
                tags.setdefault(tag, ())
                continue
            place = at + 10 + 12 * number
            if values * _SIZES[kind] > 4:
                (place,) = struct.unpack_from(end + "I", data, place)
            tags[tag] = struct.unpack_from(f"{end}{values}{_LETTERS[kind]}", data, place)
        (following,) = struct.unpack_from(end + "I", data, at + 2 + 12 * count)
    except struct.error:
        return None, 0
    return Directory(tags), following


def wide_rgb(data: bytes, page: Directory) -> UInt8[np.ndarray, "height width 3"]:
    """A page whose samples have more than 8 bits, or lie in planes.

    Raises:
        ValueError: it is damaged, or of a kind that nobody reads.
    """
    samples = page.one(_SAMPLES, 1)
    if samples == 1 or page.one(_PLANAR, 1) == 2:
        planes = [_unit(_grey(data, page, plane)) for plane in range(samples)]
        values = np.stack(planes, axis=2)
    elif samples == 2:
        values = _unit(_grey_and_alpha(data, page))
    else:
        decoded = _decode(_with_directory(data, page, {}))
        order = {3: [2, 1, 0], 4: [2, 1, 0, 3]}
        decoded = decoded.reshape(*decoded.shape[:2], -1)
        channels = decoded.shape[2]
        values = _unit(decoded[..., order.get(channels, list(range(channels)))])
    return _colours(values, page.one(_PHOTOMETRIC, 1), _EXTRA in page.tags)


def _colours(values: np.ndarray, photometric: int, extra: bool) -> UInt8[np.ndarray, "h w 3"]:
    """Values of 0 to 1 by what they mean; what is transparent is white."""
    count = values.shape[2]
    if photometric == 5 and count >= 4:
        rgb, alpha = (1 - values[..., :3]) * (1 - values[..., 3:4]), None
    elif count >= 3:
        rgb, alpha = values[..., :3], values[..., 3:4] if extra and count > 3 else None
    else:
        grey = 1 - values[..., :1] if photometric == 0 else values[..., :1]
        rgb, alpha = np.repeat(grey, 3, axis=2), values[..., 1:2] if count == 2 else None
    if alpha is not None:
        rgb = rgb * alpha + (1 - alpha)
    return np.asarray(np.rint(np.clip(rgb, 0, 1) * 255), np.uint8)


def _unit(values: np.ndarray) -> np.ndarray:
    if np.issubdtype(values.dtype, np.floating):
        finite = np.nan_to_num(values, nan=0.0, posinf=1.0, neginf=0.0)
        return np.asarray(finite / (255 if finite.max() > 1 else 1), np.float32)
    return np.asarray(values / np.float32(np.iinfo(values.dtype).max), np.float32)


def _grey(data: bytes, page: Directory, plane: int) -> np.ndarray:
    """One plane, read as if it were a grey picture of its own."""
    samples = page.one(_SAMPLES, 1)
    changed: dict[int, tuple[int, ...]] = {_SAMPLES: (1,), _PHOTOMETRIC: (1,), _PLANAR: (1,)}
    changed[_BITS] = page.tags.get(_BITS, (1,))[:1]
    changed[_FORMAT] = page.tags.get(_FORMAT, (1,))[:1]
    for tag in (_STRIPS, _STRIP_BYTES, _TILES, _TILE_BYTES):
        if tag in page.tags:
            every = page.tags[tag]
            part = len(every) // samples
            changed[tag] = every[plane * part : (plane + 1) * part]
    decoded = _decode(_with_directory(data, page, changed))
    return np.asarray(decoded.reshape(decoded.shape[0], decoded.shape[1], -1)[..., 0])


def _grey_and_alpha(data: bytes, page: Directory) -> np.ndarray:
    """Two samples a pixel, read as a grey picture of twice the width."""
    if _TILES in page.tags or page.one(_PREDICTOR, 1) != 1:
        raise ValueError("grey with alpha in tiles or differences")
    width, height = page.size
    changed: dict[int, tuple[int, ...]] = {_SAMPLES: (1,), _PHOTOMETRIC: (1,)}
    changed |= {_WIDTH: (2 * width,), _BITS: page.tags[_BITS][:1]}
    changed[_FORMAT] = page.tags.get(_FORMAT, (1,))[:1]
    return _decode(_with_directory(data, page, changed)).reshape(height, width, 2)


def _with_directory(data: bytes, page: Directory, changed: dict[int, tuple[int, ...]]) -> bytes:
    """The file with one directory, the page's, in which some tags say something else."""
    end = "<" if data[:1] == b"I" else ">"
    kept = {tag: values for tag, values in page.tags.items() if tag in _KEPT} | changed
    if _SAMPLES in changed:
        kept.pop(_EXTRA, None)
    out = bytearray(data)
    out += b"\0" * (len(out) % 2)
    entries = bytearray()
    for tag, values in sorted(kept.items()):
        raw = struct.pack(f"{end}{len(values)}I", *values)
        if tag in _SHORT:
            raw = struct.pack(f"{end}{len(values)}H", *values)
        if len(raw) > 4:
            place, out = len(out), out + raw
            raw = struct.pack(end + "I", place)
        entries += struct.pack(end + "HHI", tag, 3 if tag in _SHORT else 4, len(values))
        entries += raw.ljust(4, b"\0")
    out[4:8] = struct.pack(end + "I", len(out))
    return bytes(out + struct.pack(end + "H", len(kept)) + entries + b"\0\0\0\0")


_PREDICTOR, _FILL, _ROWS, _TILE_WIDTH, _TILE_HEIGHT = 317, 266, 278, 322, 323
_SHORT: Final = {
    *(_BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _PLANAR, _EXTRA, _FORMAT, _PREDICTOR, _FILL),
}
_KEPT: Final = _SHORT | {
    *(_WIDTH, _HEIGHT, _STRIPS, _STRIP_BYTES, _ROWS, _TILES, _TILE_BYTES),
    *(_TILE_WIDTH, _TILE_HEIGHT),
}


def _decode(data: bytes) -> np.ndarray:
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise ValueError("its samples cannot be read") from error
    finally:
        cv2.utils.logging.setLogLevel(level)
    if decoded is None:
        raise ValueError("its samples cannot be read")
    return np.asarray(decoded)
