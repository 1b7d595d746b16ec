"""Errors against numbers that can be had by hand, on models that are known to be right or wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from mien.datasets.ours.clips import read_clips
from mien.datasets.public.aflw2000 import read_aflw2000
from mien.geometry import Similarity, pose_head
from mien.markup import load_markup
from mien.media import open_source
from mien.models.baselines.sdm import SupervisedDescent
from mien.reproduction.material import Given, gather
from mien.reproduction.measurement import Measurement, Still
from mien.reproduction.measuring import TruthFinder, measure_films, measure_stills
from mien.reproduction.predictors import DescentPredictor
from mien.reproduction.scale import SCALES
from mien.reproduction.targets import ScaleName, Target
from mien.tracking import TrackerSettings
from mien.types import Landmarks, Prediction

MEAN = load_markup(68).mean_shape
SMOKE = SCALES[ScaleName.SMOKE]


class Knows:
    """A model that says the truth of the picture it is shown, moved to the right."""

    side = 32
    mean_shape = MEAN

    def __init__(
        self, truths: dict[bytes, np.ndarray], shift: float = 0.0, score: float = 1.0
    ) -> None:
        self._truths, self._moved, self._score = truths, np.array([shift, 0, 0]), score

    def predict(self, image_rgb: np.ndarray, places: Sequence[Similarity]) -> list[Prediction]:
        points = self._truths[image_rgb.tobytes()] + self._moved
        return [Prediction(Landmarks(points, np.ones(68)), self._score) for _ in places]


def test_a_shift_is_its_share_of_the_face() -> None:
    face = 40 * MEAN + [48.0, 48.0, 0.0]
    other = face[:, :2] + [3.0, 4.0]
    picture = np.zeros((96, 96, 3), np.uint8)
    still = Still(lambda: picture, (("original", face), ("second", other)), 10.0)
    size = math.sqrt(np.prod(np.ptp(face[:, :2], axis=0)))
    model = Knows({picture.tobytes(): face}, shift=3.0)
    first, second = measure_stills(model, "stills", [still])
    assert (first.truth, second.truth) == ("original", "second")
    assert first.errors == (pytest.approx(3 / size),)
    assert second.errors == (pytest.approx(4 / size),)
    assert first.yaw_deg == (10.0,)


def test_two_protocols_by_hand() -> None:
    """Seven faces in front, one in each of the other bins, one missed."""
    yaw = (0.0,) * 7 + (-45.0, 80.0, 85.0)
    errors = (0.02,) * 7 + (0.05, 0.08, math.inf)
    measured = Measurement("set", "truth", errors, yaw)
    assert measured.over_images == pytest.approx((7 * 0.02 + 0.05 + 0.08) / 9)
    assert measured.over_bins == pytest.approx((0.02 + 0.05 + 0.08) / 3)
    assert measured.missed == pytest.approx(0.1)
    assert measured.failure_rate == pytest.approx(0.2)
    assert Measurement("set", "truth", errors[:8], yaw[:8]).over_bins is None
    assert Measurement("set", "truth", errors, (None,) * 10).over_bins is None


def test_descent_without_stages_is_its_mean_in_pixels() -> None:
    shares = np.concatenate([0.58 * MEAN[:, :2], 0.1 * np.ones((68, 1))], axis=1)
    model = DescentPredictor(SupervisedDescent(shares, (), 0.1), 32, MEAN)
    place = Similarity(2.0, 0.0, (5.0, 7.0))
    (seen,) = model.predict(np.zeros((80, 80, 3), np.uint8), [place])
    expected = 2 * ((shares[:, :2] + 0.5) * 32 - 0.5) + [5, 7]
    np.testing.assert_allclose(seen.landmarks.points_image[:, :2], expected, atol=1e-9)
    np.testing.assert_allclose(seen.landmarks.points_image[:, 2], 2 * 0.1 * 32)


def test_the_tracker_is_measured_on_every_labelled_frame(tmp_path: Path) -> None:
    films = gather(Target.TABLE_4, SMOKE, Given(), tmp_path).films
    clips = read_clips(tmp_path / "drawn" / "clips")
    assert len(films) == len(clips) == 2
    raw = TrackerSettings(smoothing=None)
    for film, clip in zip(films, clips, strict=True):
        with open_source(film.video_path) as source:
            truths = {
                frame.image_rgb.tobytes(): clip.points_image[0, frame.index] for frame in source
            }
        sizes = [math.sqrt(np.prod(np.ptp(each[:, :2], axis=0))) for each in truths.values()]
        model = Knows(truths, shift=2.0)
        found = measure_films(model, model, [film], TruthFinder, raw)
        np.testing.assert_allclose(found.errors, [2 / size for size in sizes], rtol=1e-5)
        np.testing.assert_allclose(found.yaw_deg, clip.yaw_deg[0])
        blind = Knows(truths, score=0.0)
        lost = measure_films(blind, model, [film], TruthFinder, raw)
        assert lost.errors == (math.inf,) * 10
        assert (lost.missed, lost.failure_rate, lost.auc) == (1.0, 1.0, 0.0)


def test_drawn_stills_are_dark_where_their_truth_says(tmp_path: Path) -> None:
    """Through the layout of AFLW2000-3D and its pixels from 1, back to pixels from 0."""
    (named,) = gather(Target.TABLE_1, SMOKE, Given(), tmp_path).stills
    assert named[0] == "drawn heads"
    photos = read_aflw2000(tmp_path / "drawn" / "stills")
    for still, photo in zip(named[1], photos, strict=True):
        picture = still.read_rgb().astype(float).mean(axis=2)
        name, points = still.truths[0]
        assert name == "original"
        np.testing.assert_allclose(points[:, :2], photo.points_image[:, :2] - 1)
        columns, rows = np.round(points[:, :2]).astype(int).T
        stored = np.round(photo.points_image[:, :2]).astype(int).T
        at_truth, beside = picture[rows, columns].mean(), picture[stored[1], stored[0]].mean()
        assert at_truth < picture.mean() - 20
        assert at_truth < beside
        assert photo.yaw_deg is not None
        yaw = pose_head(points, MEAN).pose.yaw_deg
        assert abs(yaw - photo.yaw_deg) < 12
