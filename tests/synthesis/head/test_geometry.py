"""Surface points, the rasteriser, the bent background: each against a closed form."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mien.geometry.pose import rotation_from_angles, yaw_deg
from mien.synthesis.head.raster import rasterise
from mien.synthesis.head.surface import SurfacePoints, nearest_on_surface
from mien.synthesis.render.background import bend_background, outline_of_mask
from mien.types import HeadPose

NO_SKIP = np.zeros(180, np.float32)


def test_nearest_point_of_a_triangle() -> None:
    corners = np.array([[0.0, 0, 0], [4, 0, 0], [0, 4, 0]])
    places = np.array([[1.0, 1, 5], [-2, -3, 1], [2, -1, 0], [4, 4, 0], [9, -1, 2]])
    expected = np.array([[1.0, 1, 0], [0, 0, 0], [2, 0, 0], [2, 2, 0], [4, 0, 0]])
    found = nearest_on_surface(places, corners, np.array([[0, 1, 2]]))
    np.testing.assert_allclose(found.of(corners), expected, atol=1e-5)


def test_surface_points_ride_along() -> None:
    corners = np.array([[0.0, 0, 0], [4, 0, 0], [0, 4, 0]])
    point = SurfacePoints(np.array([[0, 1, 2]]), np.array([[0.5, 0.25, 0.25]], np.float32))
    batch = np.stack([corners, corners + 7])
    np.testing.assert_allclose(point.of(batch), [[[1, 1, 0]], [[8, 8, 7]]])


# Front faces are wound clockwise as the picture shows them (y down): up, down, right.
TRIANGLE = np.array([[0, 1, 2]])


def test_a_right_triangle_covers_its_pixels() -> None:
    points = np.array([[1.0, 1, 5], [1, 9, 5], [9, 1, 5]])
    raster = rasterise(points, TRIANGLE, 12, 12)
    y, x = np.mgrid[:12, :12]
    np.testing.assert_array_equal(raster.mask, (x >= 1) & (y >= 1) & (x + y <= 10))
    # Values that are linear over the plane come back as they are.
    found = raster.blend((points[:, :2] @ [2.0, 3.0])[:, None])[:, 0]
    rows, columns = np.divmod(raster.pixel, 12)
    np.testing.assert_allclose(found, 2 * columns + 3 * rows, atol=1e-4)


def test_the_nearer_triangle_wins_whatever_the_order() -> None:
    near = np.array([[1.0, 1, 2], [1, 9, 2], [9, 1, 2]])
    far = near + np.array([0, 0, 6])
    for points in (np.concatenate([near, far]), np.concatenate([far, near])):
        raster = rasterise(points, np.array([[0, 1, 2], [3, 4, 5]]), 12, 12)
        np.testing.assert_allclose(raster.depth[raster.mask], 2, atol=1e-5)


def test_backs_are_not_drawn() -> None:
    points = np.array([[1.0, 1, 5], [9, 1, 5], [1, 9, 5]])
    assert not rasterise(points, TRIANGLE, 12, 12).mask.any()


MIDDLE = np.array([100.0, 100.0])


def disc(radius: float) -> np.ndarray:
    y, x = np.mgrid[:200, :200]
    return np.hypot(x - 100, y - 100) <= radius


def test_background_stays_when_the_outline_stays() -> None:
    field = bend_background(disc(50), disc(50), outline_of_mask(disc(50), MIDDLE), MIDDLE, NO_SKIP)
    y, x = np.mgrid[:200, :200]
    outside = ~disc(54)
    moved = np.hypot(field[..., 0] - x, field[..., 1] - y)[outside]
    assert moved.max() < 1.0


@pytest.mark.parametrize("turned", [35, 65])
def test_background_follows_the_outline_and_keeps_the_rim(turned: float) -> None:
    field = bend_background(
        disc(50), disc(turned), outline_of_mask(disc(50), MIDDLE), MIDDLE, NO_SKIP
    )
    radius = np.hypot(field[..., 0] - 100, field[..., 1] - 100)
    y, x = np.mgrid[:200, :200]
    here = np.hypot(x - 100, y - 100)
    at_outline = np.abs(here - turned - 2) < 0.5
    assert np.abs(radius[at_outline] - 51).max() < 4
    assert np.abs(radius - here)[0, 0] < 3


@pytest.mark.parametrize("yaw", [-88.0, -30.0, 0.0, 45.0, 90.0])
def test_yaw_is_the_one_of_the_pose(yaw: float) -> None:
    rotation = rotation_from_angles(HeadPose(yaw, 17.0, -25.0))
    assert yaw_deg(rotation) == pytest.approx(yaw, abs=1e-6)


def test_what_stands_in_a_dent_of_the_outline_stays_there() -> None:
    # A head on shoulders: beside the neck the outline, seen from the head, has dents.
    mask = np.zeros((240, 240), np.uint8)
    cv2.ellipse(mask, (120, 80), (45, 60), 0, 0, 360, 1, -1)
    cv2.rectangle(mask, (105, 80), (135, 200), 1, -1)
    cv2.rectangle(mask, (40, 180), (200, 239), 1, -1)
    same = mask.astype(bool)
    centre = np.array([120.0, 90.0])
    place = bend_background(same, same, outline_of_mask(same, centre), centre, NO_SKIP)
    beside_the_neck = (slice(155, 170), slice(65, 90))
    ys, xs = np.mgrid[beside_the_neck]
    stayed = place[beside_the_neck] - np.stack([xs, ys], axis=-1)
    assert np.abs(stayed).max() < 3
