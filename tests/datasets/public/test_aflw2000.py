"""The AFLW2000-3D reader, on folders written in the published layout."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io

from mien.datasets.public.aflw2000 import read_aflw2000
from mien.errors import DataError


def write_photo(
    root: Path, stem: str = "image00002", *, pitch_yaw_roll: tuple[float, ...] = (0.1, -0.5, 0.0)
) -> np.ndarray:
    """One photo with its .mat as the authors store them; returns the stored (3, 68) points."""
    rng = np.random.default_rng(int(stem[-5:]))
    points = rng.uniform(100, 300, (3, 68)).astype(np.float32)
    cv2.imwrite(str(root / f"{stem}.jpg"), np.zeros((450, 450, 3), np.uint8))
    pose = np.array([[*pitch_yaw_roll, 225.0, 225.0, -100.0, 0.001]], np.float32)
    extras = {"pt2d": np.zeros((2, 21)), "roi": np.array([[1, 1, 450, 450]])}
    scipy.io.savemat(root / f"{stem}.mat", {"pt3d_68": points, "Pose_Para": pose, **extras})
    return points


def test_x_and_y_are_kept_and_z_is_turned_away_from_the_camera(tmp_path: Path) -> None:
    stored = write_photo(tmp_path)
    (photo,) = read_aflw2000(tmp_path)
    np.testing.assert_allclose(photo.points_image[:, :2], stored[:2].T)
    nearest_to_the_camera = int(stored[2].argmax())  # stored: z grows towards the camera
    assert int(photo.points_image[:, 2].argmin()) == nearest_to_the_camera
    assert photo.points_image[:, 2].mean() == pytest.approx(0, abs=1e-4)
    assert np.ptp(photo.points_image[:, 2]) == pytest.approx(np.ptp(stored[2]), rel=1e-6)
    assert photo.valid.all()


def test_yaw_is_positive_towards_the_images_right(tmp_path: Path) -> None:
    # Pose_Para's rotation, as published, turns the nose (z towards the camera) by R = Rx Ry Rz
    # with Ry = [[c, 0, -s], [0, 1, 0], [s, 0, c]]: the nose's x is -sin(yaw).
    write_photo(tmp_path, pitch_yaw_roll=(0.0, -0.5, 0.0))
    nose_x = -np.sin(-0.5)
    (photo,) = read_aflw2000(tmp_path)
    assert photo.yaw_deg is not None
    assert nose_x > 0
    assert photo.yaw_deg == pytest.approx(np.degrees(0.5), abs=1e-4)


def test_photos_come_in_order_and_are_read_as_rgb(tmp_path: Path) -> None:
    for stem in ("image00010", "image00002"):
        write_photo(tmp_path, stem)
    red_bgr = np.zeros((450, 450, 3), np.uint8)
    red_bgr[:, :, 2] = 255
    cv2.imwrite(str(tmp_path / "image00002.jpg"), red_bgr)
    photos = read_aflw2000(tmp_path)
    assert [photo.name for photo in photos] == ["image00002", "image00010"]
    assert photos[0].read_rgb()[200, 200, 0] > 250
    assert photos[0].read_rgb()[200, 200, 2] < 5


def test_a_reannotation_beside_the_photos_is_a_second_truth(tmp_path: Path) -> None:
    for stem in ("image00002", "image00010"):
        write_photo(tmp_path, stem)
    points = np.arange(136, dtype=np.float32).reshape(1, 68, 2)
    np.savez(tmp_path / "labels.npz", name=np.array(["image00010"]), reannotated_68=points)
    without, having = read_aflw2000(tmp_path)
    assert without.other_truths == ()
    assert having.other_truths[0].name == "reannotated"
    np.testing.assert_array_equal(having.other_truths[0].points_image, points[0])


def test_without_pose_the_yaw_is_unknown(tmp_path: Path) -> None:
    write_photo(tmp_path)
    scipy.io.savemat(tmp_path / "image00002.mat", {"pt3d_68": np.eye(3, 68)})
    assert read_aflw2000(tmp_path)[0].yaw_deg is None


def test_a_mat_file_cut_anywhere_is_one_clear_error(tmp_path: Path) -> None:
    write_photo(tmp_path)
    mat = tmp_path / "image00002.mat"
    whole = mat.read_bytes()
    # pt3d_68 is written first: 900 bytes hold the header and a part of it.
    for length in (0, 1, 60, 128, 140, 200, 500, 900):
        mat.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"image00002\.mat"):
            read_aflw2000(tmp_path)


@pytest.mark.parametrize(
    "points", [np.zeros((68, 3)), np.zeros((3, 67)), np.full((3, 68), np.nan)], ids=str
)
def test_points_of_another_shape_are_refused(tmp_path: Path, points: np.ndarray) -> None:
    write_photo(tmp_path)
    scipy.io.savemat(tmp_path / "image00002.mat", {"pt3d_68": points})
    with pytest.raises(DataError, match=r"\(3, 68\)"):
        read_aflw2000(tmp_path)


def test_wrong_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no imageNNNNN"):
        read_aflw2000(tmp_path / "nowhere")
    with pytest.raises(DataError, match="holds no imageNNNNN"):
        read_aflw2000(tmp_path)
    write_photo(tmp_path)
    (tmp_path / "image00002.mat").unlink()
    with pytest.raises(DataError, match="has no image00002"):
        read_aflw2000(tmp_path)


def test_a_broken_reannotation_is_refused(tmp_path: Path) -> None:
    write_photo(tmp_path)
    labels = tmp_path / "labels.npz"
    labels.write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(DataError, match=r"labels\.npz"):
        read_aflw2000(tmp_path)
    np.savez(labels, name=np.array(["image00002"]), reannotated_68=np.zeros((2, 68, 2)))
    with pytest.raises(DataError, match="reannotated_68 should be"):
        read_aflw2000(tmp_path)


def test_a_photo_that_is_gone_or_empty_says_so(tmp_path: Path) -> None:
    write_photo(tmp_path)
    (photo,) = read_aflw2000(tmp_path)
    photo.image_path.write_bytes(b"")
    with pytest.raises(DataError, match="holds no picture"):
        photo.read_rgb()
    photo.image_path.unlink()
    with pytest.raises(DataError, match="cannot be read"):
        photo.read_rgb()
