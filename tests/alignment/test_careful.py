"""Averaged looks against biases and outliers put in by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from mien.alignment import CarefulPredictor, align
from mien.alignment.careful import Spread, average_points
from mien.geometry import Similarity, crop_from_landmarks
from mien.markup import load_markup
from mien.types import Landmarks, Prediction

MEAN = load_markup(68).mean_shape
SIDE = 128
IMAGE = np.zeros((240, 320, 3), np.uint8)
IMAGE[:, :160] = 255
"""White on the left, so that a mirrored picture is known by its first pixel."""
TRUTH = MEAN * 90 + np.array([130.0, 120.0, 0.0])


class Biased:
    """Sees the face where it is, and adds the same bias in every crop's own axes."""

    side = SIDE
    mean_shape = MEAN

    def __init__(self, bias: Sequence[float] = (0.0, 0.0), noise: float = 0.0) -> None:
        self.looks = 0
        self._bias = np.array([*bias, 0.0])
        self._noise = noise
        self._rng = np.random.default_rng(0)

    def predict(self, image_rgb: np.ndarray, places: Sequence[Similarity]) -> list[Prediction]:
        truth = TRUTH
        if image_rgb[0, 0, 0] == 0:
            truth = TRUTH[list(load_markup(68).mirror)].copy()
            truth[:, 0] = image_rgb.shape[1] - 1 - truth[:, 0]
        self.looks += len(places)
        return [self._look(truth, place) for place in places]

    def _look(self, truth: np.ndarray, place: Similarity) -> Prediction:
        in_crop = place.inverse().apply(truth) + self._bias
        in_crop[:17] += self._rng.normal(0, self._noise, (17, 3))
        return Prediction(Landmarks(place.apply(in_crop), np.full(68, 0.9)), 0.8)


def place() -> Similarity:
    return crop_from_landmarks(TRUTH, MEAN, SIDE)


def test_what_is_seen_alike_from_everywhere_stays_where_it_is() -> None:
    model = Biased()
    (seen,) = CarefulPredictor(model).predict(IMAGE, [place()])
    np.testing.assert_allclose(seen.landmarks.points_image, TRUTH, atol=1e-6)
    assert seen.score == pytest.approx(0.8)
    assert model.looks == CarefulPredictor.looks


def test_a_bias_to_one_side_is_undone_by_the_mirror() -> None:
    """3 px to the crop's right are 3 px to the left in the mirror; what is left is the turns'."""
    (alone,) = Biased((3, 0)).predict(IMAGE, [place()])
    (seen,) = CarefulPredictor(Biased((3, 0))).predict(IMAGE, [place()])
    off = np.abs(seen.landmarks.points_image - TRUTH)[:, :2].max()
    assert off < 0.02 * np.abs(alone.landmarks.points_image - TRUTH)[:, :2].max()


def test_points_the_looks_differ_about_are_doubted_and_the_others_are_not() -> None:
    (seen,) = CarefulPredictor(Biased(noise=4.0)).predict(IMAGE, [place()])
    sure = seen.landmarks.confidence
    assert sure[:17].max() < sure[17:].min() - 0.05
    (calm,) = CarefulPredictor(Biased(noise=0.2)).predict(IMAGE, [place()])
    assert calm.landmarks.confidence[:17].mean() > sure[:17].mean()


def test_several_faces_keep_their_looks_apart() -> None:
    crops = [place(), place() @ Similarity.about((63.5, 63.5), scale=1.2)]
    for seen in CarefulPredictor(Biased((1, 2))).predict(IMAGE, crops):
        assert np.abs(seen.landmarks.points_image - TRUTH)[:, :2].max() < 4
    assert CarefulPredictor(Biased()).predict(IMAGE, []) == []


def test_the_kept_face_is_looked_at_closely() -> None:
    model, close = Biased(), Biased()
    (seen,) = align(model, model, IMAGE, [place()], careful=CarefulPredictor(close))
    assert seen is not None
    assert (model.looks, close.looks) == (2, CarefulPredictor.looks)


def test_an_outlier_hardly_moves_the_mean() -> None:
    looks = np.stack([TRUTH] * 6)
    looks[2] += [30.0, 0, 0]
    mean, spread = average_points(looks, np.full((6, 68), 0.9))
    assert np.abs(mean - TRUTH).max() < 0.1
    np.testing.assert_allclose(spread, spread[0])
    assert spread[0] == pytest.approx(30 / 90 / np.sqrt(6), rel=0.02)


def test_equal_looks_are_averaged_by_their_confidence() -> None:
    looks = np.stack([TRUTH, TRUTH + np.array([0.01, 0, 0])])
    sure = np.stack([np.full(68, 0.75), np.full(68, 0.25)])
    mean, _ = average_points(looks, sure)
    np.testing.assert_allclose((mean - TRUTH)[:, 0], 0.0025, rtol=1e-3)


def test_confidence_is_the_logistic_it_says() -> None:
    told = Spread(constant=0.5, own=2.0, spread=-1.0, unit=0.02).confidence(
        np.array([0.5, 0.8]), np.array([0.0, 0.02])
    )
    logits = [0.5, 0.5 + 2 * np.log(4) - np.log(2)]
    np.testing.assert_allclose(told, [1 / (1 + np.exp(-logit)) for logit in logits])
