"""The reader of our own pack, on a pack of five faces."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.datasets.ours.pack import read_face_pack, read_pack
from mien.datasets.ours.pack_writer import PackWriter
from mien.errors import DataError
from mien.geometry import rotation_from_angles
from mien.markup import load_markup
from mien.types import HeadPose, Landmarks

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
        mediapipe478=np.full((5, 478, 3), -32768, np.int16),
        tddfa68=np.full((5, 68, 3), -32768, np.int16),
        disagreement=np.full(5, np.nan, np.float32),
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
    with pytest.raises(DataError, match="lacks source, split, manual68"):
        read_face_pack(tmp_path)
    file.write_bytes(whole)
    with np.load(file) as arrays:
        np.savez(file, **(dict(arrays) | {"manual68": np.zeros((5, 51, 2), np.int16)}))
    with pytest.raises(DataError, match=r"manual68 should be \(5, 68, 2\)"):
        read_face_pack(tmp_path)


def test_a_pack_that_nobody_clicked_is_measured_against_what_annotated_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    writer = PackWriter(tmp_path, 0.5, "fast of mien (research)")
    points = 40 * load_markup(68).mean_shape @ rotation_from_angles(HeadPose(25, 0, 0)).T
    face = Landmarks(points + np.array([50.0, 50, 0]), np.ones(68))
    for number in range(6):
        writer.add(f"{number}.jpg", np.zeros((100, 100, 3), np.uint8), face)
    writer.close()
    photos = read_face_pack(tmp_path, split="train")
    assert len(photos) == (read_pack(tmp_path).split == "train").sum() > 0
    assert "nobody clicked points" in caplog.text
    assert photos[0].yaw_deg == pytest.approx(25, abs=0.5)
    extent = np.ptp(photos[0].points_image, axis=0)
    np.testing.assert_allclose(extent, np.ptp(points[:, :2], axis=0), atol=0.2)
    assert photos[0].convention == "clicked"


def test_one_photo_at_least_is_held_out(tmp_path: Path) -> None:
    writer = PackWriter(tmp_path, 1e-9, "fast of mien (research)")
    face = Landmarks(40 * load_markup(68).mean_shape + [50, 50, 0], np.ones(68))
    for name in ("a.jpg", "b.jpg", "a.jpg"):
        writer.add(name, np.zeros((100, 100, 3), np.uint8), face)
    writer.close()
    pack = read_pack(tmp_path)
    assert sorted(set(pack.split.tolist())) == ["train", "val"]
    assert pack.split[0] == pack.split[2]
    assert pack.teacher is not None
    assert set(pack.teacher.tolist()) == {"fast of mien (research)"}


def test_some_of_the_faces(tmp_path: Path) -> None:
    write_pack(tmp_path)
    some = read_pack(tmp_path).take(np.array([4, 1]))
    assert some.path.tolist() == ["helen/e.jpg", "helen/b.jpg"]
    assert some.tddfa_params is not None
    assert some.tddfa_params.shape == (2, 62)
    assert some.confidence68 is None
