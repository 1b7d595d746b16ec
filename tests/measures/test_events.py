"""Nods, shakes and speech on curves that a person can draw."""

from __future__ import annotations

import numpy as np
import pytest

from mien.measures import faces_camera, find_nods, find_shakes, speaks, stretches
from mien.types import HeadPose

TIMES = np.arange(200) / 25
NOISE = np.random.default_rng(0).normal(0, 0.3, 200)


def swings(start_secs: float, count: float, size: float, period_secs: float = 0.6) -> np.ndarray:
    """So many half swings of a sine from rest and back."""
    phase = (TIMES - start_secs) / period_secs
    return np.where(
        (phase >= 0) & (phase <= count / 2), size / 2 * (1 - np.cos(2 * np.pi * phase)), 0
    )


def test_down_and_up_is_a_nod_and_one_way_is_none() -> None:
    nod = swings(2.0, 2, 10) + NOISE
    (found,) = find_nods(TIMES, nod, NOISE)
    assert TIMES[found.onset] == pytest.approx(2.0, abs=0.13)
    assert TIMES[found.offset] == pytest.approx(2.6, abs=0.13)
    assert found.swings == 2
    assert found.largest_deg == pytest.approx(10, abs=1.2)
    assert find_nods(TIMES, np.where(TIMES > 2, 20, 0) + NOISE, NOISE) == []
    assert find_nods(TIMES, swings(2.0, 2, 2.5) + NOISE, NOISE) == []
    assert find_nods(TIMES, swings(2.0, 2, 10, period_secs=3) + NOISE, NOISE) == []
    assert find_nods(TIMES, NOISE, NOISE) == []


def test_a_shake_needs_three_swings() -> None:
    assert find_shakes(TIMES, swings(2.0, 2, 15) + NOISE, NOISE) == []
    (found,) = find_shakes(TIMES, swings(2.0, 6, 15) + NOISE, NOISE)
    assert found.swings == 6
    assert TIMES[found.offset] - TIMES[found.onset] == pytest.approx(1.8, abs=0.2)


def test_two_nods_apart_are_two_and_a_circle_is_neither() -> None:
    two = swings(1.0, 2, 8) + swings(4.0, 4, 8) + NOISE
    assert [one.swings for one in find_nods(TIMES, two, NOISE)] == [2, 4]
    assert find_nods(TIMES, swings(2.0, 4, 8), swings(2.15, 4, 12)) == []


def test_gaps_and_short_tracks_are_no_gestures() -> None:
    nod = swings(2.0, 2, 10)
    nod[10:30] = np.nan
    assert len(find_nods(TIMES, nod, NOISE)) == 1
    for count in (0, 1, 2):
        assert find_nods(TIMES[:count], nod[:count], nod[:count]) == []
    assert find_nods(TIMES, np.full(200, np.nan), NOISE) == []


def test_speech_is_motion_and_a_mouth_that_stays_open_is_none() -> None:
    syllables = 0.1 * np.abs(np.sin(2 * np.pi * 2.5 * TIMES))
    mouth = np.where((TIMES >= 2) & (TIMES < 5), syllables, 0.02)
    (found,) = stretches(speaks(TIMES, mouth))
    assert TIMES[found.first] == pytest.approx(2.0, abs=0.5)
    assert TIMES[found.last] == pytest.approx(5.0, abs=0.5)
    assert not speaks(TIMES, np.full(200, 0.4)).any()
    yawn = 0.5 * np.exp(-(((TIMES - 4) / 1.5) ** 2))
    assert speaks(TIMES, yawn).mean() < 0.5
    assert not speaks(TIMES, np.full(200, np.nan)).any()
    assert speaks(TIMES[:0], mouth[:0]).shape == (0,)


def test_the_camera_is_faced_within_a_cone() -> None:
    yaw, pitch = np.array([0.0, 14.0, 16.0, 12.0, np.nan]), np.array([0.0, 0.0, 0.0, 12.0, 0.0])
    assert faces_camera(yaw, pitch).tolist() == [True, True, False, False, False]
    assert faces_camera(yaw, pitch, 20.0).tolist() == [True, True, True, True, False]
    assert HeadPose(0, 0, 0).yaw_deg == 0
