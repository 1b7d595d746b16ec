"""What a labelled data set hands to measurement: one face of one photo, in our conventions.

Every reader of a data set (``aflw2000``, ``pts``, ``face_pack``) converts at its own door, so that
nobody behind it asks where pixels are counted from or which way z grows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from mien.errors import DataError
from mien.geometry.convention import Convention

__all__ = ["LabelledPhoto", "OtherTruth", "decode_rgb", "read_encoded", "read_stored_rgb"]


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
    encoded: bytes = b""
    """The picture as it is stored, where ``image_path`` is a file of many; else empty."""

    def __post_init__(self) -> None:
        _check_points(self.points_image)
        if not self.valid.any():
            raise ValueError(f"{self.name} has no labelled point")

    @property
    def valid(self) -> Bool[np.ndarray, " 68"]:
        """The points that have a label."""
        finite: Bool[np.ndarray, " 68"] = np.isfinite(self.points_image).all(axis=1)
        return finite

    def read_rgb(self) -> UInt8[np.ndarray, "height width 3"]:
        """The picture, by :func:`read_stored_rgb`.

        Raises:
            DataError: the file is gone or holds no picture.
        """
        if self.encoded:
            return decode_rgb(
                np.frombuffer(self.encoded, np.uint8), f"{self.name} of {self.image_path}"
            )
        return read_stored_rgb(self.image_path)


def read_stored_rgb(image_path: Path) -> UInt8[np.ndarray, "height width 3"]:
    """A labelled picture as it is stored: labels count stored pixels, so no EXIF rotation.

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


def decode_rgb(
    encoded: UInt8[np.ndarray, " bytes"], name: str
) -> UInt8[np.ndarray, "height width 3"]:
    """A stored picture from its file's bytes; ``name`` is what an error calls it.

    Raises:
        DataError: the bytes are no picture.
    """
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    image_bgr = cv2.imdecode(encoded, flags) if len(encoded) else None
    if image_bgr is None:
        raise DataError(f"{name} holds no picture that OpenCV reads: copy the data set again")
    return np.ascontiguousarray(image_bgr[:, :, ::-1], dtype=np.uint8)


def _check_points(points: Float[np.ndarray, "68 dims"]) -> None:
    if points.shape not in ((68, 2), (68, 3)):
        raise ValueError(f"true landmarks are (68, 2) or (68, 3), not {points.shape}")
