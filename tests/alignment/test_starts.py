"""Looks from other rolls, by a network that knows a face only where it stands nearly upright."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from mien.alignment import StartSettings, align
from mien.errors import ConfigError
from mien.geometry import Similarity, crop_from_box, pose_head
from mien.markup import load_markup
from mien.types import Box, Landmarks, Prediction

MEAN = load_markup(68).mean_shape
IMAGE = np.zeros((400, 400, 3), np.uint8)
SIDE = 64


def rolled(roll_deg: float, x: float = 200.0, y: float = 200.0, size: float = 100.0) -> np.ndarray:
    turn = Similarity(size, math.radians(roll_deg), (x, y))
    return turn.apply(MEAN)


@dataclass
class UprightOnly:
    """Right within 50 degrees of the true roll, else an upright face at half the confidence."""

    truth: np.ndarray
    astray: np.ndarray | None = None
    """What it sees elsewhere; an upright face if not given."""
    score_astray: float = 0.9
    confident: float = 0.95
    side = SIDE
    mean_shape = MEAN
    looks: list[float] = field(default_factory=list)

    def predict(self, image_rgb: np.ndarray, places: Sequence[Similarity]) -> list[Prediction]:
        return [self._look(place) for place in places]

    def _look(self, place: Similarity) -> Prediction:
        self.looks.append(math.degrees(place.angle_rad))
        true_roll = pose_head(self.truth[:, :2], MEAN).pose.roll_deg
        off = (math.degrees(place.angle_rad) - true_roll + 180) % 360 - 180
        if abs(off) <= 50:
            return Prediction(Landmarks(self.truth, np.full(68, self.confident)), 0.99)
        centre = place.apply(np.full(2, (SIDE - 1) / 2))
        astray = rolled(0, *centre) if self.astray is None else self.astray
        return Prediction(Landmarks(astray, np.full(68, 0.4)), self.score_astray)


def look(model: UprightOnly, starts: StartSettings | None, **more: object) -> Prediction | None:
    rough = crop_from_box(Box.around(model.truth), SIDE)
    (seen,) = align(model, model, IMAGE, [rough], lambda one: one.score >= 0.5, starts, **more)
    return seen


@pytest.mark.parametrize("roll_deg", range(-180, 180, 30))
@pytest.mark.parametrize("score_astray", [0.9, 0.1])
def test_a_face_at_any_roll_is_read(roll_deg: int, score_astray: float) -> None:
    """Also one that the first look took for no face at all."""
    model = UprightOnly(rolled(roll_deg), score_astray=score_astray)
    seen = look(model, StartSettings())
    assert seen is not None
    np.testing.assert_allclose(seen.landmarks.points_image, model.truth)
    if abs(roll_deg) > 50:
        alone = look(model, None)
        assert alone is None or np.abs(alone.landmarks.points_image - model.truth).max() > 20


def test_an_easy_face_costs_one_look_of_each_model() -> None:
    model = UprightOnly(rolled(20))
    look(model, StartSettings())
    assert model.looks == pytest.approx([0, 20], abs=1e-3)


def test_a_doubtful_face_costs_every_roll_once_and_model_2_on_the_best() -> None:
    model = UprightOnly(rolled(180))
    look(model, StartSettings())
    rolls = len(StartSettings().rolls_deg)
    assert len(model.looks) == 2 + rolls + StartSettings().followed_up
    assert model.looks[2 : 2 + rolls] == pytest.approx(StartSettings().rolls_deg)


def test_models_that_differ_are_a_doubt_too() -> None:
    """Model 2 is sure of what it sees; that model 1 saw it elsewhere is what betrays it."""
    first, following = UprightOnly(rolled(10)), UprightOnly(rolled(10))
    first.truth = rolled(10, x=212)
    rough = crop_from_box(Box.around(following.truth), SIDE)
    align(first, following, IMAGE, [rough], starts=StartSettings(most_disagreement=0.15))
    assert len(first.looks) == 1
    align(first, following, IMAGE, [rough], starts=StartSettings())
    assert len(first.looks) == 2 + len(StartSettings().rolls_deg)


def test_of_equally_sure_looks_the_one_both_models_agree_on_is_kept() -> None:
    truth = rolled(0)

    class Drifting(UprightOnly):
        """Off by as many px as the crop is degrees from 35."""

        def _look(self, place: Similarity) -> Prediction:
            off = abs(math.degrees(place.angle_rad) - 35)
            return Prediction(Landmarks(truth + np.array([off, 0, 0]), np.full(68, 0.7)), 0.99)

    class HalfDragged(UprightOnly):
        """Half as far off as its crop."""

        def _look(self, place: Similarity) -> Prediction:
            off = (place.apply(np.full(2, (SIDE - 1) / 2)) - Box.around(truth).centre) / 2
            return Prediction(Landmarks(truth + np.append(off, 0), np.full(68, 0.7)), 0.99)

    rough = crop_from_box(Box.around(truth), SIDE)
    for rolls in ((35, 70), (70, 35)):
        starts = StartSettings(rolls_deg=rolls)
        models = Drifting(truth), HalfDragged(truth)
        (seen,) = align(*models, IMAGE, [rough], starts=starts)
        assert seen is not None
        np.testing.assert_allclose(seen.landmarks.points_image, truth, atol=0.1)


def test_a_neighbour_is_not_taken_for_the_face() -> None:
    neighbour = rolled(60, x=330)

    class Neighbours(UprightOnly):
        def _look(self, place: Similarity) -> Prediction:
            if abs(place.angle_rad) < 0.1:
                return Prediction(Landmarks(rolled(0), np.full(68, 0.6)), 0.9)
            return Prediction(Landmarks(neighbour, np.full(68, 0.99)), 0.99)

    model = Neighbours(rolled(0))
    seen = look(model, StartSettings())
    assert seen is not None
    np.testing.assert_allclose(seen.landmarks.points_image, model.truth)


def test_what_the_first_look_did_not_see_must_be_seen_clearly() -> None:
    vague = {"confident": 0.6, "score_astray": 0.1}
    assert look(UprightOnly(rolled(90), **vague), StartSettings()) is None
    known = StartSettings(least_when_found_anew=0.5)
    assert look(UprightOnly(rolled(90), **vague), known) is not None


def test_only_the_faces_that_may_are_looked_at_again() -> None:
    model = UprightOnly(rolled(180))
    look(model, StartSettings(), may_start_anew=[False])
    assert len(model.looks) == 2


def test_two_faces_keep_their_looks_apart() -> None:
    class Two(UprightOnly):
        def _look(self, place: Similarity) -> Prediction:
            x = float(place.apply(np.full(2, (SIDE - 1) / 2))[0])
            right = UprightOnly(rolled(150, x=320, size=80))
            left = UprightOnly(rolled(-100, x=80, size=80))
            return (left if x < 200 else right)._look(place)

    model = Two(rolled(0))
    rough = [crop_from_box(Box(x - 40, 160, x + 40, 240), SIDE) for x in (80.0, 320.0)]
    left, right = align(model, model, IMAGE, rough, starts=StartSettings())
    assert left is not None
    assert right is not None
    np.testing.assert_allclose(left.landmarks.points_image, rolled(-100, x=80, size=80))
    np.testing.assert_allclose(right.landmarks.points_image, rolled(150, x=320, size=80))


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ConfigError, match="followed_up"):
        StartSettings(followed_up=0)
