"""A table of faces made from found landmarks: what `mien data fit` reads, without any teacher."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from mien.errors import OutputError
from mien.geometry import Similarity, warp_crop
from mien.types import Box, Landmarks

__all__ = ["PackWriter"]

SOURCE = "own"
_MARGIN, _MAX_SIDE, _MIN_SIDE = 2.2, 360, 64
"""A stored photo is a square of 2.2 landmark boxes, like those of the packs we learn from."""
_JPEG_QUALITY = 95
_UNKNOWN = -32768


@dataclass(frozen=True)
class _Row:
    path: str
    photo: str
    split: str
    side: int
    image_from_crop: Similarity
    landmarks: Landmarks


class PackWriter:
    """Stores faces of photos below ``faces``, and what is known of them in ``faces.npz``.

    Each photo is of the split ``train`` or ``val`` by its name alone, with all its faces.
    """

    def __init__(self, folder: Path, val_share: float) -> None:
        """Make the folder.

        Raises:
            OutputError: it holds a pack already, or cannot be made.
        """
        self._folder, self._val_share = folder, val_share
        if (folder / "faces.npz").exists():
            raise OutputError(f"{folder} holds a pack already: name a new folder")
        try:
            (folder / "faces").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"a pack needs a folder, but {folder} cannot be made") from error
        self._rows: list[_Row] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(
        self, photo: str, image_rgb: UInt8[np.ndarray, "height width 3"], face: Landmarks
    ) -> None:
        """Cut one face (68 points) out of a photo; black where the photo ends.

        Raises:
            OutputError: its picture cannot be written.
        """
        if len(face.points_image) != 68:
            raise ValueError(f"a pack takes 68 points, not {len(face.points_image)}")
        box = Box.around(face.points_image)
        extent = _MARGIN * max(box.width, box.height, 1.0)
        side = int(np.clip(round(extent), _MIN_SIDE, _MAX_SIDE))
        scale = extent / side
        corner = np.array(box.centre) - extent / 2 + scale / 2
        image_from_crop = Similarity(scale, 0.0, (float(corner[0]), float(corner[1])))
        crop = warp_crop(image_rgb, image_from_crop, side)
        number = sum(row.photo == photo for row in self._rows)
        path = f"{Path(photo).stem}-{zlib.crc32(photo.encode()):08x}-{number}.jpg"
        file = self._folder / "faces" / path
        bgr = cv2.cvtColor(crop, cv2.COLOR_RGB2BGR)
        done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        if not done:
            raise OutputError(f"a face of {photo} cannot be stored as JPEG")
        try:
            file.write_bytes(data.tobytes())
        except OSError as error:
            raise OutputError(f"{file} cannot be written: {error.strerror}") from error
        points = image_from_crop.inverse().apply(face.points_image)
        row = _Row(
            path,
            photo,
            self._split(photo),
            side,
            image_from_crop,
            Landmarks(points, face.confidence),
        )
        self._rows.append(row)

    def close(self) -> None:
        """Write the table.

        Raises:
            OutputError: there is no face to write of, or the file cannot be written.
        """
        rows, count = self._rows, len(self._rows)
        if not rows:
            raise OutputError(
                f"no face was found, so {self._folder} gets no pack: name other photos"
            )
        points = np.stack([row.landmarks.points_image for row in rows])
        confidence = np.stack([row.landmarks.confidence for row in rows])
        temporary = self._folder / ".writing-faces.npz"
        try:
            np.savez(
                temporary,
                path=np.array([row.path for row in rows]),
                photo=np.array([row.photo for row in rows]),
                source=np.full(count, SOURCE),
                split=np.array([row.split for row in rows]),
                licence=np.full(count, "the user's"),
                size=np.array([row.side for row in rows], np.int16),
                crop_scale=np.array([1 / row.image_from_crop.scale for row in rows], np.float32),
                # Where the stored picture's first pixel lies in the photo.
                corner=np.array([row.image_from_crop.translation for row in rows], np.float32),
                manual68=np.full((count, 68, 2), _UNKNOWN, np.int16),
                mediapipe478=np.full((count, 478, 3), _UNKNOWN, np.int16),
                # The layout's z grows towards the camera.
                tddfa68=np.round(points * [32, 32, -32]).clip(-32767, 32767).astype(np.int16),
                disagreement=np.full(count, np.nan, np.float32),
                confidence68=confidence.astype(np.float32),
            )
            temporary.rename(self._folder / "faces.npz")
        except OSError as error:
            raise OutputError(f"{self._folder} cannot be written: {error.strerror}") from error

    def _split(self, photo: str) -> str:
        share = zlib.crc32(b"split " + photo.encode()) / 2**32
        return "val" if share < self._val_share else "train"
