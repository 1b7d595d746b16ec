"""The first look at a face, on networks whose answers a person can count by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from mien.alignment import align
from mien.geometry import Similarity, crop_from_landmarks
from mien.markup import load_markup
from mien.types import Landmarks, Prediction

MEAN = load_markup(68).mean_shape
IMAGE = np.zeros((200, 300, 3), np.uint8)


class Told:
    """Says of each crop what it is told to, and remembers which crops it was asked about."""

    side = 64
    mean_shape = MEAN

    def __init__(self, *answers: Prediction) -> None:
        self._answers = list(answers)
        self.asked: list[Similarity] = []

    def predict(self, image_rgb: np.ndarray, places: Sequence[Similarity]) -> list[Prediction]:
        assert image_rgb is IMAGE
        self.asked += places
        return [self._answers.pop(0) for _ in places]


def seen(x: float, score: float = 1.0) -> Prediction:
    return Prediction(Landmarks(40 * MEAN + [x, 90, 0], np.ones(68)), score)


def test_model_2_looks_where_model_1_saw_the_face() -> None:
    first, following = Told(seen(50), seen(150)), Told(seen(51), seen(151))
    rough = [Similarity(1, 0, (20, 60)), Similarity(2, 0, (90, 30))]
    result = align(first, following, IMAGE, rough)
    assert [each.landmarks.points_image[:, 0].mean() for each in result if each] == [
        pytest.approx(51),
        pytest.approx(151),
    ]
    assert first.asked == rough
    for place, guess in zip(following.asked, (seen(50), seen(150)), strict=True):
        expected = crop_from_landmarks(guess.landmarks.points_image, MEAN, 64)
        np.testing.assert_allclose(place.matrix, expected.matrix, atol=1e-9)


def test_where_either_sees_no_face_there_is_none() -> None:
    first = Told(seen(50, 0.2), seen(150, 0.9), seen(250, 0.9))
    following = Told(seen(151, 0.1), seen(251, 0.8))
    rough = [Similarity(1, 0, (x, 60)) for x in (20.0, 120.0, 220.0)]
    result = align(first, following, IMAGE, rough, lambda each: each.score >= 0.5)
    assert [each is None for each in result] == [True, True, False]
    assert len(following.asked) == 2, "model 2 need not look where model 1 saw nothing"


def test_no_crop_asks_no_network() -> None:
    first, following = Told(), Told()
    assert align(first, following, IMAGE, []) == []
    assert first.asked == following.asked == []
