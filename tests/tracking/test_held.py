"""Faces that pass behind another are handed out where their motion leads, as unseen."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from test_tracker import ids, run, still
from world import FPS, ScriptedFace, World, frame_at, points_at

from mien.tracking import OfflineSmoother, Tracker, TrackerSettings, smooth_offline
from mien.types import Box, Face, Landmarks

HIDDEN = range(45, 57)
"""The frames in which the one that walks is less than 48 px from the one that stands."""


def walks(frame: int) -> tuple[float, float, float]:
    return (96 + 4.0 * frame, 120, 60)


def passes_behind(last: int = 10_000) -> World:
    """One stands, one walks by behind it at 4 px a frame, and is gone after ``last``."""
    behind = ScriptedFace(lambda frame: None if frame in HIDDEN or frame > last else walks(frame))
    return World(still(300), behind)


def unseen(history: list[list[Face]]) -> list[int]:
    return [at for at, faces in enumerate(history) if any(not face.is_seen for face in faces)]


def test_behind_another_a_face_goes_on_with_its_motion() -> None:
    history = run(passes_behind(), range(80))
    held = unseen(history)
    assert held
    assert set(held) <= set(HIDDEN)
    for at in held:
        face = next(face for face in history[at] if face.track_id == 1)
        assert face.score == 0
        assert not face.landmarks.confidence.any()
        true = Box.around(points_at(*walks(at)))
        assert abs(face.box.centre[0] - true.centre[0]) < 0.25 * true.width
    beside = [at for at in HIDDEN if abs(walks(at)[0] - 300) > 20]
    assert set(beside) <= set(held)  # where it is not on the very face that hides it
    assert ids(history)[-1] == [0, 1]


def test_who_does_not_come_out_again_is_not_held_for_long() -> None:
    held = unseen(run(passes_behind(last=44), range(80)))
    assert 0 < len(held) <= TrackerSettings().held_secs * FPS + 1


def test_who_vanishes_where_nobody_is_is_gone_at_once() -> None:
    gone = ScriptedFace(lambda frame: None if frame >= 10 else (100, 120, 60))
    assert not unseen(run(World(still(400), gone), range(40)))


def test_none_is_held_if_nobody_asks_for_it() -> None:
    settings = TrackerSettings(smoothing=None, held_secs=0)
    assert not unseen(run(passes_behind(), range(80), settings))


@pytest.mark.parametrize(("most", "held"), [(2, False), (3, True)])
def test_held_faces_count_among_the_most_that_are_followed(most: int, held: bool) -> None:
    """A third, smaller face takes the place of the one that is behind another."""
    world = passes_behind(last=44)
    world.faces += (still(560, 40),)
    history = run(world, range(80), TrackerSettings(smoothing=None, max_faces=most))
    assert bool(unseen(history)) is held
    assert max(len(faces) for faces in history) == most
    assert ids(history)[-1] == [0, 2]


class CutAt:
    def __init__(self, frame: int) -> None:
        self._frame = frame
        self._at = -1

    def is_cut(self, image_rgb: np.ndarray) -> bool:
        self._at += 1
        return self._at == self._frame


def test_a_cut_holds_nobody() -> None:
    world = passes_behind(last=44)
    tracker = Tracker(world, world, world, cuts=lambda: CutAt(47), looks=NoLooks())
    history = [tracker.update(frame_at(at)) for at in range(70)]
    assert unseen(history)
    assert max(unseen(history)) == 46


class NoLooks:
    def glance(self, image_rgb: np.ndarray, points: np.ndarray) -> None:
        return None

    signature = glance


def test_guesses_are_not_smoothed_into_what_was_seen() -> None:
    """Two-sided smoothing sees a gap where nobody was seen, and leaves the guess as it is."""
    plain = run(passes_behind(), range(80))
    held = unseen(plain)
    wild = [
        [face if face.is_seen else dataclasses.replace(face, landmarks=moved(face)) for face in one]
        for one in plain
    ]
    smooth, smooth_wild = smoothed(plain), smoothed(wild)
    for at, (one, other) in enumerate(zip(smooth, smooth_wild, strict=True)):
        for face, same in zip(one, other, strict=True):
            is_guess = at in held and face.track_id == 1
            assert (
                np.allclose(face.landmarks.points_image, same.landmarks.points_image)
                is not is_guess
            )


def smoothed(history: list[list[Face]]) -> list[list[Face]]:
    told = zip(map(frame_at, range(len(history))), history, strict=True)
    return [faces for _, faces in smooth_offline(told, OfflineSmoother(World.mean_shape))]


def moved(face: Face) -> Landmarks:
    points = face.landmarks.points_image + np.array([40.0, 0.0, 0.0])
    return dataclasses.replace(face.landmarks, points_image=points)
