"""Who is who, and where to look next."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world import MEAN, SIDE, points_at

from mien.geometry import crop_from_landmarks
from mien.tracking.association import (
    farness,
    match_boxes,
    may_be_same_face,
    pair_up,
    same_face,
)
from mien.tracking.region import Place, next_crop, share_inside
from mien.types import Box


def test_boxes_are_paired_for_the_largest_sum() -> None:
    faces = [Box(0, 0, 10, 10), Box(4, 0, 14, 10)]
    found = [Box(4, 0, 14, 10), Box(0, 0, 10, 10), Box(50, 50, 60, 60)]
    assert sorted(match_boxes(found, faces)) == [(0, 1), (1, 0)]
    assert match_boxes([], faces) == []
    assert match_boxes(found, []) == []


def test_a_lost_face_is_near_where_it_was_or_where_it_went() -> None:
    stood = Place(np.array([100.0, 100.0]), 50.0, np.zeros(2))
    walked = Place(np.array([300.0, 100.0]), 50.0, np.array([200.0, 0.0]))
    found = [
        Place.of(points_at(105, 100, 50)),
        Place.of(points_at(495, 100, 50)),
        Place.of(points_at(900, 100, 50)),
    ]
    reach = [[farness(here, there, 1.0) <= 1 for there in (stood, walked)] for here in found]
    assert reach == [[True, False], [False, True], [False, False]]
    assert farness(Place.of(points_at(100, 100, 100)), stood, 0.1) > 1  # too large


def test_pairs_of_the_least_cost() -> None:
    cost = np.array([[1.0, 2.0, 9.0], [1.5, 9.0, 9.0]])
    assert sorted(pair_up(cost, 5.0)) == [(0, 1), (1, 0)]
    assert pair_up(cost[:1], 5.0) == [(0, 0)]
    assert pair_up(cost[1:, 1:], 5.0) == []
    assert pair_up(np.empty((0, 3)), 5.0) == []


def test_the_same_face_within_a_fifth_of_its_size() -> None:
    face = points_at(100, 100, 50)
    assert same_face(face, points_at(109, 100, 50))
    assert not same_face(face, points_at(111, 100, 50))
    assert not same_face(face, points_at(100, 100, 100))


def test_the_crop_is_moved_ahead_by_the_motion_but_never_off_the_face() -> None:
    points = points_at(100, 100, 50)
    aligned = crop_from_landmarks(points, MEAN, SIDE)
    slow = Place(points[:, :2].mean(axis=0), 50.0, np.array([100.0, 0.0]))
    moved = next_crop(points, slow, MEAN, SIDE, 0.04)
    assert moved.translation[0] - aligned.translation[0] == pytest.approx(4.0)
    fast = Place(slow.centre, 50.0, np.array([0.0, 1e5]))
    moved = next_crop(points, fast, MEAN, SIDE, 0.04)
    assert moved.translation[1] - aligned.translation[1] == pytest.approx(0.35 * 50)


def test_share_of_a_box_inside_the_picture() -> None:
    assert share_inside(Box(-10.5, 0, 9.5, 10), 100, 100) == pytest.approx(0.5)
    assert share_inside(Box(10, 10, 20, 20), 100, 100) == 1
    assert share_inside(Box(200, 0, 210, 10), 100, 100) == 0


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 0.4), st.floats(0.7, 1.4))
def test_the_quick_look_denies_no_two_landmarks_of_one_face(
    seed: int, shift: float, scale: float
) -> None:
    rng = np.random.default_rng(seed)
    one = points_at(100, 100, 60) + rng.normal(0, 2, (68, 3))
    other = points_at(100 + 60 * shift, 100, 60 * scale) + rng.normal(0, 2, (68, 3))
    if same_face(one, other):
        assert may_be_same_face(Place.of(one), Place.of(other))
    assert not may_be_same_face(Place.of(one), Place.of(points_at(160, 100, 60)))
