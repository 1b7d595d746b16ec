"""Photos of every common kind, as 8-bit RGB the right way up."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

from mien.errors import InputError
from mien.media.source import SourceKind, check_size, require_file
from mien.types import Frame

__all__ = ["PhotoSource", "as_rgb", "is_photo", "read_photo"]

# Formats are named so that Pillow's rarer readers, some of which start other programs, stay shut.
_FORMATS: Final = (
    *("JPEG", "PNG", "TIFF", "BMP", "DIB", "GIF", "WEBP", "PPM", "JPEG2000", "TGA", "AVIF"),
)
_DAMAGED: Final = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error)
"""What Pillow raises on damaged files, by format."""


def is_photo(path: Path) -> bool:
    """Whether the bytes are a still picture: everything Pillow knows but a moving GIF."""
    try:
        with _open(path) as image:
            return not (image.format == "GIF" and getattr(image, "is_animated", False))
    except InputError:
        return False
    except _DAMAGED:
        return True  # a GIF or TIFF whose first bytes are right and whose frame list is not


def read_photo(path: Path) -> UInt8[np.ndarray, "height width 3"]:
    """The first picture of the file, turned upright as its EXIF mark says.

    Transparent pixels are laid on white, 16 bits are scaled to 8, CMYK and grey become RGB.

    Raises:
        InputError: not a photo, cut off or damaged, too small, or above Pillow's bound on pixels.
    """
    require_file(path)
    with _open(path) as image:
        check_size(path, *image.size)
        try:
            upright = ImageOps.exif_transpose(image)
            return as_rgb(upright)
        except Image.DecompressionBombError as error:
            raise _too_large(path, error) from error
        except _DAMAGED as error:
            raise InputError(
                f"{path}: the picture is cut off or damaged ({_one_line(error)}); copy it again"
            ) from error


def _open(path: Path) -> Image.Image:
    with warnings.catch_warnings():
        # Pillow warns at half the size it refuses; a 100 megapixel phone photo is an honest one.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            Image.init()  # loads Pillow's own readers, of which a build may lack some
            return Image.open(path, formats=[name for name in _FORMATS if name in Image.OPEN])
        except Image.DecompressionBombError as error:
            raise _too_large(path, error) from error
        except UnidentifiedImageError as error:
            raise InputError(
                f"{path}: not a photo that can be read; save it as JPEG or PNG"
            ) from error
        except _DAMAGED as error:
            raise InputError(f"{path}: cannot be read ({_one_line(error)})") from error


def _too_large(path: Path, error: Exception) -> InputError:
    return InputError(f"{path}: too large a picture ({_one_line(error)}); save a smaller copy")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def as_rgb(image: Image.Image) -> UInt8[np.ndarray, "height width 3"]:
    """Pillow's picture of any mode as 8-bit RGB, transparent pixels on white."""
    if image.mode.startswith("I") or image.mode == "F":
        return _grey_as_rgb(np.asarray(image))
    if image.has_transparency_data:
        opaque = image.convert("RGBA")
        white = Image.new("RGBA", opaque.size, "white")
        return np.array(Image.alpha_composite(white, opaque).convert("RGB"))
    return np.array(image.convert("RGB"))


def _grey_as_rgb(values: np.ndarray) -> UInt8[np.ndarray, "height width 3"]:
    """Grey of more than 8 bits: Pillow would clip it at 255.

    Integers hold 16 bits, whatever the width Pillow reads them into; floats hold 0 to 1 or, if one
    of them is larger, 0 to 255.
    """
    if np.issubdtype(values.dtype, np.integer):
        unit = values / 65535
    else:
        finite = np.nan_to_num(values, nan=0.0, posinf=1.0, neginf=0.0)
        unit = finite / (255 if finite.max() > 1 else 1)
    grey = np.rint(np.clip(unit, 0, 1) * 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


class PhotoSource:
    """One photo as a source of one frame at 0 s."""

    kind: Final = SourceKind.PHOTO
    frames_expected: Final = 1
    rate: Final = 1.0

    def __init__(self, path: Path) -> None:
        """Read the file at once, so that a bad one is refused here.

        Raises:
            InputError: see :func:`read_photo`.
        """
        self.name = path.stem
        self._frame = Frame(read_photo(path), index=0, time_secs=0.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def __iter__(self) -> Iterator[Frame]:
        yield self._frame
