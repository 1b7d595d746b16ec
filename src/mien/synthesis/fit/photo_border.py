"""The photo of a face as pictures are made from it: its black rim filled."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import UInt8

from mien.datasets.ours.pack import FacePack
from mien.datasets.photo import read_labelled_rgb

__all__ = ["read_photo"]

_BLACK = 10
"""Grey level below which all colours are black."""
_WORTH, _MOST = 0.005, 0.8
"""Least and greatest share of the photo that is black rim: with less there is nothing to fill, with
more the photo is dark."""


def read_photo(photos: FacePack, row: int) -> UInt8[np.ndarray, "height width 3"]:
    """One photo in OpenCV's colour order.

    Raises:
        DataError: it is gone, or no picture.
    """
    image_rgb = read_labelled_rgb(photos.file(row))
    return _continue_past_border(np.ascontiguousarray(image_rgb[:, :, ::-1]))


def _continue_past_border(
    image: UInt8[np.ndarray, "height width 3"],
) -> UInt8[np.ndarray, "height width 3"]:
    """Fill the black where the photo ended with a blurred continuation of it."""
    dark = (image.max(axis=2) < _BLACK).astype(np.uint8)
    framed = cv2.copyMakeBorder(dark, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    _, regions = cv2.connectedComponents(framed, connectivity=4)
    ended = (regions[1:-1, 1:-1] == regions[0, 0]).astype(np.uint8)
    if ended.mean() < _WORTH or ended.mean() > _MOST:
        return image
    ended = cv2.dilate(ended, np.ones((9, 9), np.uint8))
    small = (max(image.shape[1] // 4, 8), max(image.shape[0] // 4, 8))
    hole = cv2.resize(ended, small, interpolation=cv2.INTER_NEAREST)
    hole = cv2.dilate(hole, np.ones((3, 3), np.uint8))
    known = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    filled = cv2.inpaint(known, hole, 3, cv2.INPAINT_TELEA)
    smooth = cv2.resize(filled, image.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    soft = cv2.blur(ended.astype(np.float32), (5, 5))[..., None]
    return np.asarray(np.round(image * (1 - soft) + smooth * soft), np.uint8)
