"""TIFF below Pillow: which of its directories hold the picture, and samples of more than 8 bits.

Both forms: TIFF 6.0, and BigTIFF, whose offsets have 64 bits.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from jaxtyping import UInt8

from mien.media.samples import unit

__all__ = ["Directory", "Layout", "is_tiff", "layout_of", "wide_rgb"]

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_STRIPS, _SAMPLES, _STRIP_BYTES, _PLANAR, _SUBFILES = 273, 277, 279, 284, 330
_TILES, _TILE_BYTES, _EXTRA, _FORMAT = 324, 325, 338, 339
_KIND, _DNG_VERSION, _CFA, _LINEAR_RAW = 254, 50706, 32803, 34892
_LETTERS: Final = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_UNSIGNED, _SIGNED, _FLOAT = 1, 2, 3
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
        """A layout that Pillow reads wrongly, without a word, or not at all."""
        bits, samples = self.one(_BITS, 1), self.one(_SAMPLES, 1)
        planar = samples > 1 and self.one(_PLANAR, 1) == 2
        inverted = self.one(_PHOTOMETRIC, 1) == 0
        kind = self.one(_FORMAT, _UNSIGNED)
        usual = kind == _UNSIGNED and bits in (8, 16)
        return (
            (bits > 8 and (planar or inverted or samples == 2 or not usual))
            or (planar and samples == 2)
            or (bits == 8 and kind == _SIGNED)
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


@dataclass(frozen=True)
class _Form:
    """How the numbers of a file's directories are written."""

    end: str
    """The order of bytes, as :mod:`struct` names it."""
    count: str
    """The number of a directory's entries."""
    word: str
    """An offset, and the number of a tag's values."""

    @classmethod
    def of(cls, data: bytes | mmap.mmap) -> _Form:
        end = "<" if data[:1] == b"I" else ">"
        return cls(end, "Q", "Q") if data[:4] in _BIG_HEADS else cls(end, "H", "I")

    @property
    def first(self) -> int:
        """Where the header says where the first directory is."""
        return self.size(self.word)

    @property
    def entry(self) -> str:
        return "HH" + self.word

    def size(self, letters: str) -> int:
        return struct.calcsize(self.end + letters)

    def read(self, letters: str, data: bytes | mmap.mmap, at: int) -> tuple[int, ...]:
        return struct.unpack_from(self.end + letters, data, at)

    def pack(self, letters: str, *values: int) -> bytes:
        return struct.pack(self.end + letters, *values)


_HEADS: Final = (b"II*\0", b"MM\0*")
_BIG_HEADS: Final = (b"II+\0", b"MM\0+")


def is_tiff(head: bytes) -> bool:
    return head[:4] in _HEADS + _BIG_HEADS


def layout_of(data: bytes | mmap.mmap) -> Layout:
    """Read the directories as far as they go; damage ends the list without an error."""
    form = _Form.of(data)
    pages: list[Directory] = []
    within: list[Directory] = []
    seen: set[int] = set()
    (at,) = form.read(form.word, data, form.first) if len(data) >= 2 * form.first else (0,)
    while at and at not in seen and len(pages) < _MOST_DIRECTORIES:
        seen.add(at)
        directory, at = _read(data, form, at)
        if directory is None:
            break
        pages.append(directory)
        for offset in directory.tags.get(_SUBFILES, ())[:16]:
            below, _ = _read(data, form, offset)
            if below is not None:
                within.append(below)
    return Layout(tuple(pages), tuple(within))


def _read(data: bytes | mmap.mmap, form: _Form, at: int) -> tuple[Directory | None, int]:
    try:
        (count,) = form.read(form.count, data, at)
        if count > _MOST_ENTRIES:
            return None, 0
        at += form.size(form.count)
        tags: dict[int, tuple[int, ...]] = {}
        for _ in range(count):
            tag, kind, values = form.read(form.entry, data, at)
            at += form.size(form.entry)
            place, at = at, at + form.size(form.word)
            if kind not in _LETTERS or not 0 < values <= len(data):
                tags.setdefault(tag, ())
                continue
            letters = f"{values}{_LETTERS[kind]}"
            if form.size(letters) > form.size(form.word):
                (place,) = form.read(form.word, data, place)
            tags[tag] = form.read(letters, data, place)
        (following,) = form.read(form.word, data, at)
    except (struct.error, OverflowError):
        return None, 0
    return Directory(tags), following


def wide_rgb(data: bytes, page: Directory) -> UInt8[np.ndarray, "height width 3"]:
    """A page whose samples have more than 8 bits, or lie in planes.

    Raises:
        ValueError: it is damaged, or of a kind that nobody reads.
    """
    samples = page.one(_SAMPLES, 1)
    if samples == 1 or page.one(_PLANAR, 1) == 2:
        planes = [unit(_grey(data, page, plane)) for plane in range(samples)]
        values = np.stack(planes, axis=2)
    elif samples == 2:
        values = unit(_grey_and_alpha(data, page))
    else:
        decoded = _decode(_with_directory(data, page, {}))
        order = {3: [2, 1, 0], 4: [2, 1, 0, 3]}
        decoded = decoded.reshape(*decoded.shape[:2], -1)
        channels = decoded.shape[2]
        values = unit(decoded[..., order.get(channels, list(range(channels)))])
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
    form = _Form.of(data)
    kept = {tag: values for tag, values in page.tags.items() if tag in _KEPT} | changed
    if _SAMPLES in changed:
        kept.pop(_EXTRA, None)
    kinds = {letter: kind for kind, letter in _LETTERS.items() if kind in (3, 4, 16)}
    inline = form.size(form.word)
    out = bytearray(data)
    out += b"\0" * (len(out) % 2)
    entries = bytearray()
    for tag, values in sorted(kept.items()):
        letter = "H" if tag in _SHORT else form.word
        raw = form.pack(f"{len(values)}{letter}", *values)
        if len(raw) > inline:
            place, out = len(out), out + raw
            raw = form.pack(form.word, place)
        entries += form.pack(form.entry, tag, kinds[letter], len(values)) + raw.ljust(inline, b"\0")
    out[form.first : 2 * form.first] = form.pack(form.word, len(out))
    return bytes(out + form.pack(form.count, len(kept)) + entries + form.pack(form.word, 0))


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
