"""The 300W-LP reader, on folders written in the published layout."""

import logging
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io

from mien.datasets.public.head_basis import HeadBasis
from mien.datasets.public.w300lp import read_w300lp
from mien.errors import DataError

ROWS, COLUMNS = 40, 50


def write_photo(
    root: Path, subset: str = "AFW", stem: str = "AFW_1_0", *, yaw_rad: float = 0.0
) -> np.ndarray:
    """A photo with its two .mat files; returns pts_3d as stored."""
    points = np.column_stack([np.arange(1.0, 69), np.full(68, 30.0)])
    pose = np.array([[0.0, yaw_rad, 0.0, 25.0, 20.0, -66.7, 0.001]], np.float32)
    (root / subset).mkdir(parents=True, exist_ok=True)
    (root / "landmarks" / subset).mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(root / subset / f"{stem}.jpg"), np.zeros((ROWS, COLUMNS, 3), np.uint8))
    scipy.io.savemat(
        root / subset / f"{stem}.mat",
        {
            "pt2d": points.T + 0.5,
            "roi": np.array([[1, 1, 450, 450]], np.uint16),
            "Illum_Para": np.zeros((1, 10)),
            "Color_Para": np.zeros((1, 7)),
            "Tex_Para": np.zeros((199, 1)),
            "Shape_Para": np.full((199, 1), 2.0),
            "Exp_Para": np.full((29, 1), 3.0),
            "Pose_Para": pose,
        },
    )
    landmarks = root / "landmarks" / subset / f"{stem}_pts.mat"
    scipy.io.savemat(landmarks, {"pts_2d": points + 0.25, "pts_3d": points})
    return points


def bump_basis() -> HeadBasis:
    """Point 0 at (1000, 2000, 3000), moved in x by identity and in y by expression; others at 0."""
    mean = np.zeros((68, 3))
    mean[0] = 1000.0, 2000.0, 3000.0
    identity, expression = np.zeros((68, 3, 40)), np.zeros((68, 3, 10))
    identity[0, 0, 0] = 500.0
    expression[0, 1, 0] = 1000.0
    return HeadBasis(mean, identity, expression)


def test_pixels_are_counted_from_1_in_the_file_and_from_0_here(tmp_path: Path) -> None:
    stored = write_photo(tmp_path)
    (photo,) = read_w300lp(tmp_path)
    assert photo.name == "AFW/AFW_1_0"
    np.testing.assert_array_equal(photo.points_image, stored - 1)
    (contour,) = photo.other_truths
    assert contour.name == "contour"
    np.testing.assert_array_equal(contour.points_image, stored + 0.25 - 1)
    assert photo.read_rgb().shape == (ROWS, COLUMNS, 3)


def test_yaw_is_positive_towards_the_images_right(tmp_path: Path) -> None:
    write_photo(tmp_path, yaw_rad=-0.5)  # their nose's x is -sin(yaw): to the right
    assert read_w300lp(tmp_path)[0].yaw_deg == pytest.approx(np.degrees(0.5), abs=1e-4)


def test_a_basis_gives_depth_away_from_the_camera(tmp_path: Path) -> None:
    stored = write_photo(tmp_path)
    (photo,) = read_w300lp(tmp_path, basis=bump_basis())
    np.testing.assert_array_equal(photo.points_image[:, :2], stored - 1)
    # Point 0 is 3000 units nearer to the camera than the others: 3 px at scale 0.001.
    depth = photo.points_image[:, 2]
    assert depth.mean() == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(depth[0] - depth[1:], -3.0, rtol=1e-6)


def test_without_landmarks_the_basis_projects_x_and_y_too(tmp_path: Path) -> None:
    write_photo(tmp_path)
    (tmp_path / "landmarks").rename(tmp_path / "elsewhere")
    (photo,) = read_w300lp(tmp_path, basis=bump_basis())
    # x: 0.001 * (1000 + 2 * 500) + 25 = 27, from 1; y up: 0.001 * (2000 + 3 * 1000) + 20 = 25 of
    # 40 rows, so row 40 + 1 - 25 = 16 from 1.
    np.testing.assert_allclose(photo.points_image[0, :2], [26.0, 15.0], atol=1e-5)
    np.testing.assert_allclose(photo.points_image[1, :2], [24.0, 20.0], atol=1e-5)
    assert photo.other_truths == ()


def test_a_turned_head_projects_as_the_published_rotation_says(tmp_path: Path) -> None:
    # R = Rx(pitch) Ry(yaw) Rz(roll). Yaw pi/2 takes (x, y, z) to (-z, y, x).
    pose = np.array([0.0, np.pi / 2, 0.0, 25.0, 20.0, 0.0, 0.001])
    points = bump_basis().project(pose, np.zeros(40), np.zeros(10), ROWS)
    np.testing.assert_allclose(points[0, :2], [25 - 3 - 1, 40 - (20 + 2)], atol=1e-9)
    assert points[0, 2] - points[1, 2] == pytest.approx(-1.0)
    # Pitch pi/2 takes (x, y, z) to (x, z, -y); roll pi/2 takes (x, y, z) to (y, -x, z).
    pose[:3] = np.pi / 2, 0.0, 0.0
    points = bump_basis().project(pose, np.zeros(40), np.zeros(10), ROWS)
    np.testing.assert_allclose(points[0, :2], [25 + 1 - 1, 40 - (20 + 3)], atol=1e-9)
    assert points[0, 2] - points[1, 2] == pytest.approx(2.0)
    pose[:3] = 0.0, 0.0, np.pi / 2
    points = bump_basis().project(pose, np.zeros(40), np.zeros(10), ROWS)
    np.testing.assert_allclose(points[0, :2], [25 + 2 - 1, 40 - (20 - 1)], atol=1e-9)


