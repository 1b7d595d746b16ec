"""Photos cut through the face and mouths under a hand: what is hidden, and what is measured."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mien.errors import ConfigError
from mien.evaluation.perturbation import cover, cut_sideways, perturb, score_perturbed
from mien.evaluation.predictions import Predictions
from mien.geometry import rotation_from_angles
from mien.types import HeadPose

if TYPE_CHECKING:
    from conftest import World


def test_a_cut_leaves_its_share_of_the_face_outside(world: World) -> None:
    truth = world.face_at(90, 70, 60.0)
    width = np.ptp(truth[:, 0])
    sides = set()
    for name in "abcdefgh":
        photo = world.photo(name, truth, second=truth + np.array([1, 0]))
        seen = cut_sideways(photo, 0.3)
        picture, points = seen.photo.read_rgb(), seen.photo.points_image
        assert picture.shape[0] == world.height
        shift = truth[0, 0] - points[0, 0]
        np.testing.assert_allclose(points, truth - [shift, 0])
        np.testing.assert_allclose(
            seen.photo.other_truths[0].points_image, points + np.array([1, 0])
        )
        inside = (points[:, 0] >= -0.5) & (points[:, 0] <= picture.shape[1] - 0.5)
        np.testing.assert_array_equal(seen.hidden, ~inside)
        beyond = -points[:, 0].min() if shift else points[:, 0].max() - picture.shape[1] + 1
        beyond -= 0.5  # a picture ends half a pixel beyond its last centre
        assert beyond / width == pytest.approx(0.3, abs=0.51 / width)
        sides.add(shift > 0)
    assert sides == {False, True}


@pytest.mark.parametrize("at_left", [True, False])
def test_a_cut_is_at_the_side_asked_for(world: World, at_left: bool) -> None:
    truth = world.face_at(90, 70, 60.0)
    photo = world.photo("a", truth)
    cut = cut_sideways(photo, 0.2, at_left=at_left).photo
    width = photo.read_rgb().shape[1]
    first = 0 if not at_left else width - cut.read_rgb().shape[1]
    np.testing.assert_array_equal(
        cut.read_rgb(), photo.read_rgb()[:, first:][:, : cut.read_rgb().shape[1]]
    )
    np.testing.assert_allclose(cut.points_image, truth - [first, 0])
    assert cut.read_rgb().shape[1] < width


def test_a_hand_covers_mouth_and_chin_and_leaves_the_eyes(world: World) -> None:
    truth = world.face_at(90, 70, 60.0)
    for name in "abcd":
        photo = world.photo(name, truth)
        covered = cover(photo)
        changed = (covered.photo.read_rgb() != photo.read_rgb()).any(axis=2)
        assert covered.hidden[[*range(48, 68), 7, 8, 9]].all()
        assert not covered.hidden[36:48].any()
        columns, rows = np.round(truth).astype(int).T
        assert changed[rows, columns][covered.hidden].all()
        assert not changed[rows, columns][36:48].any()
        np.testing.assert_array_equal(covered.photo.points_image, truth)


def test_hands_are_laid_where_only_some_points_are_labelled_or_seen(world: World) -> None:
    truth = world.face_at(10, 150, 60.0)  # half of it beyond the picture
    truth[:17] = np.nan
    covered = cover(world.photo("a", truth))
    assert covered.photo.read_rgb().shape == (world.height, world.width, 3)
    assert covered.hidden[48:68].all()


def test_yaw_and_confidence_are_measured(world: World) -> None:
    def turned(yaw: float) -> np.ndarray:
        rotation = rotation_from_angles(HeadPose(yaw, 0, 0))
        return 60 * world.mean_shape @ rotation.T + [90, 70, 0]

    spoilt = perturb([world.photo(name, turned(0)) for name in "abc"], cut=None, patch=True)
    shifted = [points + np.array([0.0, 3.0, 0]) for points in (turned(4), turned(10))]
    points = np.stack([*shifted, np.full((68, 3), np.nan)])
    sure = np.where(spoilt[0].hidden, 0.2, 0.9)
    predictions = Predictions(("a", "b", "c"), points, np.stack([sure] * 3), np.ones(3))
    spoilt = tuple(dataclasses.replace(one, hidden=spoilt[0].hidden) for one in spoilt)
    measured = score_perturbed(spoilt, predictions, world.mean_shape, 0.05)
    assert measured.yaw_off_deg == pytest.approx(7, abs=0.05)
    assert measured.confidence is not None
    assert measured.confidence.hidden.confidence == pytest.approx(0.2)
    assert measured.confidence.seen.confidence == pytest.approx(0.9)
    assert measured.confidence.hidden.n == 2 * spoilt[0].hidden.sum()
    lost = score_perturbed(spoilt[2:], dataclasses.replace(
        predictions, names=("c",), points_image=points[2:], confidence=sure[None],
        score=np.ones(1)), world.mean_shape, 0.05)  # fmt: skip
    assert (lost.yaw_off_deg, lost.confidence) == (None, None)


def test_a_cut_and_a_patch_are_one_at_a_time(world: World) -> None:
    photos = [world.photo("a", world.face_at(90, 70))]
    for cut, patch in ((0.3, True), (0.0, False), (0.7, False)):
        with pytest.raises(ConfigError):
            perturb(photos, cut=cut, patch=patch)
    assert perturb(photos, cut=None, patch=False) == ()
