"""Head pose: signs as documented, round trips, and recovery from a projected mean head."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.geometry import angles_from_rotation, pose_head, rotation_from_angles
from mien.markup import load_markup
from mien.types import HeadPose

MEAN = load_markup(68).mean_shape
CHIN, NOSE_TIP, EYES = 8, 30, list(range(36, 48))


def as_tuple(pose: HeadPose) -> tuple[float, float, float]:
    return pose.yaw_deg, pose.pitch_deg, pose.roll_deg


def posed(pose: HeadPose, scale: float = 120.0) -> np.ndarray:
    return np.asarray(scale * MEAN @ rotation_from_angles(pose).T + [300.0, 200.0, 0.0])


@settings(max_examples=100)
@given(st.floats(-179, 179), st.floats(-89, 89), st.floats(-179, 179))
def test_angles_come_back(yaw: float, pitch: float, roll: float) -> None:
    rotation = rotation_from_angles(HeadPose(yaw, pitch, roll))
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)
    assert as_tuple(angles_from_rotation(rotation)) == pytest.approx((yaw, pitch, roll), abs=1e-6)


def test_signs_are_those_a_person_sees() -> None:
    """Nose against eyes, forehead against chin: what each positive angle does to the picture."""
    forward, up = np.array([0.0, 0, -1]), np.array([0.0, -1, 0])
    to_the_right = rotation_from_angles(HeadPose(30, 0, 0)) @ forward
    np.testing.assert_allclose(to_the_right, [0.5, 0, -math.sqrt(0.75)], atol=1e-12)
    downwards = rotation_from_angles(HeadPose(0, 30, 0)) @ forward
    np.testing.assert_allclose(downwards, [0, 0.5, -math.sqrt(0.75)], atol=1e-12)
    clockwise = rotation_from_angles(HeadPose(0, 0, 30)) @ up
    np.testing.assert_allclose(clockwise, [0.5, -math.sqrt(0.75), 0], atol=1e-12)

    nose_right_of_eyes = posed(HeadPose(30, 0, 0))[NOSE_TIP, 0] - posed(HeadPose(30, 0, 0))[EYES, 0]
    assert nose_right_of_eyes.mean() > 10
    assert np.ptp(posed(HeadPose(0, 0, 40))[[27, CHIN], 0]) > 40
    tilted = posed(HeadPose(0, 0, 40))
    assert tilted[27, 0] > tilted[CHIN, 0]


def test_a_turned_head_keeps_its_roll_in_full_profile() -> None:
    for yaw in (-90, 90):
        pose = angles_from_rotation(rotation_from_angles(HeadPose(yaw, 12, -7)))
        assert as_tuple(pose) == pytest.approx((yaw, 12, -7))


@pytest.mark.parametrize("yaw", range(-105, 106, 15))
@pytest.mark.parametrize(("pitch", "roll"), [(0, 0), (25, -30), (-25, 60)])
def test_pose_from_two_dimensions(yaw: float, pitch: float, roll: float) -> None:
    pose = HeadPose(yaw, pitch, roll)
    head = pose_head(posed(pose)[:, :2], MEAN)
    assert as_tuple(head.pose) == pytest.approx(as_tuple(pose), abs=1e-3)
    assert head.scale == pytest.approx(120, rel=1e-4)
    np.testing.assert_allclose(head.project(MEAN), posed(pose)[:, :2], atol=0.01)


def test_pose_from_three_dimensions_does_not_ask_where_depth_begins() -> None:
    pose = HeadPose(50, -20, 15)
    points = posed(pose) + np.array([0, 0, 777.0])
    assert as_tuple(pose_head(points, MEAN).pose) == pytest.approx(as_tuple(pose))


@settings(max_examples=25)
@given(st.floats(0.02, 50), st.floats(-3000, 3000), st.floats(-3000, 3000), st.sampled_from([2, 3]))
def test_place_and_size_in_the_image_do_not_turn_a_head(
    scale: float, x: float, y: float, dims: int
) -> None:
    rng = np.random.default_rng(3)
    points = (posed(HeadPose(-35, 10, 5)) + rng.normal(0, 3, (68, 3)))[:, :dims]
    moved = points * scale + np.array([x, y, 0.0])[:dims]
    first, second = pose_head(points, MEAN), pose_head(moved, MEAN)
    assert as_tuple(first.pose) == pytest.approx(as_tuple(second.pose), abs=1e-5)
    assert second.scale == pytest.approx(first.scale * scale)


def test_rounds_lower_the_reprojection_error() -> None:
    """Against a search by scipy over rotation, scale and shift on noisy points."""
    from scipy.optimize import least_squares
    from scipy.spatial.transform import Rotation

    rng = np.random.default_rng(4)
    points = posed(HeadPose(40, 10, -20))[:, :2] + rng.normal(0, 3, (68, 2))

    def residual(values: np.ndarray) -> np.ndarray:
        rotation = Rotation.from_rotvec(values[:3]).as_matrix()
        return np.asarray(values[3] * MEAN @ rotation[:2].T + values[4:] - points).ravel()

    head = pose_head(points, MEAN)
    start = [*Rotation.from_matrix(head.rotation).as_rotvec(), head.scale, *head.translation]
    best = least_squares(residual, start)
    ours = np.square(head.project(MEAN) - points).sum()
    assert ours <= 2 * best.cost * 1.001
    optimum = angles_from_rotation(Rotation.from_rotvec(best.x[:3]).as_matrix())
    assert as_tuple(head.pose) == pytest.approx(as_tuple(optimum), abs=0.3)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("place", [0.0, 100.1, math.nan])
def test_points_without_a_pose_are_refused(dims: int, place: float) -> None:
    with pytest.raises(ValueError, match="no pose is defined"):
        pose_head(np.full((68, dims), place), MEAN)


def test_the_wrong_number_of_points_is_refused() -> None:
    with pytest.raises((ValueError, TypeError), match=r"68 points, not 67|Type-check"):
        pose_head(np.zeros((67, 2)), MEAN)
    with pytest.raises((ValueError, TypeError), match=r"a pose needs|Type-check"):
        pose_head(np.zeros((3, 2)), MEAN[:3])