def test_without_landmarks_and_basis_pt2d_is_the_truth_and_a_warning_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stored = write_photo(tmp_path)
    (tmp_path / "landmarks").rename(tmp_path / "elsewhere")
    with caplog.at_level(logging.WARNING):
        (photo,) = read_w300lp(tmp_path)
    np.testing.assert_array_equal(photo.points_image, stored + 0.5 - 1)
    assert "slide along the outline" in caplog.text


def test_subsets_come_in_order_and_mirrored_photos_when_asked(tmp_path: Path) -> None:
    for subset in ("LFPW", "AFW", "AFW_Flip"):
        for stem in ("b_0", "a_1"):
            write_photo(tmp_path, subset, stem)
    names = [photo.name for photo in read_w300lp(tmp_path)]
    assert names == ["AFW/a_1", "AFW/b_0", "LFPW/a_1", "LFPW/b_0"]
    names = [photo.name for photo in read_w300lp(tmp_path, flipped=True)]
    assert names[2:4] == ["AFW_Flip/a_1", "AFW_Flip/b_0"]


def test_labels_of_mirrored_photos_are_mirrored_where_the_set_has_none(tmp_path: Path) -> None:
    write_photo(tmp_path)
    write_photo(tmp_path, "AFW_Flip")
    own = read_w300lp(tmp_path, flipped=True)[1].points_image
    for file in (tmp_path / "landmarks/AFW_Flip").iterdir():
        file.unlink()
    (tmp_path / "landmarks/AFW_Flip").rmdir()
    original, mirrored = read_w300lp(tmp_path, flipped=True)
    np.testing.assert_array_equal(own, original.points_image)
    # Points 0 and 16 are the ears; point 16 lies at column 16 of 50 counted from 0.
    np.testing.assert_array_equal(mirrored.points_image[0], [50 - 1 - 16, 29])
    np.testing.assert_array_equal(mirrored.points_image[16], [50 - 1 - 0, 29])
    np.testing.assert_array_equal(mirrored.points_image[33], [50 - 1 - 33, 29])  # nose, its own


def test_listing_opens_no_file(tmp_path: Path) -> None:
    for folder in ("HELEN", "landmarks/HELEN"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("HELEN/a.jpg", "HELEN/a.mat", "landmarks/HELEN/a_pts.mat"):
        (tmp_path / name).write_bytes(b"not what it says")
    photos = read_w300lp(tmp_path)
    assert len(photos) == len(photos[:1]) == 1
    with pytest.raises(DataError, match=r"a\.mat is no readable \.mat file"):
        photos[0]


def test_a_file_cut_anywhere_is_one_clear_error(tmp_path: Path) -> None:
    write_photo(tmp_path)
    for name in ("landmarks/AFW/AFW_1_0_pts.mat", "AFW/AFW_1_0.mat"):
        whole = (tmp_path / name).read_bytes()
        for length in (0, 100, 128, 140, 500):
            (tmp_path / name).write_bytes(whole[:length])
            with pytest.raises(DataError, match=Path(name).name):
                read_w300lp(tmp_path)[0]


def test_points_of_another_shape_are_refused(tmp_path: Path) -> None:
    write_photo(tmp_path)
    landmarks = tmp_path / "landmarks/AFW/AFW_1_0_pts.mat"
    scipy.io.savemat(landmarks, {"pts_2d": np.zeros((68, 2)), "pts_3d": np.zeros((67, 2))})
    with pytest.raises(DataError, match=r"AFW_1_0_pts\.mat should hold pts_3d, \(68, 2\)"):
        read_w300lp(tmp_path)[0]
    scipy.io.savemat(tmp_path / "AFW/AFW_1_0.mat", {"Pose_Para": np.zeros((1, 6))})
    with pytest.raises(DataError, match=r"AFW_1_0\.mat should hold Pose_Para, 7 finite numbers"):
        read_w300lp(tmp_path)[0]


def test_missing_files_and_wrong_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="give the folder 300W_LP"):
        read_w300lp(tmp_path)
    write_photo(tmp_path)
    (tmp_path / "landmarks/AFW/AFW_1_0_pts.mat").unlink()
    with pytest.raises(DataError, match=r"AFW_1_0\.jpg has no .*AFW_1_0_pts\.mat"):
        read_w300lp(tmp_path)
    (tmp_path / "AFW/AFW_1_0.mat").unlink()
    with pytest.raises(DataError, match=r"AFW_1_0\.jpg has no AFW_1_0\.mat"):
        read_w300lp(tmp_path)


def test_a_basis_is_read_and_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    basis, file = bump_basis(), tmp_path / "basis.npz"
    np.savez(file, mean=basis.mean, shape=basis.shape, expression=basis.expression)
    np.testing.assert_array_equal(HeadBasis.load(file).shape, basis.shape)
    np.savez(file, mean=basis.mean)
    with pytest.raises(DataError, match=r"basis\.npz is no head basis"):
        HeadBasis.load(file)
    np.savez(file, mean=np.zeros((67, 3)), shape=basis.shape, expression=basis.expression)
    with pytest.raises(DataError, match=r"basis\.npz is no head basis"):
        HeadBasis.load(file)


def test_a_picture_that_is_cut_off_is_named_where_its_height_is_needed(tmp_path: Path) -> None:
    write_photo(tmp_path)
    (tmp_path / "AFW/AFW_1_0.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(DataError, match=r"AFW_1_0\.jpg is no readable picture"):
        read_w300lp(tmp_path, basis=bump_basis())[0]
    with pytest.raises(DataError, match=r"AFW_1_0\.jpg holds no picture"):
        read_w300lp(tmp_path)[0].read_rgb()
