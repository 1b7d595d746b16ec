"""A face pack made from photos and the points that a network found in them."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from mien.datasets.ours.pack import MANUAL_UNITS, MESH_UNITS, SURE, UNKNOWN
from mien.errors import OutputError
from mien.files import told_as_output_error, write_atomically, write_npz
from mien.geometry import Similarity, pose_head, warp_crop
from mien.markup import load_markup
from mien.types import Box, Landmarks

__all__ = ["PackWriter"]

OWN_SOURCE, OWN_LICENCE = "own", "the user's own photos"
_MARGIN, _MAX_SIDE, _MIN_SIDE = 2.2, 360, 64
"""A stored picture is a square of 2.2 landmark boxes, like those of the packs we learn from."""
_JPEG_QUALITY = 95
_FRONTAL_DEG = 30.0
"""A little less than what the data engine takes."""


@dataclass(frozen=True)
class _Row:
    path: str
    photo: str
    side: int
    image_from_crop: Similarity
    landmarks: Landmarks
    mesh: Float[np.ndarray, "478 3"] | None


class PackWriter:
    """Stores faces of photos below ``faces``, and what is known of them in ``faces.npz``.

    Each photo is of the split ``train`` or ``val`` by its name alone, with all its faces. Where
    that leaves ``val`` without a face to make pictures from (sure, and not turned far) though some
    photos were asked for, the nearest to it with such a face joins it.
    """

    def __init__(
        self,
        folder: Path,
        val_share: float,
        teacher: str,
        source: str = OWN_SOURCE,
        licence: str = OWN_LICENCE,
    ) -> None:
        """Make the folder. ``teacher`` is what finds the points, and its terms, in words.

        Raises:
            OutputError: it holds a pack already, or cannot be made.
        """
        self._folder, self._val_share, self._teacher = folder, val_share, teacher
        self._source, self._licence = source, licence
        if (folder / "faces.npz").exists():
            raise OutputError(f"{folder} holds a pack already: name a new folder")
        with told_as_output_error(folder):
            (folder / "faces").mkdir(parents=True, exist_ok=True)
        self._rows: list[_Row] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(
        self,
        photo: str,
        image_rgb: UInt8[np.ndarray, "height width 3"],
        face: Landmarks,
        mesh: Float[np.ndarray, "478 3"] | None = None,
    ) -> None:
        """Cut one face (68 points, and MediaPipe's mesh) out of a photo; black where that ends.

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
        bgr = cv2.cvtColor(crop, cv2.COLOR_RGB2BGR)
        done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        if not done:
            raise OutputError(f"a face of {photo} cannot be stored as JPEG")
        write_atomically(self._folder / "faces" / path, data.tobytes())
        points = image_from_crop.inverse().apply(face.points_image)
        landmarks = Landmarks(points, face.confidence)
        if mesh is not None:
            mesh = image_from_crop.inverse().apply(mesh)
        self._rows.append(_Row(path, photo, side, image_from_crop, landmarks, mesh))

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
        # The layout's z grows towards the camera.
        stored = np.round(points * [MANUAL_UNITS, MANUAL_UNITS, -MANUAL_UNITS])
        mesh = np.full((count, 478, 3), UNKNOWN, np.int16)
        for place, row in enumerate(rows):
            if row.mesh is not None:
                mesh[place] = np.round(row.mesh * MESH_UNITS).clip(-32767, 32767)
        val = self._held_out()
        table = {
            "path": np.array([row.path for row in rows]),
            "photo": np.array([row.photo for row in rows]),
            "source": np.full(count, self._source),
            "split": np.array(["val" if row.photo in val else "train" for row in rows]),
            "licence": np.full(count, self._licence),
            "teacher": np.full(count, self._teacher),
            "size": np.array([row.side for row in rows], np.int16),
            "crop_scale": np.array([1 / row.image_from_crop.scale for row in rows], np.float32),
            # Where the stored picture's first pixel lies in the photo.
            "corner": np.array([row.image_from_crop.translation for row in rows], np.float32),
            "manual68": np.full((count, 68, 2), UNKNOWN, np.int16),
            "mediapipe478": mesh,
            "tddfa68": stored.clip(-32767, 32767).astype(np.int16),
            "disagreement": np.full(count, np.nan, np.float32),
            "confidence68": confidence.astype(np.float32),
        }
        write_npz(self._folder / "faces.npz", table)

    def _held_out(self) -> set[str]:
        """The photos to validate on."""
        place = {
            row.photo: zlib.crc32(b"split " + row.photo.encode()) / 2**32 for row in self._rows
        }
        chosen = {photo for photo, share in place.items() if share < self._val_share}
        good = {row.photo for row in self._rows if _can_be_turned(row.landmarks)}
        if self._val_share > 0 and len(good) > 1 and not chosen & good:
            chosen.add(min(good, key=place.__getitem__))
        return chosen


def _can_be_turned(face: Landmarks) -> bool:
    yaw_deg = pose_head(face.points_image, load_markup(68).mean_shape).pose.yaw_deg
    return abs(yaw_deg) <= _FRONTAL_DEG and float(face.confidence.mean()) >= SURE
