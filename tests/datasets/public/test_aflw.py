"""The AFLW reader, on data bases with the published tables."""

import contextlib
import sqlite3
from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.datasets.public.aflw import POINT_NAMES, read_aflw
from mien.errors import DataError
from mien.types import Box

SCHEMA = """
CREATE TABLE Faces (face_id INTEGER PRIMARY KEY, file_id TEXT, db_id TEXT);
CREATE TABLE FaceImages (image_id INTEGER PRIMARY KEY, db_id TEXT, file_id TEXT, filepath TEXT,
                         bw INTEGER, width INTEGER, height INTEGER);
CREATE TABLE FaceRect (face_id INTEGER PRIMARY KEY, x INTEGER, y INTEGER, w INTEGER, h INTEGER,
                       annot_type_id INTEGER);
CREATE TABLE FacePose (face_id INTEGER PRIMARY KEY, roll REAL, pitch REAL, yaw REAL,
                       annot_type_id INTEGER);
CREATE TABLE FeatureCoords (face_id INTEGER, feature_id INTEGER, x REAL, y REAL,
                            annot_type_id INTEGER, PRIMARY KEY (face_id, feature_id));
CREATE TABLE FeatureCoordTypes (feature_id INTEGER PRIMARY KEY, descr TEXT, code TEXT,
                                x REAL, y REAL, z REAL);
"""


def write_aflw(folder: Path) -> None:
    """Two photos: 0/image1.jpg with faces 39341 and 39342, 2/image2.jpg with 39343, unlabelled."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(folder / "aflw.sqlite")) as db, db:
        db.executescript(SCHEMA)
        types = [*POINT_NAMES, "LeftTemple"]
        db.executemany(
            "INSERT INTO FeatureCoordTypes VALUES (?, ?, '', 0, 0, 0)", enumerate(types, start=1)
        )
        db.executemany(
            "INSERT INTO FaceImages VALUES (?, 'aflw', ?, ?, 0, 60, 40)",
            [(1, "image1.jpg", "0/image1.jpg"), (2, "image2.jpg", "2/image2.jpg")],
        )
        files = {39342: "image1.jpg", 39341: "image1.jpg", 39343: "image2.jpg"}
        db.executemany("INSERT INTO Faces VALUES (?, ?, 'aflw')", files.items())
        db.execute("INSERT INTO FaceRect VALUES (39341, 10, 5, 20, 20, 1)")
        db.executemany(
            "INSERT INTO FeatureCoords VALUES (?, ?, ?, ?, 1)",
            [
                *((39341, number, 10.0 + number, 7.5) for number in range(1, 22)),
                (39342, 15, 40.25, 20.0),
                (39342, 22, 1.0, 1.0),
            ],
        )
    for name in ("0/image1.jpg", "2/image2.jpg", "3/unused.jpg"):
        (folder / "flickr" / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / "flickr" / name), np.zeros((40, 60, 3), np.uint8))


@pytest.mark.parametrize("inner", ["", "data"])
def test_points_and_boxes_are_read_as_they_are(tmp_path: Path, inner: str) -> None:
    write_aflw(tmp_path / inner)
    first, second = read_aflw(tmp_path)
    assert first.name == "0/image1.jpg#39341"
    assert first.visible.all()
    np.testing.assert_array_equal(first.points_image[:, 0], 10.0 + np.arange(1, 22))
    np.testing.assert_array_equal(first.points_image[:, 1], np.full(21, 7.5))
    # Columns 10 to 29 are twenty pixels.
    assert first.box == Box(10, 5, 29, 24)
    assert first.read_rgb().shape == (40, 60, 3)
    assert second.box is None


def test_points_that_nobody_could_see_are_nan(tmp_path: Path) -> None:
    write_aflw(tmp_path)
    second = read_aflw(tmp_path)[1]
    assert [POINT_NAMES[at] for at in np.flatnonzero(second.visible)] == ["NoseCenter"]
    np.testing.assert_array_equal(second.points_image[14], [40.25, 20.0])


def test_a_database_that_is_none_or_cut_off_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no aflw\.sqlite"):
        read_aflw(tmp_path)
    write_aflw(tmp_path)
    file = tmp_path / "aflw.sqlite"
    whole = file.read_bytes()
    for length in (0, 50, 5000, len(whole) // 2):
        file.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"aflw\.sqlite is not AFLW's data base, or is cut off"):
            read_aflw(tmp_path)


def test_photos_that_are_missing_are_counted(tmp_path: Path) -> None:
    write_aflw(tmp_path)
    (tmp_path / "flickr/2/image2.jpg").unlink()
    with pytest.raises(DataError, match=r"2/image2\.jpg is missing, and 1 of 2 photos"):
        read_aflw(tmp_path)


def test_a_database_without_points_is_refused(tmp_path: Path) -> None:
    write_aflw(tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / "aflw.sqlite")) as db, db:
        db.execute("DELETE FROM FeatureCoords")
    with pytest.raises(DataError, match="no face with one of the 21 points"):
        read_aflw(tmp_path)
