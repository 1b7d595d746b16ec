"""The filter against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mien.tracking.settings import SmoothingSettings
from mien.tracking.smoothing import PointFilter
from mien.tracking.steps import Clock

CERTAIN = np.ones(5)


def grid(offset: float = 0.0) -> np.ndarray:
    return np.arange(15, dtype=np.float64).reshape(5, 3) + offset


def test_still_points_come_back_exactly() -> None:
    one = PointFilter(SmoothingSettings())
    for _ in range(20):
        assert (one.update(grid(), CERTAIN, 100.0, 0.04) == grid()).all()


def test_at_rest_it_is_an_exponential_of_its_cutoff() -> None:
    """Without the speed term a step is answered by 1 - exp(-2 pi f t), whatever the frame rate."""
    settings = SmoothingSettings(rest_hz=1.5, open_hz=0.0)
    for rate in (25, 60):
        one = PointFilter(settings)
        one.update(grid(), CERTAIN, 100.0, 1 / rate)
        for _ in range(rate // 5):
            answer = one.update(grid(8.0), CERTAIN, 100.0, 1 / rate)
        expected = 8 * (1 - math.exp(-2 * math.pi * 1.5 * 0.2))
        np.testing.assert_allclose(answer - grid(), expected)


def test_a_moving_face_does_not_lag() -> None:
    """At half a face size a second the points are less than 1 % of the face behind."""
    one, size, rate = PointFilter(SmoothingSettings()), 100.0, 25
    for index in range(50):
        truth = grid(0.5 * size * index / rate)
        shown = one.update(truth, CERTAIN, size, 1 / rate)
    assert np.abs(shown - truth).max() < 0.01 * size


def test_a_shaken_face_rests_and_a_slow_one_is_hardly_behind() -> None:
    """All points move alike: a quarter of a pixel at random, or 6 % of a face in a second."""
    rng = np.random.default_rng(0)
    size, rate = 160.0, 30
    shaken, slow = PointFilter(SmoothingSettings()), PointFilter(SmoothingSettings())
    shake = rng.normal(0, 0.25, (300, 3))
    shown = np.stack([shaken.update(grid() + off, CERTAIN, size, 1 / rate) for off in shake])
    spread = shown[30:].std(axis=0)[:, :2].mean()
    assert spread < 0.6 * 0.25
    for index in range(90):
        truth = grid(SmoothingSettings().shake * size * index / rate / math.sqrt(2))
        behind = np.linalg.norm((truth - slow.update(truth, CERTAIN, size, 1 / rate))[0, :2])
    assert behind < 0.005 * size


def test_noise_at_rest_shrinks_and_more_so_where_the_network_doubts() -> None:
    rng = np.random.default_rng(0)
    one, size = PointFilter(SmoothingSettings()), 100.0
    doubt = np.repeat([1.0, 0.0], 34)
    noise = rng.normal(0, 0.3, (400, 68, 3))
    shown = np.stack([one.update(n, doubt, size, 0.04) for n in noise])[50:]
    spread = shown.std(axis=(0, 2))
    assert spread[:34].mean() < 0.7 * 0.3
    assert spread[34:].mean() < 0.7 * spread[:34].mean()


def test_a_closing_eyelid_does_not_lag() -> None:
    """One point of a resting face moves 5 % of the face in 0.1 s: half of it shows at once."""
    one, size, rate = PointFilter(SmoothingSettings()), 100.0, 50
    points, certain = np.zeros((68, 3)), np.ones(68)
    for index in range(20):
        points[40, 1] = min(max(index - 10, 0), 5) * 0.01 * size
        shown = one.update(points, certain, size, 1 / rate)
        assert abs(shown[40, 1] - points[40, 1]) < 0.01 * size


def test_several_faces_at_once_are_as_each_alone() -> None:
    rng = np.random.default_rng(1)
    together = PointFilter(SmoothingSettings())
    alone = [PointFilter(SmoothingSettings()) for _ in range(3)]
    sizes = np.array([40.0, 100.0, 300.0])
    for _ in range(20):
        points, confidence = rng.normal(0, 5, (3, 5, 3)), rng.random((3, 5))
        shown = together.update(points, confidence, sizes, 0.03)
        for face, one in enumerate(alone):
            np.testing.assert_allclose(
                shown[face], one.update(points[face], confidence[face], sizes[face], 0.03)
            )


def test_twice_the_size_at_twice_the_distance_is_smoothed_alike() -> None:
    rng = np.random.default_rng(2)
    small, large = PointFilter(SmoothingSettings()), PointFilter(SmoothingSettings())
    for _ in range(20):
        points = rng.normal(0, 5, (5, 3))
        one = small.update(points, CERTAIN, 50.0, 0.04)
        two = large.update(2 * points, CERTAIN, 100.0, 0.04)
        np.testing.assert_allclose(2 * one, two)


def test_the_clock_only_goes_forward() -> None:
    clock = Clock()
    steps = [clock.tick(secs) for secs in (3.0, 3.1, 3.1, 2.0, 2.2, math.nan, 2.5)]
    assert steps == pytest.approx([1 / 30, 0.1, 0.1, 0.1, 0.2, 0.2, 0.3])
    assert clock.now_secs == pytest.approx(sum(steps))
