"""A head put somewhere before a pinhole is found there again."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mien.errors import ConfigError
from mien.geometry import rotation_from_angles
from mien.geometry.convention import Convention, mean_head_cm
from mien.geometry.jaw import with_dense_jaw
from mien.geometry.metric_head import Axes, Camera, MetricHead, place_head
from mien.types import HeadPose

HEAD_CM = mean_head_cm(Convention.MIDDLE) - mean_head_cm(Convention.MIDDLE).mean(axis=0)
STRAIGHT = np.eye(3)


def seen(rotation: np.ndarray, position_cm: np.ndarray, camera: Camera) -> np.ndarray:
    """The points of the mean head in the picture; depth in px, as a network tells it."""
    points_cm = HEAD_CM @ rotation.T + position_cm
    ray = position_cm / np.linalg.norm(position_cm)
    depth_cm = (points_cm - position_cm) @ ray
    px_per_cm = camera.focal_px / position_cm[2]
    return np.column_stack([camera.project(points_cm), depth_cm * px_per_cm])


@pytest.mark.parametrize("x_cm", [-25.0, 0.0, 25.0])
@pytest.mark.parametrize("pose", [HeadPose(0, 0, 0), HeadPose(35, -10, 15), HeadPose(-50, 20, 0)])
@pytest.mark.parametrize("away_cm", [40.0, 80.0, 300.0])
def test_a_head_is_found_where_it_was_put(x_cm: float, pose: HeadPose, away_cm: float) -> None:
    camera = Camera.of_picture(1280, 720)
    rotation = rotation_from_angles(pose)
    position = np.array([x_cm * away_cm / 80, 5.0 * away_cm / 80, away_cm])
    head = place_head(seen(rotation, position, camera), camera)
    assert np.linalg.norm(head.position_cm - position) < 0.02 * away_cm
    apart = math.degrees(math.acos(np.clip((np.trace(head.rotation @ rotation.T) - 1) / 2, -1, 1)))
    assert apart < 1.5


def test_a_face_at_the_edge_that_looks_along_the_axis_is_not_turned() -> None:
    """As the picture shows it it is, by the angle of its ray: that is what `pose` says."""
    camera = Camera.of_picture(1280, 720)
    position = np.array([35.0, 0.0, 60.0])
    head = place_head(seen(STRAIGHT, position, camera), camera)
    assert np.abs(head.angles_deg(Axes.AVIATION)).max() < 1.5


def test_a_wider_lens_means_nearer() -> None:
    points = seen(STRAIGHT, np.array([0, 0, 80.0]), Camera.of_picture(640, 480, fov_deg=63))
    near = place_head(points, Camera.of_picture(640, 480, fov_deg=90)).distance_cm
    assert near < 60


def test_84_points_place_the_head_as_their_68_do() -> None:
    camera = Camera.of_picture(640, 480)
    points = seen(STRAIGHT, np.array([10, 0, 70.0]), camera)
    few, many = place_head(points, camera), place_head(with_dense_jaw(points), camera)
    np.testing.assert_allclose(few.matrix(), many.matrix(), atol=1e-9)


def test_angles_say_what_each_field_says() -> None:
    """Of a head that turns to its own right, lifts its nose, lowers its right ear: alone each."""
    right = MetricHead(rotation_from_angles(HeadPose(-20, 0, 0)), np.array([0, 0, 50.0]))
    up = MetricHead(rotation_from_angles(HeadPose(0, -20, 0)), np.array([0, 0, 50.0]))
    ear = MetricHead(rotation_from_angles(HeadPose(0, 0, -20)), np.array([0, 0, 50.0]))
    assert right.angles_deg(Axes.AVIATION) == pytest.approx([0, 0, 20])
    assert up.angles_deg(Axes.AVIATION) == pytest.approx([0, 20, 0])
    assert ear.angles_deg(Axes.AVIATION) == pytest.approx([20, 0, 0])
    # Looking to the picture's left: OpenCV's y points down, ARKit's up.
    assert right.angles_deg(Axes.OPENCV) == pytest.approx([0, 20, 0])
    assert right.angles_deg(Axes.ARKIT) == pytest.approx([0, -20, 0])


@pytest.mark.parametrize("axes", list(Axes))
def test_matrix_quaternion_and_angles_are_one_rotation(axes: Axes) -> None:
    head = MetricHead(rotation_from_angles(HeadPose(20, 10, 5)), np.array([3.0, 2.0, 60.0]))
    x, y, z, w = head.quaternion(axes)
    matrix = head.matrix(axes)[:3, :3]
    by_hand = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
    np.testing.assert_allclose(by_hand, matrix, atol=1e-12)
    about = [np.radians(angle) for angle in head.angles_deg(axes)]
    rx = np.array(
        [
            [1, 0, 0],
            [0, np.cos(about[0]), -np.sin(about[0])],
            [0, np.sin(about[0]), np.cos(about[0])],
        ]
    )
    ry = np.array(
        [
            [np.cos(about[1]), 0, np.sin(about[1])],
            [0, 1, 0],
            [-np.sin(about[1]), 0, np.cos(about[1])],
        ]
    )
    rz = np.array(
        [
            [np.cos(about[2]), -np.sin(about[2]), 0],
            [np.sin(about[2]), np.cos(about[2]), 0],
            [0, 0, 1],
        ]
    )
    product = rz @ ry @ rx if axes is Axes.AVIATION else rx @ ry @ rz
    np.testing.assert_allclose(product, matrix, atol=1e-12)


def test_arkit_is_in_metres_with_y_up_and_the_camera_looking_down_z() -> None:
    head = MetricHead(STRAIGHT, np.array([10.0, 20.0, 60.0]))
    np.testing.assert_allclose(head.matrix(Axes.ARKIT)[:3, 3], [0.1, -0.2, -0.6])


@pytest.mark.parametrize(
    "wrong", [{"fov_deg": 0}, {"fov_deg": 180}, {"focal_px": -1.0}, {"focal_px": math.nan}]
)
def test_a_camera_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        Camera.of_picture(640, 480, **wrong)
