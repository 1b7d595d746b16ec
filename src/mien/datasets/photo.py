"""What a labelled data set hands to measurement: one face of one photo, in our conventions.

Every reader of a data set (``aflw2000``, ``pts``, ``face_pack``) converts at its own door, so that
nobody behind it asks where pixels are counted from or which way z grows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from mien.errors import DataError
from mien.geometry.convention import Convention

__all__ = [
    "Image",
    "LabelledPhoto",
    "OtherTruth",
    "decode_rgb",
    "read_encoded",
    "read_labelled_rgb",
]

Image = UInt8[np.ndarray, "height width 3"]


@dataclass(frozen=True)
class OtherTruth:
    """A second opinion about the same face, such as a later re-annotation."""

    name: str
    points_image: Float[np.ndarray, "68 dims"]

    def __post_init__(self) -> None:
        _check_points(self.points_image)


@dataclass(frozen=True)
class LabelledPhoto:
    """One face with its true landmarks (68-point markup); the picture itself is read on demand."""

    name: str
    """Unique within its data set."""
    image_path: Path
    points_image: Float[np.ndarray, "68 dims"]
    """x, y in image pixels, and z where the data set has depth; NaN for a point without a label."""
    yaw_deg: float | None = None
    """Positive when the face turns towards the image's right; ``None`` where nobody knows."""
    other_truths: tuple[OtherTruth, ...] = field(default=())
    convention: Convention | None = None
    """Of the points; ``None`` where nobody has compared them."""
    euler_300w_lp_deg: tuple[float, float, float] | None = None
    """Published pitch, yaw and roll, in the order and with the signs of 300W-LP's ``Pose_Para``."""
    encoded: bytes = b""
    """The picture as it is stored, where ``image_path`` is a file of many; else empty."""
    edit: Callable[[Image], Image] | None = field(default=None, repr=False, compare=False)
    """What is done to the picture once it is read; the points are those of the edited one."""

    def __post_init__(self) -> None:
        _check_points(self.points_image)
        if not self.valid.any():
            raise ValueError(f"{self.name} has no labelled point")

    @property
    def valid(self) -> Bool[np.ndarray, " 68"]:
        """The points that have a label."""
        finite: Bool[np.ndarray, " 68"] = np.isfinite(self.points_image).all(axis=1)
        return finite

    def read_rgb(self) -> Image:
        """The picture, by :func:`read_labelled_rgb`, edited where there is an ``edit``.

        Raises:
            DataError: the file is gone or holds no picture.
        """
        if self.encoded:
            encoded = np.frombuffer(self.encoded, np.uint8)
            image_rgb = decode_rgb(encoded, f"{self.name} of {self.image_path}")
        else:
            image_rgb = read_labelled_rgb(self.image_path)
        return image_rgb if self.edit is None else self.edit(image_rgb)


def read_labelled_rgb(image_path: Path) -> Image:
    """A labelled picture the right way up, as its EXIF mark says: as viewers show it, and as
    whoever labels by hand sees it. Public sets carry no such mark.

    Raises:
        DataError: the file is gone or holds no picture.
    """
    return decode_rgb(read_encoded(image_path), str(image_path))


def read_encoded(image_path: Path) -> UInt8[np.ndarray, " bytes"]:
    """The bytes of a labelled picture's file.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return np.fromfile(image_path, np.uint8)
    except OSError as error:
        raise DataError(
            f"{image_path} cannot be read ({error.strerror}): the data set lists it, so copy the "
            "data set again"
        ) from error


def decode_rgb(encoded: UInt8[np.ndarray, " bytes"], name: str) -> Image:
    """A picture from its file's bytes, upright; ``name`` is what an error calls it.

    The one decoder of labelled pictures, for learning and for measuring.

    Raises:
        DataError: the bytes are no picture.
    """
    image_rgb = cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB) if len(encoded) else None
    if image_rgb is None:
        raise DataError(f"{name} holds no picture that OpenCV reads: copy the data set again")
    return np.asarray(image_rgb, dtype=np.uint8)


def _check_points(points: Float[np.ndarray, "68 dims"]) -> None:
    if points.shape not in ((68, 2), (68, 3)):
        raise ValueError(f"true landmarks are (68, 2) or (68, 3), not {points.shape}")
