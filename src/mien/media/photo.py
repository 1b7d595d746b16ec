"""Photos of every common kind, as 8-bit RGB the right way up."""

from __future__ import annotations

import enum
import io
import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from mien.errors import InputError
from mien.media.foreign import RAW_SUFFIXES, is_heif, is_raw, open_heif, raw_refused
from mien.media.jpeg import is_a_stream, with_end_mark
from mien.media.pictures import (
    DAMAGED,
    as_rgb,
    damaged,
    identify,
    mute_libtiff,
    quiet,
    shown,
    upright,
)
from mien.media.source import ByteFile, NothingOpen, SourceKind, check_size, require_file
from mien.media.tiff import Directory, Layout, is_tiff, layout_of, wide_rgb
from mien.types import Frame

__all__ = ["Content", "PhotoSource", "content_of", "layout_of_file", "read_photo", "tiff_page"]

_HEAD = 256
_ENOUGH_FOR_TWO = 1 << 27
"""ByteFile in which a motion JPEG shows its second picture."""
_ORIENTATION = 274


class Content(enum.Enum):
    """What the bytes of a file are."""

    PHOTO = "photo"
    MOVING = "moving picture"
    """Animated WebP, PNG or AVIF, or several pages of TIFF: Pillow reads its frames."""
    MOTION_JPEG = "motion jpeg"
    OTHER = "other"
    """A video, if anything."""


def content_of(path: Path) -> Content:
    """Judge by the bytes. A still picture that is damaged is a photo; a moving GIF is a video."""
    try:
        with path.open("rb") as file, quiet():
            return _content(file, path)
    except InputError:
        return Content.PHOTO
    except DAMAGED:
        return Content.PHOTO  # its first bytes are right, and its frame list is not


def _content(file: ByteFile, path: Path) -> Content:
    head = file.read(_HEAD)
    if is_heif(head) or is_raw(head):
        return Content.PHOTO
    file.seek(0)
    if head.startswith(b"\xff\xd8\xff"):
        data = file.read(_ENOUGH_FOR_TWO)
        return Content.MOTION_JPEG if is_a_stream(data) else Content.PHOTO
    if is_tiff(head):
        return Content.MOVING if len(_layout(file).pictures) > 1 else Content.PHOTO
    image = identify(file, path)
    if image is None:
        return Content.PHOTO if path.suffix.lower() in RAW_SUFFIXES else Content.OTHER
    moves = bool(getattr(image, "is_animated", False))
    if image.format == "GIF":
        return Content.OTHER if moves else Content.PHOTO
    return Content.MOVING if moves and image.format in ("PNG", "WEBP", "AVIF") else Content.PHOTO


def read_photo(where: Path | bytes, named: str | Path = "") -> UInt8[np.ndarray, "height width 3"]:
    """The picture of a file, or of its bytes, turned upright as its EXIF mark says.

    Transparent pixels are laid on white, 16 bits are scaled to 8, CMYK and grey become RGB. A JPEG
    that lacks nothing but its end mark is read. ``named`` is what errors call bytes.

    Raises:
        InputError: not a photo, a camera's raw file, cut off or damaged, too small, or too large.
    """
    if isinstance(where, bytes):
        return _told(io.BytesIO(where), named or "photo")
    require_file(where)
    with where.open("rb") as file:
        return _told(file, where)


def _told(file: ByteFile, named: str | Path) -> UInt8[np.ndarray, "height width 3"]:
    with quiet():
        try:
            return _read(file, named)
        except DAMAGED as error:
            raise damaged(named, error) from error
        except MemoryError as error:
            raise InputError(f"{named}: too large for the memory; save a smaller copy") from error


def _read(file: ByteFile, named: str | Path) -> UInt8[np.ndarray, "height width 3"]:
    head = file.read(_HEAD)
    file.seek(0)
    if is_raw(head):
        raise raw_refused(named)
    if is_heif(head):
        heif = open_heif(file, named)
        check_size(named, *heif.size)
        return as_rgb(heif)
    if is_tiff(head):
        layout = _layout(file)
        return tiff_page(file, named, layout, layout.pictures[0])
    image = identify(file, named)
    if image is None:
        if Path(named).suffix.lower() in RAW_SUFFIXES:
            raise raw_refused(named)
        raise InputError(f"{named}: not a photo that can be read; save it as JPEG or PNG")
    check_size(named, *image.size)
    if image.format in ("JPEG", "MPO"):
        return _jpeg(image, file, named)
    return shown(image)


def _jpeg(
    image: Image.Image, file: ByteFile, named: str | Path
) -> UInt8[np.ndarray, "height width 3"]:
    try:
        return shown(image)
    except OSError:
        file.seek(0)
        filled = []
        for data in with_end_mark(file.read()):
            again = identify(io.BytesIO(data), named)
            if again is None:
                raise
            filled.append(shown(again))
        if not np.array_equal(filled[0], filled[1]):
            raise
        return filled[0]


def _layout(file: ByteFile) -> Layout:
    try:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return layout_of(data)
    except io.UnsupportedOperation:  # bytes that came through a pipe
        file.seek(0)
        return layout_of(file.read())
    finally:
        file.seek(0)


def layout_of_file(file: ByteFile) -> Layout | None:
    """The directories of a TIFF; ``None`` if it is none."""
    head = file.read(4)
    file.seek(0)
    return _layout(file) if is_tiff(head) else None


def tiff_page(
    file: ByteFile, named: str | Path, layout: Layout, number: int
) -> UInt8[np.ndarray, "height width 3"]:
    """One page of a TIFF; call it under :func:`quiet`.

    Raises:
        InputError: it is a raw file, or too small.
        OSError, ValueError: it is damaged.
    """
    if layout.is_camera_raw or Path(named).suffix.lower() in RAW_SUFFIXES:
        raise raw_refused(named)
    page: Directory | None = layout.pages[number] if number < len(layout.pages) else None
    if page is not None:
        check_size(named, *page.size)
    file.seek(0)
    image: Any = None if page is not None and page.is_wide else identify(file, named)
    if image is not None:
        with mute_libtiff():
            image.seek(number)
            check_size(named, *image.size)
            return shown(image)
    if page is None:
        raise InputError(f"{named}: not a photo that can be read; save it as JPEG or PNG")
    file.seek(0)
    rgb = wide_rgb(file.read(), page)
    turned = upright(Image.fromarray(rgb), page.one(_ORIENTATION, 1))
    return np.array(turned)


class PhotoSource(NothingOpen):
    """One photo as a source of one frame at 0 s."""

    kind: Final = SourceKind.PHOTO
    frames_expected: Final = 1
    rate: Final = 1.0

    def __init__(self, where: Path | bytes, name: str = "") -> None:
        """Read the file at once, so that a bad one is refused here.

        Raises:
            InputError: see :func:`read_photo`.
        """
        self.name = name or (where.stem if isinstance(where, Path) else "photo")
        self._frame = Frame(read_photo(where, self.name), index=0, time_secs=0.0)

    def __iter__(self) -> Iterator[Frame]:
        yield self._frame
