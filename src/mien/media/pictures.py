"""A picture file opened with Pillow: without its warnings, and with a bound of our own."""

from __future__ import annotations

import contextlib
import logging
import os
import struct
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import UInt8
from PIL import ExifTags, Image

from mien.errors import InputError
from mien.media.samples import unit
from mien.media.source import ByteFile, check_most

__all__ = [
    "DAMAGED",
    "as_rgb",
    "damaged",
    "identify",
    "mute_libtiff",
    "quiet",
    "shown",
    "upright",
]

# Formats are named so that Pillow's rarer readers, some of which start other programs, stay shut.
# TGA has no mark to be known by, so it is asked last.
_FORMATS: Final = (
    *("JPEG", "PNG", "TIFF", "BMP", "DIB", "GIF", "WEBP", "PPM", "JPEG2000", "AVIF", "ICO", "TGA"),
)
DAMAGED: Final = (
    *(OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, struct.error),
    *(RuntimeError, ArithmeticError),
)
"""What Pillow raises on damaged files, by format."""

_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_QUIET = threading.RLock()
_STDERR = 2


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what Pillow says about a file from the user: what matters is told by our own errors."""
    log = logging.getLogger("PIL")
    with _QUIET, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        level = log.level
        log.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            log.setLevel(level)


@contextlib.contextmanager
def mute_libtiff() -> Iterator[None]:
    """Keep libtiff from writing on the process's stderr, which Pillow gives no other way to do."""
    try:
        kept = os.dup(_STDERR)
    except OSError:  # closed: then nobody reads it
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with _QUIET:
        os.dup2(nowhere, _STDERR)
        try:
            yield
        finally:
            os.dup2(kept, _STDERR)
            os.close(kept)
            os.close(nowhere)


def identify(file: ByteFile, named: str | Path) -> Image.Image | None:
    """The picture, not decoded yet; ``None`` if the bytes are of no format that is read here.

    Raises:
        InputError: it has more than ``MOST_PIXELS``.
    """
    Image.init()  # loads Pillow's own readers, of which a build may lack some
    prefix = file.read(16)
    for name in _FORMATS:
        # Image.open would refuse at a bound that a phone's 200 megapixels exceed.
        factory, accept = Image.OPEN.get(name, (None, None))
        try:
            if factory is None or (accept is not None and accept(prefix) is not True):
                continue
            file.seek(0)
            image = factory(file, str(named))
        except Image.DecompressionBombError as error:
            raise InputError(f"{named}: too large a picture; save a smaller copy") from error
        except (SyntaxError, IndexError, TypeError, KeyError, struct.error):
            continue
        check_most(named, *image.size)
        return image
    return None


def shown(image: Image.Image) -> UInt8[np.ndarray, "height width 3"]:
    """The frame that the file stands at, turned as its EXIF mark says.

    An EXIF block that is cut short turns nothing.
    """
    image.load()
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except DAMAGED:
        orientation = 1
    return as_rgb(upright(image, orientation))


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """The picture turned as EXIF's tag 0x0112 says; any other value than 2 to 8 leaves it."""
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def as_rgb(image: Image.Image) -> UInt8[np.ndarray, "height width 3"]:
    """Transparent pixels on white, 16 bits scaled to 8, CMYK and grey as RGB."""
    if image.mode == "La":  # of which Pillow makes nothing but LA
        image = image.convert("LA")
    if image.mode.startswith("I") or image.mode == "F":
        return grey_as_rgb(np.asarray(image))
    if image.has_transparency_data:
        opaque = image.convert("RGBA")
        white = Image.new("RGBA", opaque.size, "white")
        return np.array(Image.alpha_composite(white, opaque).convert("RGB"))
    return np.array(image.convert("RGB"))


def grey_as_rgb(values: np.ndarray) -> UInt8[np.ndarray, "height width 3"]:
    """Grey of more than 8 bits: Pillow would clip it at 255."""
    grey = np.rint(np.clip(unit(values), 0, 1) * 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def damaged(named: str | Path, error: Exception) -> InputError:
    """What to say of a picture that cannot be decoded."""
    reason = " ".join(str(error).split()) or type(error).__name__
    return InputError(f"{named}: the picture is cut off or damaged ({reason}); copy it again")
