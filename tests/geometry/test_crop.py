"""Crops: the pixel-centre rule, blobs under down-scaling, and where the mean head lands."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mien.geometry import (
    FACE_SHARE,
    Similarity,
    crop_from_box,
    crop_from_detection,
    crop_from_landmarks,
    crop_of_head_in_box,
    resize_crop,
    rotation_from_angles,
    warp_crop,
)
from mien.markup import load_markup
from mien.types import Box, Detection, HeadPose

MEAN = load_markup(68).mean_shape


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def blob(shape: tuple[int, int], centre: np.ndarray, sigma: float) -> np.ndarray:
    """A bright Gaussian about a place given in pixels with centres at integers."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    value = np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (2 * sigma**2))
    return np.asarray(np.repeat((250 * value).round().astype(np.uint8)[..., None], 3, axis=2))


def centroid(image: np.ndarray) -> np.ndarray:
    weight = image[..., 0].astype(np.float64)
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    return np.array([(weight * x).sum() / weight.sum(), (weight * y).sum() / weight.sum()])


def test_a_whole_shift_is_a_slice() -> None:
    image = noise(90, 120)
    crop = warp_crop(image, Similarity(1.0, 0.0, (31.0, 17.0)), 48)
    np.testing.assert_array_equal(crop, image[17 : 17 + 48, 31 : 31 + 48])


def test_whole_blocks_are_averaged() -> None:
    """Three image pixels to one: pixel 0 of the crop covers 0..2 of the image, centre 1."""
    image = noise(96, 96)
    crop = warp_crop(image, Similarity(3.0, 0.0, (1.0, 1.0)), 16)
    blocks = image[:48, :48].reshape(16, 3, 16, 3, 3).mean(axis=(1, 3))
    assert np.abs(crop - blocks).max() <= 0.5  # rounded


def test_resizing_keeps_the_same_edges() -> None:
    """Centres: x_old = (x_new + 0.5) / 2 - 0.5 when the crop gets twice the pixels."""
    image_from_crop = Similarity(1.3, 0.4, (40.0, 50.0))
    double = resize_crop(image_from_crop, 64, 128)
    new = np.array([[0.0, 0.0], [127.0, 127.0], [3.0, 90.0], [-0.5, 127.5]])
    old = (new + 0.5) / 2 - 0.5
    np.testing.assert_allclose(double.apply(new), image_from_crop.apply(old))
    back = resize_crop(double, 128, 64)
    np.testing.assert_allclose(back.matrix, image_from_crop.matrix)


@pytest.mark.parametrize(
    ("scale", "angle"), [(0.37, 0.3), (1.0, -0.7), (1.9, 0.2), (2.0, 0.0), (3.7, 0.0), (3.7, 0.5)]
)
def test_a_blob_lands_where_the_transform_says(scale: float, angle: float) -> None:
    for trial in range(4):
        shift = np.random.default_rng(trial).uniform(0, 1, 2)
        image_from_crop = Similarity.about(
            (31.5, 31.5), scale=scale, angle_rad=angle, shift=tuple(250 - 31.5 + shift)
        )
        place = np.array([28.3, 35.6]) + shift
        image = blob((500, 500), image_from_crop.apply(place), sigma=3.0 * scale)
        found = centroid(warp_crop(image, image_from_crop, 64))
        assert np.abs(found - place).max() < 0.05


def test_a_strongly_shrunk_crop_is_the_mean_of_what_it_covers() -> None:
    """A chess board of single pixels turns grey instead of black or white."""
    board = np.indices((400, 400)).sum(axis=0) % 2 * 255
    image = np.repeat(board.astype(np.uint8)[..., None], 3, axis=2)
    crop = warp_crop(image, Similarity(6.0, 0.0, (10.3, 11.1)), 60)
    assert np.abs(crop.astype(int) - 127.5).max() <= 1


@pytest.mark.parametrize("scale", [0.5, 1.0, 4.0])
def test_beyond_the_image_is_black(scale: float) -> None:
    image = np.full((50, 50, 3), 255, np.uint8)
    away = warp_crop(image, Similarity(scale, 0.0, (1000.0, -700.0)), 32)
    assert away.shape == (32, 32, 3)
    assert not away.any()
    half = warp_crop(image, Similarity(scale, 0.0, (-8 * scale, 0.0)), 8 + int(20 / scale))
    assert not half[:, :7].any()
    assert half[2:-2, 10:-2].min() == 255


