"""Faults of cameras: none may move a landmark or break a picture."""

from __future__ import annotations

import numpy as np
import pytest

from mien.augmentation.degrade import _motion_blur, degrade


def dot(side: int, sigma: float) -> np.ndarray:
    """A soft bright dot in the very middle of a grey ground."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    value = 60 + 150 * np.exp(-(x**2 + y**2) / (2 * sigma**2))
    return np.asarray(np.repeat(value.round().astype(np.uint8)[..., None], 3, axis=2))


def centroid(image: np.ndarray) -> np.ndarray:
    """Of what stands out above the ground's median."""
    value = image.astype(np.float64).mean(axis=2)
    low, high = np.median(value), value.max()
    weight = np.clip(value - low - 0.3 * (high - low), 0, None)
    y, x = np.mgrid[: len(image), : len(image)] - (len(image) - 1) / 2
    return np.array([(weight * x).sum() / weight.sum(), (weight * y).sum() / weight.sum()])


@pytest.mark.parametrize("side", [64, 128, 256])
def test_motion_blur_leaves_the_middle_in_its_place(side: int) -> None:
    """Even kernels, and lines that lean to one side, would move it by up to half a pixel."""
    for seed in range(30):
        blurred = _motion_blur(dot(side, 0.1 * side), np.random.default_rng(seed))
        assert np.abs(centroid(blurred)).max() < 0.02


def test_no_fault_moves_a_face() -> None:
    shifts = np.array(
        [centroid(degrade(dot(128, 6.0), np.random.default_rng(seed))) for seed in range(120)]
    )
    assert np.abs(shifts.mean(axis=0)).max() < 0.1
    assert np.quantile(np.abs(shifts), 0.95) < 0.6


def test_pictures_stay_pictures() -> None:
    image = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    kept = image.copy()
    grey = 0
    for seed in range(60):
        spoilt = degrade(image, np.random.default_rng(seed))
        assert (spoilt.shape, spoilt.dtype) == (image.shape, image.dtype)
        assert spoilt.std() > 0
        grey += int(np.ptp(spoilt.astype(int), axis=2).max() < 8)
    np.testing.assert_array_equal(image, kept)
    assert 2 <= grey <= 20  # 15 % of sixty


def test_faults_follow_from_the_generator() -> None:
    image = dot(64, 5.0)
    for seed in range(20):
        first, second = (degrade(image, np.random.default_rng(seed)) for _ in range(2))
        np.testing.assert_array_equal(first, second)


def test_a_mirrored_view_can_be_spoilt() -> None:
    """``make_crop`` hands over views with negative steps."""
    image = dot(64, 5.0)
    for seed in range(20):
        np.testing.assert_array_equal(
            degrade(image[:, ::-1], np.random.default_rng(seed)),
            degrade(image[:, ::-1].copy(), np.random.default_rng(seed)),
        )
