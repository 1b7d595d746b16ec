"""The two-sided smoother against motions known in closed form."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from mien.errors import ConfigError
from mien.geometry import pose_head
from mien.markup import load_markup
from mien.tracking import OfflineSettings, OfflineSmoother, SmoothingSettings
from mien.tracking.offline import noise_of
from mien.tracking.smoothing import PointFilter
from mien.types import Face, Frame, Landmarks

MEAN = load_markup(68).mean_shape
SIZE = 200.0
NOISE = 0.002 * SIZE
"""px in each axis: what the shipped networks tremble by on camera noise."""
LIDS = [37, 38, 43, 44]
PICTURE = np.zeros((4, 4, 3), np.uint8)


def face(points: np.ndarray, track_id: int = 0) -> Face:
    return Face(track_id, 0.9, Landmarks(points, np.full(68, 0.9)), pose_head(points, MEAN).pose)


def smoothed(
    truth: Callable[[int], np.ndarray], count: int, noise: float = NOISE, fps: float = 30.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True, seen and smoothed points of every frame."""
    rng = np.random.default_rng(7)
    true = np.stack([truth(index) for index in range(count)])
    seen = true + rng.normal(0, noise, true.shape)
    smoother = OfflineSmoother(MEAN)
    given: list[tuple[Frame, list[Face]]] = []
    for index, points in enumerate(seen):
        given += smoother.push(Frame(PICTURE, index, index / fps), [face(points)])
    given += smoother.drain()
    assert [frame.index for frame, _ in given] == list(range(count))
    return true, seen, np.stack([faces[0].landmarks.points_image for _, faces in given])


def still(index: int) -> np.ndarray:
    return MEAN * SIZE + np.array([400.0, 300.0, 0.0])


def online(seen: np.ndarray, fps: float = 30.0) -> np.ndarray:
    one = PointFilter(SmoothingSettings())
    return np.stack([one.update(points, np.full(68, 0.9), SIZE, 1 / fps) for points in seen])


def rms(off: np.ndarray) -> float:
    return float(np.sqrt((off[15:-15, :, :2] ** 2).mean()))


def test_a_resting_face_trembles_far_less_than_behind_the_online_filter() -> None:
    true, seen, smooth = smoothed(still, 120)
    assert rms(smooth - true) < 0.6 * rms(online(seen) - true)
    assert rms(smooth - true) < 0.4 * NOISE


def test_a_blink_of_two_frames_keeps_nine_tenths_of_its_depth() -> None:
    """Lids fall by 5 % of the face and are up again two frames later; the rest does not stir."""
    depth = 0.05 * SIZE

    def blinking(index: int) -> np.ndarray:
        points = still(index)
        if index in (40, 41, 70, 71, 72):
            points[LIDS, 1] += depth
        return points

    for noise in (0.0, NOISE):
        true, _, smooth = smoothed(blinking, 110, noise)
        for frame in (40, 41, 70, 71, 72):
            kept = (smooth[frame, LIDS, 1] - still(0)[LIDS, 1]).mean() / depth
            assert 0.9 < kept < 1.1, frame
        rest = np.setdiff1d(np.arange(68), LIDS)
        assert np.abs((smooth - true)[20:90][:, rest, :2]).max() < max(4 * noise, 0.0005 * SIZE)


@pytest.mark.parametrize("swing_hz", [0.5, 1.5, 3.0])
def test_a_swinging_head_is_neither_late_nor_short(swing_hz: float) -> None:
    """Half a face size to both sides, at 3 Hz faster than heads shake."""

    def swinging(index: int) -> np.ndarray:
        x = 0.5 * SIZE * math.sin(2 * math.pi * swing_hz * index / 30)
        return still(index) + np.array([x, 0, 0])

    true, _, smooth = smoothed(swinging, 120)
    middle, wanted = smooth[15:-15].mean(axis=1)[:, 0], true[15:-15].mean(axis=1)[:, 0]
    assert rms(smooth - true) <= 1.02 * NOISE
    assert np.ptp(middle) > 0.99 * np.ptp(wanted)
    speed = np.gradient(wanted)
    lag_frames = -float(((middle - wanted) * speed).sum() / (speed**2).sum())
    assert abs(lag_frames) < 0.02


def test_a_camera_that_a_hand_shakes_is_smoothed_away() -> None:
    """All points together by a quarter of a pixel, as in `mien.evaluation.steadiness`."""
    shakes = np.random.default_rng(5).normal(0, 0.25, (120, 3)) * [1, 1, 0]

    def shaken(index: int) -> np.ndarray:
        return still(index) + shakes[index]

    _, _, smooth = smoothed(shaken, 120, noise=0.1)
    left = smooth[15:-15].mean(axis=1)
    assert left[:, :2].std(axis=0).max() < 0.5 * 0.25


