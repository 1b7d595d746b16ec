"""A picture as a user hands it over: an array, one of Pillow's, or a path."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from mien.errors import InputError
from mien.media.photo import read_photo
from mien.media.pictures import DAMAGED, as_rgb, damaged, quiet, shown
from mien.media.source import check_most

__all__ = ["as_picture"]

_WANTED = "give a uint8 RGB array (height, width, 3), one of Pillow's images, or a path"


def as_picture(image: object) -> UInt8[np.ndarray, "height width 3"]:
    """8-bit RGB from whatever it is.

    Arrays are uint8: RGB, RGBA (laid on white) or grey. OpenCV's are BGR and must be turned by
    whoever read them; nothing in an array says so. Pillow's pictures are turned upright as their
    EXIF mark says, as files are.

    Raises:
        InputError: none of these, without pixels, or of more than a file may have.
    """
    if image is None:
        raise InputError(f"expected a picture, got None (did reading it fail?); {_WANTED}")
    if isinstance(image, (str, os.PathLike)):
        return read_photo(Path(image))
    if isinstance(image, Image.Image):
        if 0 in image.size:
            raise InputError(f"expected a picture, got one of {image.size} px; {_WANTED}")
        check_most("an image of Pillow's", *image.size)
        return _of_pillow(image)
    if not isinstance(image, np.ndarray):
        raise InputError(f"expected a picture, got {type(image).__name__}; {_WANTED}")
    return _of_array(np.asarray(image))  # a matrix has always two sides


def _of_pillow(image: Image.Image) -> UInt8[np.ndarray, "height width 3"]:
    """Its file is read only now, and may be cut off, or closed."""
    with quiet():
        try:
            return shown(image)
        except DAMAGED as error:
            raise damaged("an image of Pillow's", error) from error


def _of_array(image: np.ndarray) -> UInt8[np.ndarray, "height width 3"]:
    if image.size == 0:
        raise InputError(f"expected a picture, got an empty array {image.shape}; {_WANTED}")
    if image.dtype != np.uint8:
        hint = " (for values of 0 to 1: (255 * image).round().astype('uint8'))"
        raise InputError(
            f"expected a uint8 array, got {image.dtype}{hint if image.dtype.kind == 'f' else ''}; "
            f"{_WANTED}"
        )
    if image.ndim >= 2:
        check_most("an array", image.shape[1], image.shape[0])
    channels = image.shape[2] if image.ndim == 3 else 0
    if image.ndim == 2 or channels == 1:
        return np.repeat(image.reshape(*image.shape[:2], 1), 3, axis=2)
    if channels == 4:
        return as_rgb(Image.fromarray(image, "RGBA"))
    if channels != 3:
        raise InputError(f"expected a picture, got an array {image.shape}; {_WANTED}")
    return np.ascontiguousarray(image)
