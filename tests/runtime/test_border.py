"""Confidence of faces that the border cuts: less, in order, and nobody else's."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mien.geometry import crop_from_landmarks
from mien.markup import load_markup
from mien.runtime.border import WEIGHTS, border_features, recalibrated

MEAN = load_markup(68).mean_shape
SIDE = 128
FAST = WEIGHTS["fast"]


def features_at(x: float, y: float, size: float = 100.0) -> np.ndarray:
    points = MEAN * size + np.array([x, y, 0.0])
    return border_features(points, crop_from_landmarks(points, MEAN, SIDE), SIDE, (640, 480))


@pytest.mark.parametrize("place", [(320, 240), (60, 240), (320, 60), (579, 240), (320, 419)])
def test_a_face_that_lies_in_the_picture_keeps_its_confidences(place: tuple[int, int]) -> None:
    sure = np.linspace(0.01, 0.99, 68)
    assert recalibrated(sure, features_at(*place), FAST) is sure


def test_the_further_out_the_less_sure() -> None:
    sure = np.full(68, 0.95)
    means = [recalibrated(sure, features_at(x, 240), FAST).mean() for x in (60, 45, 30, 15, 0, -30)]
    assert means[0] == pytest.approx(0.95)
    assert (np.diff(means) < 0).all()
    assert means[-1] < 0.6


def test_points_beyond_the_border_are_the_least_sure() -> None:
    points = MEAN * 100 + np.array([20.0, 240.0, 0.0])
    sure = recalibrated(np.full(68, 0.95), features_at(20, 240), FAST)
    outside = points[:, 0] < -0.5
    assert outside.any()
    assert sure[outside].max() < sure[points[:, 0] > 40].min()


@pytest.mark.parametrize("weights", WEIGHTS.values())
def test_the_map_keeps_the_order_of_confidences(weights: tuple[float, ...]) -> None:
    features = np.repeat(features_at(10, 240)[:1], 99, axis=0)
    mapped = recalibrated(np.linspace(0.01, 0.99, 99), features, weights)
    assert (np.diff(mapped) > 0).all()
    assert ((mapped > 0) & (mapped < 1)).all()


def test_the_weights_are_those_that_were_fitted() -> None:
    file = Path(__file__).parents[2] / "benchmarks" / "results" / "border_confidence.json"
    figures = json.loads(file.read_text(encoding="utf-8"))
    assert {name: list(one) for name, one in WEIGHTS.items()} == figures["weights"]
    for name in ("nano_val", "fast_val"):
        assert figures[name]["calibration_error"] < 0.05 < figures[name]["calibration_error_before"]