@pytest.mark.parametrize(
    ("fps", "swing_hz", "share"),
    [(30, 4.0, 0.005), (30, 2.0, 0.02), (25, 3.0, 0.01), (15, 1, 0.05), (10, 2.0, 0.02)],
)
def test_a_head_that_nods_a_little_does_not_pass_for_a_shaken_camera(
    fps: float, swing_hz: float, share: float
) -> None:
    def nodding(index: int) -> np.ndarray:
        y = share * SIZE * math.sin(2 * math.pi * swing_hz * index / fps)
        return still(index) + np.array([0, y, 0])

    true, _, smooth = smoothed(nodding, 120, noise=0.15, fps=fps)
    off = (smooth - true)[15:-15].mean(axis=1)[:, 1]
    assert np.sqrt((off**2).mean()) < 0.0005 * SIZE


def test_a_straight_motion_is_smoothed_as_a_resting_one() -> None:
    def sliding(index: int) -> np.ndarray:
        return still(index) + np.array([2.0 * index, -1.0 * index, 0])

    true, _, smooth = smoothed(sliding, 120)
    assert rms(smooth - true) < 0.4 * NOISE


def test_a_jump_stays_sharp() -> None:
    """A cut under the same number: no ghost between both places."""

    def jumping(index: int) -> np.ndarray:
        return still(index) + np.array([300.0 * (index >= 50), 0, 0])

    true, _, smooth = smoothed(jumping, 100)
    assert np.abs((smooth - true)[..., :2]).max() < 5 * NOISE


def run(rows: Iterator[list[Face]], settings: OfflineSettings | None = None) -> list[list[Face]]:
    smoother, given = OfflineSmoother(MEAN, settings), list[tuple[Frame, list[Face]]]()
    for index, faces in enumerate(rows):
        given += smoother.push(Frame(PICTURE, index, index / 30), faces)
    given += smoother.drain()
    return [faces for _, faces in given]


def test_a_window_ends_where_the_face_was_lost() -> None:
    """Found again elsewhere under its number: neither place leaks into the other."""
    here, there = still(0), still(0) + np.array([4.0, 0, 0])
    rows = [[face(here)]] * 20 + [[]] * 3 + [[face(there)]] * 20
    given = run(iter(rows))
    assert [len(faces) for faces in given] == [1] * 20 + [0] * 3 + [1] * 20
    for faces in given[:20]:
        np.testing.assert_allclose(faces[0].landmarks.points_image, here, atol=1e-6)
    for faces in given[23:]:
        np.testing.assert_allclose(faces[0].landmarks.points_image, there, atol=1e-6)


def test_two_faces_do_not_mix_and_keep_what_else_is_known() -> None:
    left, right = face(still(0), 3), face(still(0) + np.array([250.0, 0, 0]), 8)
    for faces in run(iter([[left, right], [right, left]] * 15)):
        assert {one.track_id: round(one.box.centre[0]) for one in faces} == {
            3: round(left.box.centre[0]),
            8: round(right.box.centre[0]),
        }
        assert all(one.score == 0.9 for one in faces)


def test_the_pose_is_that_of_the_smoothed_points() -> None:
    rng = np.random.default_rng(3)
    rows = [[face(still(0) + rng.normal(0, 1.0, (68, 3)))] for _ in range(40)]
    for faces in run(iter(rows)):
        expected = pose_head(faces[0].landmarks.points_image, MEAN).pose
        assert faces[0].pose == expected


@pytest.mark.parametrize(("fps", "most"), [(30.0, 16), (240.0, 31), (2.0, 2)])
def test_it_holds_back_half_a_second_and_never_more_pictures_than_said(
    fps: float, most: int
) -> None:
    smoother, given, waiting = OfflineSmoother(MEAN), 0, 0
    for index in range(200):
        given += len(list(smoother.push(Frame(PICTURE, index, index / fps), [])))
        waiting = max(waiting, index + 1 - given)
    assert waiting <= most
    assert given + len(list(smoother.drain())) == 200


def test_times_that_stand_still_or_run_back_do_not_stop_it() -> None:
    times = [0.0, 0.0, 0.1, 0.05, math.nan, 0.2] * 10
    smoother, given = OfflineSmoother(MEAN), list[tuple[Frame, list[Face]]]()
    for index, secs in enumerate(times):
        given += smoother.push(Frame(PICTURE, index, secs), [face(still(0))])
    given += smoother.drain()
    assert [frame.index for frame, _ in given] == list(range(60))
    for _, faces in given:
        np.testing.assert_allclose(faces[0].landmarks.points_image, still(0), atol=1e-6)


def test_the_noise_is_measured() -> None:
    rng = np.random.default_rng(0)
    points = still(0) + rng.normal(0, NOISE, (60, 68, 3))
    assert noise_of(points, SIZE) == pytest.approx(NOISE, rel=0.05)
    assert noise_of(points[:1], SIZE) < NOISE


@pytest.mark.parametrize("bad", [{"half_windows_secs": (0.2, 0.1)}, {"agree": 4.0}])
def test_settings_that_make_no_sense_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        OfflineSettings(**bad)  # type: ignore[arg-type]
