"""A face pack made from photos and the points that a network found in them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, Int16, Shaped, UInt8

from mien.datasets.ours.pack import MANUAL_UNITS, MESH_UNITS, SURE, TABLE, UNKNOWN, FacePack
from mien.errors import OutputError
from mien.files import told_as_output_error, write_atomically, write_npz
from mien.geometry import Similarity, pose_head, warp_crop
from mien.markup import load_markup
from mien.types import Box, Landmarks

__all__ = ["PackWriter", "refuse_pack_there", "write_pack"]

_SOURCE, _LICENCE = "own", "the user's own photos"
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
        source: str = _SOURCE,
        licence: str = _LICENCE,
    ) -> None:
        """Make the folder. ``teacher`` is what finds the points, and its terms, in words.

        Raises:
            OutputError: it holds a pack already, or cannot be made.
        """
        self._folder, self._val_share, self._teacher = folder, val_share, teacher
        self._source, self._licence = source, licence
        refuse_pack_there(folder)
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
        val = self._held_out()
        unknown = np.full((478, 3), np.nan)
        pack = FacePack(
            table=self._folder / TABLE,
            path=np.array([row.path for row in rows]),
            source=np.full(count, self._source),
            split=np.array(["val" if row.photo in val else "train" for row in rows]),
            manual68=np.full((count, 68, 2), np.nan, np.float32),
            mesh478=np.stack([unknown if row.mesh is None else row.mesh for row in rows]),
            teacher68=np.stack([row.landmarks.points_image for row in rows]),
            disagreement=np.full(count, np.nan, np.float32),
            confidence68=np.stack([row.landmarks.confidence for row in rows]).astype(np.float32),
            licence=np.full(count, self._licence),
            teacher=np.full(count, self._teacher),
        )
        more = {
            "photo": np.array([row.photo for row in rows]),
            "size": np.array([row.side for row in rows], np.int16),
            "crop_scale": np.array([1 / row.image_from_crop.scale for row in rows], np.float32),
            # Where the stored picture's first pixel lies in the photo.
            "corner": np.array([row.image_from_crop.translation for row in rows], np.float32),
        }
        write_pack(pack, more)

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


def refuse_pack_there(folder: Path) -> None:
    """Nobody's pack is written over.

    Raises:
        OutputError: the folder holds a pack already.
    """
    if (folder / TABLE).exists():
        raise OutputError(f"{folder} holds a pack already: name a new folder")


def write_pack(pack: FacePack, more: Mapping[str, Shaped[np.ndarray, faces * any]]) -> None:
    """Write ``pack.table`` as `pack` describes it, with columns that nothing reads back besides.

    Raises:
        OutputError: it cannot be written.
    """
    table = {
        "path": pack.path,
        "source": pack.source,
        "split": pack.split,
        "manual68": _in_steps(pack.manual68, MANUAL_UNITS),
        "mediapipe478": _in_steps(pack.mesh478, MESH_UNITS),
        # The layout's z grows towards the camera.
        "tddfa68": _in_steps(pack.teacher68 * np.array([1, 1, -1]), MANUAL_UNITS),
        "disagreement": pack.disagreement,
        "confidence68": pack.confidence68,
        "tddfa_params": pack.tddfa_params,
        "licence": pack.licence,
        "teacher": pack.teacher,
    }
    known = {name: column for name, column in table.items() if column is not None}
    write_npz(pack.table, {**known, **more})


def _in_steps(points: Float[np.ndarray, "*any"], units: int) -> Int16[np.ndarray, "*any"]:
    """What `pack` reads back as these px, to half a step; NaN is not known."""
    steps = np.round(points * units).clip(UNKNOWN + 1, -UNKNOWN - 1)
    return np.where(np.isfinite(points), steps, UNKNOWN).astype(np.int16)
