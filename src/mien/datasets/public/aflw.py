"""AFLW: 21 landmarks of 24 thousand faces at every yaw, where visible (Koestinger et al., 2011).

Read as its makers hand it out: ``aflw.sqlite`` (aflw-db.tar.gz) and the photos below ``flickr/0``,
``flickr/2`` and ``flickr/3`` (aflw-images-N.tar.gz), in one folder or in its ``data``. Other
people's ``AFLWinfo_release.mat`` has 19 points, without the ears, and guesses at hidden ones; it is
not read.

Coordinates are taken as they are, counted from 0: the makers' own C++ hands them to OpenCV as
``Point2f`` and ``Rect`` without an offset. Clicks may lie half a pixel off: nothing is written
about it. The head pose is left alone, because it was computed from the same 21 points and a mean
head, and we know of no document that fixes its signs.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, UInt8

from mien.datasets.photo import read_labelled_rgb
from mien.errors import DataError
from mien.types import Box

__all__ = ["POINT_NAMES", "AflwFace", "read_aflw"]

_log = logging.getLogger(__name__)

POINT_NAMES = (
    *("LeftBrowLeftCorner", "LeftBrowCenter", "LeftBrowRightCorner"),
    *("RightBrowLeftCorner", "RightBrowCenter", "RightBrowRightCorner"),
    *("LeftEyeLeftCorner", "LeftEyeCenter", "LeftEyeRightCorner"),
    *("RightEyeLeftCorner", "RightEyeCenter", "RightEyeRightCorner"),
    *("LeftEar", "NoseLeft", "NoseCenter", "NoseRight", "RightEar"),
    *("MouthLeftCorner", "MouthCenter", "MouthRightCorner", "ChinCenter"),
)
"""The 21 points in the order of their numbers in the data base. Left is the left of the picture:
the person's own right."""

_FACES = """
    SELECT Faces.face_id, FaceImages.filepath, FaceRect.x, FaceRect.y, FaceRect.w, FaceRect.h
    FROM Faces JOIN FaceImages ON Faces.file_id = FaceImages.file_id
    LEFT JOIN FaceRect ON Faces.face_id = FaceRect.face_id
    ORDER BY Faces.face_id
"""
_POINTS = """
    SELECT FeatureCoords.face_id, FeatureCoordTypes.descr, FeatureCoords.x, FeatureCoords.y
    FROM FeatureCoords JOIN FeatureCoordTypes
    ON FeatureCoords.feature_id = FeatureCoordTypes.feature_id
"""


@dataclass(frozen=True)
class AflwFace:
    """One face of one photo."""

    name: str
    """Path of the photo and number of the face: ``0/image00002.jpg#39341``."""
    image_path: Path
    points_image: Float[np.ndarray, "21 2"]
    """x, y in image pixels, in the order of ``POINT_NAMES``; NaN for a point nobody could see."""
    box: Box | None
    """A square that the makers drew around the face; ``None`` for faces without one."""

    def __post_init__(self) -> None:
        if self.points_image.shape != (len(POINT_NAMES), 2) or not self.visible.any():
            raise ValueError(f"{self.name} has not one of the 21 points")

    @property
    def visible(self) -> Bool[np.ndarray, " 21"]:
        """The points that have a label."""
        finite: Bool[np.ndarray, " 21"] = np.isfinite(self.points_image).all(axis=1)
        return finite

    def read_rgb(self) -> UInt8[np.ndarray, "height width 3"]:
        """The picture, by :func:`mien.datasets.photo.read_labelled_rgb`."""
        return read_labelled_rgb(self.image_path)


def read_aflw(root: Path) -> tuple[AflwFace, ...]:
    """All faces that have a point, in the order of their numbers; pictures are read on demand.

    Raises:
        DataError: no ``aflw.sqlite``, a data base that is damaged or another, or a photo that is
            not there.
    """
    found = [path for path in (root / "aflw.sqlite", root / "data/aflw.sqlite") if path.is_file()]
    if not found:
        raise DataError(
            f"{root} holds no aflw.sqlite, nor does its folder data: unpack aflw-db.tar.gz there"
        )
    database = found[0]
    faces, points = _query(database)
    pictures = database.parent / "flickr"
    known: dict[str, bool] = {}
    for _, filepath, *_ in faces:
        if filepath not in known:
            known[filepath] = (pictures / filepath).is_file()
    missing = sorted(filepath for filepath, is_there in known.items() if not is_there)
    if missing:
        raise DataError(
            f"{pictures / missing[0]} is missing, and {len(missing)} of {len(known)} photos in "
            "all: unpack aflw-images-0, -2 and -3 so that flickr holds 0, 2 and 3"
        )
    labelled = [face for face in faces if face[0] in points]
    if len(labelled) < len(faces):
        _log.info("%s: %d faces have no point", database, len(faces) - len(labelled))
    if not labelled:
        raise DataError(f"{database} has no face with one of the 21 points: copy it again")
    return tuple(
        AflwFace(f"{filepath}#{face_id}", pictures / filepath, points[face_id], _box(*rect))
        for face_id, filepath, *rect in labelled
    )


def _query(database: Path) -> tuple[list[Any], dict[int, Float[np.ndarray, "21 2"]]]:
    """Rows of ``_FACES``, one a face; and the points of each face that has any."""
    order = {name: number for number, name in enumerate(POINT_NAMES)}
    points: dict[int, Float[np.ndarray, "21 2"]] = {}
    try:
        uri = f"{database.resolve().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
            faces = {row[0]: row for row in connection.execute(_FACES)}
            for face_id, name, x, y in connection.execute(_POINTS):
                if name in order:  # the data base knows further points, which nobody clicked
                    row = points.setdefault(face_id, np.full((len(POINT_NAMES), 2), np.nan))
                    row[order[name]] = float(x), float(y)
    except (sqlite3.Error, TypeError, ValueError) as error:
        raise DataError(
            f"{database} is not AFLW's data base, or is cut off ({error}): unpack aflw-db.tar.gz "
            "again"
        ) from error
    return list(faces.values()), points


def _box(x: float | None, y: float | None, width: float | None, height: float | None) -> Box | None:
    """From an OpenCV ``Rect`` of whole pixels, whose last one is right - 1."""
    if x is None or y is None or not width or not height or min(width, height) < 1:
        return None
    return Box(x, y, x + width - 1, y + height - 1)
