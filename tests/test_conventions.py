"""``docs/conventions.md`` is true: its rules against the code, its numbers against the page."""

from __future__ import annotations

import math
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.geometry import (
    FACE_SHARE,
    Similarity,
    angles_from_rotation,
    pose_head,
    rotation_from_angles,
    warp_crop,
)
from mien.markup import load_markup
from mien.types import Box, HeadPose

PAGE = " ".join(
    (Path(__file__).parents[1] / "docs" / "conventions.md").read_text(encoding="utf-8").split()
)
FLIP = np.diag([1.0, -1.0, -1.0])


def says(pattern: str) -> tuple[float, ...]:
    """The numbers that the page gives at this place."""
    match = re.search(pattern, PAGE)
    assert match is not None, f"the page no longer says {pattern}"
    return tuple(map(float, match.groups()))


NUMBER = r"(-?[\d.]*\d)"


def rotation_300w_lp(pitch: float, yaw: float, roll: float) -> np.ndarray:
    """Their matrices, written out as the page gives them."""
    (a, b, c), (x, y, z) = np.cos([pitch, yaw, roll]), np.sin([pitch, yaw, roll])
    about_x = np.array([[1, 0, 0], [0, a, x], [0, -x, a]])
    about_y = np.array([[b, 0, -y], [0, 1, 0], [y, 0, b]])
    about_z = np.array([[c, z, 0], [-z, c, 0], [0, 0, 1]])
    product: np.ndarray = about_x @ about_y @ about_z
    return product


def angles_300w_lp(ours: np.ndarray) -> tuple[float, float, float]:
    """(pitch, yaw, roll) in radians, by the page's formula."""
    return (
        math.atan2(ours[1, 2], ours[2, 2]),
        math.asin(ours[0, 2]),
        math.atan2(-ours[0, 1], ours[0, 0]),
    )


def test_a_pixels_centre_is_an_integer() -> None:
    """A single lit pixel, enlarged four times by OpenCV and by us, lies where the rule says."""
    image = np.zeros((16, 16, 3), np.uint8)
    image[5, 9] = 255
    expected = (np.array([9, 5]) + 0.5) * 4 - 0.5
    ours = warp_crop(image, Similarity(0.25, 0.0, (-0.375, -0.375)), 64)
    theirs = cv2.resize(image, (64, 64), interpolation=cv2.INTER_LINEAR)
    for enlarged in (ours, theirs):
        weight = enlarged[..., 0].astype(float)
        y, x = np.mgrid[:64, :64]
        found = np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()
        np.testing.assert_allclose(found, expected, atol=0.02)


def test_shares_of_the_side() -> None:
    torch = pytest.importorskip("torch")
    from mien.models.decoding import pixel_centres, pixels_from_shares

    (first,) = says(rf"Pixel 0 of 256 is share {NUMBER}")
    middle, heatmap_middle = says(rf"is pixel {NUMBER} of 256 and pixel {NUMBER} of a heatmap")
    assert first == pytest.approx(0.5 / 256 - 0.5, abs=1e-6)
    assert float(pixel_centres(256, torch.zeros(1))[0]) == pytest.approx(first, abs=1e-6)
    assert float(pixels_from_shares(torch.zeros(1), 256)) == middle
    assert float(pixels_from_shares(torch.zeros(1), 64)) == heatmap_middle


def test_a_mirrored_picture() -> None:
    image = np.random.default_rng(0).integers(0, 255, (4, 7, 3), dtype=np.uint8)
    mirrored = image[:, ::-1]
    for x in range(7):
        np.testing.assert_array_equal(mirrored[:, 7 - 1 - x], image[:, x])


def test_box_and_size() -> None:
    box = Box.around(np.array([[10.0, 20.0, 5.0], [14.0, 29.0, -5.0]]))
    assert (box.width, box.height) == (4, 9)
    (share,) = says(rf"its box at {NUMBER} of the side")
    assert share == FACE_SHARE
    (radius,) = says(rf"at most {NUMBER} face sizes off")
    pytest.importorskip("torch")
    from mien.export import CONFIDENCE_RADIUS

    assert radius == CONFIDENCE_RADIUS


def test_the_nose_is_near_and_the_ears_are_far() -> None:
    mean = load_markup(68).mean_shape
    assert mean[30, 2] < -0.2
    assert mean[[0, 16], 2].min() > 0.2
    np.testing.assert_allclose(pose_head(mean, mean).rotation, np.eye(3), atol=1e-9)


def test_the_worked_pose() -> None:
    yaw, pitch, roll = says(rf"Worked: yaw {NUMBER}, pitch {NUMBER}, roll {NUMBER}")
    rotation = rotation_from_angles(HeadPose(yaw, pitch, roll))
    forward = says(rf"look along \({NUMBER}, {NUMBER}, {NUMBER}\)")
    up = says(rf"points to \({NUMBER}, {NUMBER}, {NUMBER}\)")
    np.testing.assert_allclose(rotation @ [0, 0, -1], forward, atol=5e-5)
    np.testing.assert_allclose(rotation @ [0, -1, 0], up, atol=5e-5)
    theirs = says(rf"above is pitch {NUMBER}, yaw {NUMBER}, roll {NUMBER} in their")
    np.testing.assert_allclose(np.degrees(angles_300w_lp(rotation)), theirs, atol=5e-3)


def test_turns_about_one_axis_differ_by_their_sign() -> None:
    for pose, theirs in [
        (HeadPose(25, 0, 0), (0, -25, 0)),
        (HeadPose(0, 25, 0), (-25, 0, 0)),
        (HeadPose(0, 0, 25), (0, 0, 25)),
    ]:
        found = np.degrees(angles_300w_lp(rotation_from_angles(pose)))
        np.testing.assert_allclose(found, theirs, atol=1e-9)


@settings(max_examples=100)
@given(st.floats(-3.1, 3.1), st.floats(-1.5, 1.5), st.floats(-3.1, 3.1))
def test_300w_lp_angles_come_back(pitch: float, yaw: float, roll: float) -> None:
    ours = FLIP @ rotation_300w_lp(pitch, yaw, roll) @ FLIP
    np.testing.assert_allclose(angles_300w_lp(ours), (pitch, yaw, roll), atol=1e-9)
    np.testing.assert_allclose(rotation_from_angles(angles_from_rotation(ours)), ours, atol=1e-9)


def test_a_head_posed_their_way_is_read_our_way() -> None:
    """Points turned in y-up space and flipped to the picture: their numbers in, the formula out."""
    mean = load_markup(68).mean_shape
    theirs = rotation_300w_lp(0.3, -0.8, 0.2)
    points_up = (mean @ FLIP) @ theirs.T
    head = pose_head(points_up @ FLIP * 100, mean)
    np.testing.assert_allclose(angles_300w_lp(head.rotation), (0.3, -0.8, 0.2), atol=1e-9)
    assert head.pose.yaw_deg > 30  # their negative yaw looks to the image's right


def test_the_mean_shape_has_its_unit() -> None:
    for points in (68, 84):
        mean = load_markup(points).mean_shape
        width, height, _ = np.ptp(mean, axis=0)
        assert math.sqrt(width * height) == pytest.approx(1, abs=1e-5)
        np.testing.assert_allclose(mean.mean(axis=0), 0, atol=1e-5)
