"""Profiles of which half was clicked: the other half is the mean head's, and teaches nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mien.datasets.public.cfp import CfpFaces, complete_profile, read_cfp
from mien.errors import DataError
from mien.geometry import rotation_from_angles
from mien.geometry.convention import Convention, mean_head_cm
from mien.types import HeadPose

NEAR = [*range(9), 17, 19, 21, 27, 28, 29, 30, 31, 32, 33, *range(36, 42), 48, 51, 57, 62, 66]


def posed(yaw_deg: float) -> np.ndarray:
    """The mean head of the clicked convention, 8 px a centimetre, in the middle of 240x260."""
    rotation = rotation_from_angles(HeadPose(yaw_deg, 5, -8))
    points = mean_head_cm(Convention.CLICKED) @ rotation.T * 8
    return np.asarray(points - points.mean(axis=0) + [120, 130, 0])


def clicked(points: np.ndarray) -> np.ndarray:
    some = np.full((68, 2), np.nan, np.float32)
    some[NEAR] = points[NEAR, :2]
    return some


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    points = np.stack([clicked(posed(yaw)) for yaw in (60, 75)])
    for name in ("001_01.jpg", "411_01.jpg"):
        Image.new("RGB", (240, 260)).save(tmp_path / name)
    np.savez(
        tmp_path / "labels.npz",
        name=np.array(["001_01.jpg", "411_01.jpg"]),
        points68=points,
        yaw_abs_deg=np.array([60.0, 75.0]),
        faces_image_right=np.array([True, False]),
        split=np.array(["train", "val"]),
    )
    return tmp_path


@pytest.mark.parametrize("yaw_deg", [-85.0, -50.0, 50.0, 70.0, 85.0])
def test_the_far_half_of_a_mean_head_is_found_again(yaw_deg: float) -> None:
    truth = posed(yaw_deg)
    complete = complete_profile(clicked(truth).astype(np.float64))
    np.testing.assert_allclose(complete[:, :2], truth[:, :2], atol=0.5)
    np.testing.assert_allclose(complete[:, 2], truth[:, 2] - truth[:, 2].mean(), atol=0.8)


def test_splits_by_person_and_signed_yaw(folder: Path) -> None:
    (train,), (val,) = read_cfp(folder, split="train"), read_cfp(folder, split="val")
    assert (train.name, train.yaw_deg) == ("001_01.jpg", 60)
    assert (val.name, val.yaw_deg) == ("411_01.jpg", -75)
    assert np.flatnonzero(train.clicked).tolist() == NEAR


@pytest.mark.parametrize("points", [68, 84])
def test_only_clicked_points_are_trusted_and_no_depth(folder: Path, points: int) -> None:
    face = CfpFaces(folder, split="train", points=points).load(0)
    assert face.points.shape == (points, 3)
    assert np.isfinite(face.points).all()
    assert not face.has_depth
    inner = face.trusted[-51:]
    assert np.flatnonzero(inner).tolist() == [index - 17 for index in NEAR if index >= 17]
    assert face.trusted.sum() < points / 2 + 5


@pytest.mark.parametrize("break_it", ["missing", "damaged", "no split"])
def test_a_folder_that_is_not_the_set_is_one_line(folder: Path, break_it: str) -> None:
    if break_it == "missing":
        (folder / "labels.npz").unlink()
    elif break_it == "damaged":
        (folder / "labels.npz").write_bytes(b"PK")
    with pytest.raises(DataError):
        read_cfp(folder, split="test" if break_it == "no split" else "val")