def test_the_front_of_the_mean_head_fills_its_share_in_the_middle() -> None:
    points = MEAN * 83.0 + [400.0, 300.0, 0.0]
    crop_points = crop_from_landmarks(points, MEAN, 256).inverse().apply(points)
    box = Box.around(crop_points)
    assert math.sqrt(box.width * box.height) == pytest.approx(FACE_SHARE * 256, rel=1e-3)
    assert box.centre == pytest.approx((127.5, 127.5), abs=0.01)


@pytest.mark.parametrize("yaw", [-80, -40, 0, 40, 80])
def test_a_turned_head_keeps_its_size_and_stands_upright(yaw: float) -> None:
    rotation = rotation_from_angles(HeadPose(yaw, 10, 35))
    points = 90.0 * MEAN @ rotation.T + [400.0, 300.0, 0.0]
    crop = crop_from_landmarks(points, MEAN, 128)
    assert 90.0 / crop.scale == pytest.approx(FACE_SHARE * 128, rel=1e-3)
    assert math.degrees(crop.angle_rad) == pytest.approx(35, abs=0.01)


def test_a_crop_follows_its_face() -> None:
    """Move the face by a similarity and its crop moves by the same."""
    rng = np.random.default_rng(5)
    points = MEAN[:, :2] * 70 + rng.normal(0, 1.5, (68, 2)) + [200, 150]
    move = Similarity(1.8, 0.6, (33.0, -12.0))
    np.testing.assert_allclose(
        crop_from_landmarks(move.apply(points), MEAN, 96).matrix,
        (move @ crop_from_landmarks(points, MEAN, 96)).matrix,
        atol=1e-4,
    )


@pytest.mark.parametrize("yaw", [-80, 0, 40])
def test_a_box_and_a_turn_lead_to_the_crop_of_the_head(yaw: float) -> None:
    """However far off the points are that the turn was read from."""
    rotation = rotation_from_angles(HeadPose(yaw, 10, 35))
    head = 90.0 * MEAN @ rotation.T + [400.0, 300.0, 0.0]
    astray = 117.0 * MEAN @ rotation.T + [430.0, 285.0, 0.0]
    crop = crop_of_head_in_box(Box.around(head), astray, MEAN, 128)
    wanted = crop_from_landmarks(head, MEAN, 128)
    np.testing.assert_allclose(crop.matrix, wanted.matrix, atol=1e-6)
    assert not np.allclose(crop_from_landmarks(astray, MEAN, 128).matrix, wanted.matrix, atol=1)


def test_a_box_becomes_the_middle_of_the_crop() -> None:
    crop = crop_from_box(Box(100.0, 50.0, 180.0, 130.0), 256)
    np.testing.assert_allclose(crop.apply(np.array([127.5, 127.5])), [140, 90])
    assert 80 / crop.scale == pytest.approx(FACE_SHARE * 256)
    assert crop_from_box(Box(5.0, 5.0, 5.0, 5.0), 256).scale > 0


def test_a_detection_is_stood_upright_by_its_points() -> None:
    """Turn a detected face by 50 degrees about its box's centre: the crop turns with it."""
    eyes_mouth = np.array([[80.0, 80.0], [120, 80], [100, 100], [85, 120], [115, 120]])
    box = Box(60.0, 50.0, 140.0, 150.0)
    upright = crop_from_detection(Detection(box, 0.9, eyes_mouth), 256)
    turn = Similarity.about((100.0, 100.0), angle_rad=math.radians(50))
    turned = crop_from_detection(Detection(box, 0.9, turn.apply(eyes_mouth)), 256)
    np.testing.assert_allclose(turned.matrix, (turn @ upright).matrix, atol=1e-9)
    bare = crop_from_detection(Detection(box, 0.9), 256)
    np.testing.assert_allclose(bare.matrix, upright.matrix, atol=1e-9)
