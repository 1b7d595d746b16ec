"""The reader of our own pack, on a pack of five faces."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.datasets.ours.pack import read_face_pack
from mien.errors import DataError

NAMES = ["helen/a.jpg", "helen/b.jpg", "ytf/c.jpg", "lfw/d.jpg", "helen/e.jpg"]
SPLITS = ["test", "train", "test", "test", "val"]


def write_pack(root: Path) -> np.ndarray:
    """Five faces of 24 px; the lfw face has no manual labels. Returns manual68 in px."""
    points = np.random.default_rng(0).uniform(0, 24, (5, 68, 2)).round(2)
    stored = np.round(points * 32).astype(np.int16)
    stored[3] = -32768
    parameters = np.zeros((5, 62), np.float32)
    # Forward (third column) of a 3x4 pose in x right, y up, z towards the camera.
    parameters[:, [2, 10]] = [0.5, np.sqrt(0.75)]
    for name in NAMES:
        path = root / "faces" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.zeros((24, 24, 3), np.uint8))
    np.savez(
        root / "faces.npz",
        path=np.array(NAMES),
        source=np.array([name.split("/")[0] for name in NAMES]),
        split=np.array(SPLITS),
        manual68=stored,
        tddfa_params=parameters,
    )
    return stored / 32


def test_a_split_gives_its_manually_labelled_faces(tmp_path: Path) -> None:
    points = write_pack(tmp_path)
    photos = read_face_pack(tmp_path)
    assert [photo.name for photo in photos] == ["helen/a.jpg", "ytf/c.jpg"]
    np.testing.assert_array_equal(photos[1].points_image, points[2])
    assert photos[0].read_rgb().shape == (24, 24, 3)
    assert photos[0].convention == "clicked"
    assert photos[0].yaw_deg == pytest.approx(30, abs=1e-4)  # forward is half to the right


def test_split_and_source_choose(tmp_path: Path) -> None:
    write_pack(tmp_path)
    assert [one.name for one in read_face_pack(tmp_path, split="train")] == ["helen/b.jpg"]
    assert [one.name for one in read_face_pack(tmp_path, sources=["ytf"])] == ["ytf/c.jpg"]
    assert len(read_face_pack(tmp_path, sources=["ytf", "helen"])) == 2


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no faces\.npz"):
        read_face_pack(tmp_path)
    write_pack(tmp_path)
    with pytest.raises(DataError, match=r"no split 'dev': it has test, train, val"):
        read_face_pack(tmp_path, split="dev")
    with pytest.raises(DataError, match=r"no source 'afw': it has helen, lfw, ytf"):
        read_face_pack(tmp_path, sources=["afw"])
    with pytest.raises(DataError, match="none of the 1 faces chosen has manual labels"):
        read_face_pack(tmp_path, sources=["lfw"])


def test_a_pack_that_is_cut_off_or_of_another_shape_is_refused(tmp_path: Path) -> None:
    write_pack(tmp_path)
    file = tmp_path / "faces.npz"
    whole = file.read_bytes()
    for length in (0, 10, len(whole) // 2):
        file.write_bytes(whole[:length])
        with pytest.raises(DataError, match="not a whole face pack"):
            read_face_pack(tmp_path)
    np.savez(file, path=np.array(NAMES))
    with pytest.raises(DataError, match="not a whole face pack"):
        read_face_pack(tmp_path)
