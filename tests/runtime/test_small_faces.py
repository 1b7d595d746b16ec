"""Faces too small for the look at the whole picture: tiles by counting, faces by a photo."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from mien.runtime.detectors import CenterFace
from mien.runtime.detectors.tiles import fine_ratio, tiles_of
from mien.types import Frame

SIZES = [
    (1920, 1080),
    (720, 8000),
    (8000, 720),
    (4000, 3000),
    (12240, 16320),
    (800, 600),
    (60, 9000),
]
FACE = (222.5, 112.0, 95.0)
"""Centre and width of CenterFace's box in the portrait, by eye."""


@pytest.fixture(scope="module")
def detector() -> CenterFace:
    return CenterFace(threads=1)


def with_portrait(width: int, height: int, face_px: float, left: int, top: int) -> np.ndarray:
    """The portrait, its face so wide, in a grey picture."""
    import skimage.data  # a photo by NASA, inside scikit-image's wheel

    portrait = np.asarray(skimage.data.astronaut())
    scale = face_px / FACE[2]
    small = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    picture = np.full((height, width, 3), 115, np.uint8)
    picture[top : top + small.shape[0], left : left + small.shape[1]] = small
    return picture


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_each_place_is_one_tiles_and_a_face_there_lies_whole_in_it(width: int, height: int) -> None:
    whole = 512 / max(width, height)
    ratio = fine_ratio(width, height, whole)
    assert ratio is not None
    overlap = 36 / whole
    tiles = list(tiles_of(width, height, ratio, overlap))
    looked_at = sum((t.right - t.left) * (t.bottom - t.top) for t in tiles) * ratio**2
    assert looked_at <= 2.1e6 * 2.5  # overlaps are looked at twice
    assert all(t.right - t.left <= 736 / ratio + 1 for t in tiles)
    assert all(t.bottom - t.top <= 736 / ratio + 1 for t in tiles)
    shortest = min(min(t.right - t.left, t.bottom - t.top) for t in tiles)
    reach = min(overlap, shortest / 2) / 2 - 1
    for x, y in (
        np.random.default_rng(1).uniform(-0.4, (width - 0.6, height - 0.6), (300, 2)).tolist()
    ):
        (own,) = [t for t in tiles if t.owns((x, y))]
        assert own.left <= max(x - reach, 0)
        assert min(x + reach, width) <= own.right
        assert own.top <= max(y - reach, 0)
        assert min(y + reach, height) <= own.bottom


def test_a_second_look_that_is_hardly_finer_is_none() -> None:
    assert fine_ratio(640, 360, 512 / 640) is None
    assert fine_ratio(512, 512, 1.0) is None
    assert fine_ratio(1920, 1080, 1024 / 1920) == 1.0
    assert fine_ratio(20_000, 20_000, 512 / 20_000) == pytest.approx(math.sqrt(2.1e6) / 20_000)


@pytest.mark.parametrize(
    ("width", "height", "face_px", "left", "top"),
    [
        (1920, 1080, 28, 800, 400),
        (1080, 1920, 28, 500, 1500),
        (720, 8000, 110, 10, 2000),
        (8000, 720, 130, 6000, 5),
        (640, 20_000, 110, 20, 12_000),
        (4000, 3000, 70, 1900, 1400),
    ],
)
def test_a_small_face_is_found_by_the_closer_look_alone(
    detector: CenterFace, width: int, height: int, face_px: float, left: int, top: int
) -> None:
    frame = Frame(with_portrait(width, height, face_px, left, top), 0, 0.0)
    scale = face_px / FACE[2]
    assert all(found.box.width > 1.5 * face_px for found in detector.find(frame))
    (found,) = detector.find_small(frame)
    truth = np.array([left + FACE[0] * scale, top + FACE[1] * scale])
    np.testing.assert_allclose(found.box.centre, truth, atol=0.15 * face_px)
    assert found.five_points is not None
    np.testing.assert_allclose(found.five_points.mean(axis=0), truth, atol=0.35 * face_px)


def test_who_asks_for_a_size_gets_one_look_of_that_size() -> None:
    frame = Frame(with_portrait(1920, 1080, 28, 800, 400), 0, 0.0)
    assert CenterFace(long_side=512, threads=1).find_small(frame) == []


def test_a_face_on_a_seam_between_two_tiles_is_one(detector: CenterFace) -> None:
    """1920 px are three tiles: the seams lie at 640 and 1280."""
    for middle in (640, 700, 1280):
        left = round(middle - FACE[0] * 40 / FACE[2])
        frame = Frame(with_portrait(1920, 1080, 40, left, 400), 0, 0.0)
        (found,) = detector.find_small(frame)
        assert abs(found.box.centre[0] - middle) < 6
