"""The life of a face, on scripts a reader can count by hand."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from world import MEAN, ScriptedFace, World, frame_at, points_at

from mien.errors import ConfigError
from mien.tracking import RecheckSettings, Tracker, TrackerSettings
from mien.types import Box, Detection, Face, Frame

RAW = TrackerSettings(smoothing=None)


def run(world: World, frames: range, settings: TrackerSettings = RAW) -> list[list[Face]]:
    tracker = Tracker(world, world, world, settings)
    return [tracker.update(frame_at(index)) for index in frames]


def ids(history: list[list[Face]]) -> list[list[int]]:
    return [[face.track_id for face in faces] for faces in history]


def still(x: float = 200, size: float = 60) -> ScriptedFace:
    return ScriptedFace(lambda frame: (x, 120, size))


def test_a_still_face_is_one_track_at_its_exact_place() -> None:
    history = run(World(still()), range(30))
    assert ids(history) == [[0]] * 30
    for (face,) in history:
        np.testing.assert_allclose(face.landmarks.points_image, points_at(200, 120, 60))
        assert abs(face.pose.yaw_deg) < 1e-6
        assert face.score == 0.95


def test_an_empty_video_is_searched_in_every_frame() -> None:
    world = World()
    assert ids(run(world, range(7))) == [[]] * 7
    assert world.searched == list(range(7))


def test_the_detector_rests_between_its_turns_and_while_all_places_are_taken() -> None:
    world = World(still())
    run(world, range(60))
    assert world.searched == [0, 25, 50]
    full = World(still())
    run(full, range(25), TrackerSettings(max_faces=1, smoothing=None))
    assert full.searched == [0]


def test_a_face_that_enters_is_found_at_the_next_search() -> None:
    """Nothing of the picture changes (it stays black): within ``search_secs``."""
    newcomer = ScriptedFace(lambda frame: (450, 120, 60) if frame >= 4 else None)
    history = run(World(still(), newcomer), range(28))
    assert ids(history) == [[0]] * 25 + [[0, 1]] * 3


@pytest.mark.parametrize(("search_secs", "found"), [(1.0, 9), (0.36, 6), (0.0, 4)])
def test_a_face_whose_coming_changes_the_picture_is_found_sooner(
    search_secs: float, found: int
) -> None:
    """It comes at frame 4; the pictures, 0.04 s apart, are compared in thirds of ``search_secs``:
    every ninth, every third, each."""
    newcomer = ScriptedFace(lambda frame: (450, 120, 60) if frame >= 4 else None)
    world = World(still(), newcomer)
    tracker = Tracker(world, world, world, TrackerSettings(smoothing=None, search_secs=search_secs))
    history = []
    for index in range(12):
        frame = frame_at(index)
        if index >= 4:
            frame.image_rgb[80:160, 420:480] = 120
        history.append(tracker.update(frame))
    assert ids(history) == [[0]] * found + [[0, 1]] * (12 - found)


def test_a_face_that_moves_and_noise_stir_nothing() -> None:
    rng = np.random.default_rng(0)
    world = World(ScriptedFace(lambda frame: (200 + 3 * frame, 120, 60)))
    tracker = Tracker(world, world, world, RAW)
    for index in range(26):
        frame = frame_at(index)
        x = 200 + 3 * index
        frame.image_rgb[60:240, x - 60 : x + 60] = 200  # its head and body
        noise = rng.integers(0, 12, frame.image_rgb[2:].shape)
        frame.image_rgb[2:] = np.minimum(frame.image_rgb[2:] + noise, 255)
        tracker.update(frame)
    assert world.searched == [0, 25]


def test_at_one_frame_a_second_a_newcomer_is_seen_at_once() -> None:
    newcomer = ScriptedFace(lambda frame: (450, 120, 60) if frame >= 11 else None)
    world = World(still(), newcomer)
    tracker = Tracker(world, world, world, RAW)
    history = [tracker.update(frame_at(index, float(index))) for index in range(20)]
    assert ids(history) == [[0]] * 11 + [[0, 1]] * 9


@pytest.mark.parametrize("kind", ["empty", "still", "flickering", "weak"])
def test_a_fast_camera_is_searched_no_oftener_than_a_usual_one(kind: str) -> None:
    """Two seconds at 240 and at 30 frames a second of the same scene, timed by the second."""

    def searches(rate: int) -> int:
        def place(frame: int) -> tuple[float, float, float] | None:
            is_gone = kind == "flickering" and int(frame / rate / 0.2) % 2
            return None if kind == "empty" or is_gone else (200, 120, 60)

        # weak for 0.1 of every 0.2 seconds: never for so long that it ends
        score = lambda frame: 0.4 if kind == "weak" and int(frame / rate / 0.1) % 2 else 0.9  # noqa: E731
        world = World(ScriptedFace(place, score))
        tracker = Tracker(world, world, world, RAW)
        for index in range(2 * rate):
            tracker.update(frame_at(index, index / rate))
        return len(world.searched)

    assert 0 < searches(240) <= 1.1 * searches(30)  # when a face is lost falls on frames


def test_the_biggest_faces_enter_first() -> None:
    history = run(
        World(still(80, 30), still(250, 60), still(450, 50)),
        range(2),
        TrackerSettings(max_faces=2, smoothing=None),
    )
    assert [round(face.box.centre[0]) for face in history[1]] == [250, 450]


def test_a_false_alarm_of_the_detector_never_becomes_a_face() -> None:
    world = World()
    world.false_alarms = [Detection(Box(100.0, 80.0, 160.0, 150.0), 0.99)]
    assert ids(run(world, range(5))) == [[]] * 5


def test_a_jump_cut_leaves_no_ghost() -> None:
    """Face until frame 9; from 10 another scene with a face elsewhere, found in the same frame."""
    before = ScriptedFace(lambda frame: (120, 120, 60) if frame < 10 else None)
    after = ScriptedFace(lambda frame: (500, 120, 60) if frame >= 10 else None)
    assert ids(run(World(before, after), range(13))) == [[0]] * 10 + [[1]] * 3


def test_a_cut_to_an_empty_scene_ends_every_face_at_once() -> None:
    gone = ScriptedFace(lambda frame: (120, 120, 60) if frame < 10 else None)
    assert ids(run(World(gone), range(12))) == [[0]] * 10 + [[]] * 2


def test_a_number_survives_two_seconds_behind_a_pillar() -> None:
    """Hidden in frames 10 to 59, two seconds at 25 a second, then back where it was."""
    hidden = ScriptedFace(lambda frame: None if 10 <= frame < 60 else (300, 120, 60))
    assert ids(run(World(hidden), range(65))) == [[0]] * 10 + [[]] * 50 + [[0]] * 5


def test_a_number_is_forgotten_in_time() -> None:
    """Gone for three seconds, and nobody saw how it looked: it comes back as somebody new."""
    hidden = ScriptedFace(lambda frame: None if 10 <= frame < 85 else (300, 120, 60))
    history = run(World(hidden), range(87))
    assert ids(history[-2:]) == [[1], [1]]


def test_a_small_face_in_the_lost_one_s_place_is_somebody_else() -> None:
    def place(frame: int) -> tuple[float, float, float] | None:
        if 5 <= frame < 10:
            return None
        return (300, 120, 60) if frame < 5 else (300, 120, 25)

    assert ids(run(World(ScriptedFace(place)), range(12)))[-1] == [1]


def test_numbers_survive_a_crossing() -> None:
    """A walks right, B left, 4 px a frame. B passes behind A and is hidden while they overlap."""

    def right(frame: int) -> tuple[float, float, float]:
        return (100 + 4.0 * frame, 120, 60)

    def left(frame: int) -> tuple[float, float, float] | None:
        x = 500 - 4.0 * frame
        return None if abs(x - right(frame)[0]) < 45 else (x, 120, 60)

    history = run(World(ScriptedFace(right), ScriptedFace(left)), range(90))
    assert all(faces[0].track_id == 0 for faces in history)
    for index in (10, 30, 75, 89):
        a, b = history[index]
        assert (a.track_id, b.track_id) == (0, 1)
        assert a.box.centre[0] == pytest.approx(Box.around(points_at(*right(index))).centre[0])
        expected = left(index)
        assert expected is not None
        assert b.box.centre[0] == pytest.approx(Box.around(points_at(*expected)).centre[0])
    assert {face.track_id for faces in history for face in faces} == {0, 1}


def test_two_tracks_never_stay_on_one_face() -> None:
    """The right one of two faces vanishes into the left one: one track is left, the elder's. It is
    not held beside it for long."""
    stays = still(200)
    slides = ScriptedFace(lambda frame: (320 - min(frame, 15) * 8.0, 120, 60))
    history = run(World(stays, slides), range(40))
    assert ids(history)[0] == [0, 1]
    assert ids(history)[-1] == [0]


@pytest.mark.parametrize(("covered", "left"), [(False, 0), (True, 1)])
def test_of_two_tracks_on_one_face_the_one_in_trouble_ends(covered: bool, left: int) -> None:
    """The elder slides onto the younger, 3 px a frame faster each frame: never a surprise. That it
    is covered meanwhile tells that it is not its own face which it slides onto."""
    slides = ScriptedFace(
        lambda frame: (200 + 1.5 * min(max(frame - 10, 0), 6) ** 2, 120, 60),
        confidence=lambda frame: 0.6 if covered and frame > 10 else 0.9,
    )
    history = ids(run(World(slides, still(260)), range(40)))
    assert history[0] == [0, 1]
    assert history[-1] == [left]


def test_two_boxes_on_one_face_make_one_track() -> None:
    world = World(still(200))
    world.false_alarms = [Detection(Box(180.0, 100.0, 235.0, 160.0), 0.8)]
    assert ids(run(world, range(3))) == [[0]] * 3


def test_a_fast_face_is_followed_by_its_motion() -> None:
    """14 px a frame is 0.35 of its size of 40 px; after a start from rest the crop leads."""
    runner = ScriptedFace(lambda frame: (60 + 14.0 * max(frame - 2, 0), 120, 40))
    assert ids(run(World(runner), range(35))) == [[0]] * 35


def test_a_number_survives_a_camera_that_is_swung() -> None:
    """38 px a frame is 0.95 of its size: every crop misses it, and every search finds it again."""
    rushing = ScriptedFace(lambda frame: (30 + 38.0 * max(frame - 2, 0), 120, 40))
    world = World(rushing)
    assert ids(run(world, range(17))) == [[0]] * 17
    assert len(world.searched) > 10


def test_a_face_that_leaves_the_picture_ends() -> None:
    leaving = ScriptedFace(lambda frame: (560 + 5.0 * frame, 120, 60))
    history = run(World(leaving), range(30))
    assert ids(history)[0] == [0]
    assert ids(history)[-1] == []
    last = max(index for index, faces in enumerate(history) if faces)
    # Its box is about 62 px wide: less than 30 % is inside when the centre is 12 px outside.
    assert 640 + 5 < 560 + 5 * last < 640 + 20


def test_weakness_is_counted_from_its_first_frame() -> None:
    settings = TrackerSettings(weak_secs=0.05, smoothing=None)

    def weak_in(*frames: int) -> World:
        # The detector of this world finds the face, but model 2's look is as weak there.
        return World(
            ScriptedFace(
                lambda frame: (200, 120, 60), lambda frame: 0.3 if frame in frames else 0.9
            )
        )

    assert ids(run(weak_in(3, 4, 6, 7), range(9), settings)) == [[0]] * 9
    assert ids(run(weak_in(3, 4, 5), range(6), settings)) == [[0]] * 5 + [[]]


def test_timestamps_may_stand_still_or_run_backwards() -> None:
    walker = ScriptedFace(lambda frame: (200 + 2.0 * frame, 120, 60))
    tracker = Tracker(*[World(walker)] * 3, TrackerSettings())
    times = [0.0, 0.0, 0.04, 0.08, 0.02, 0.02, float("nan"), 5.0, 5.04, 5.04]
    for index, secs in enumerate(times):
        (face,) = tracker.update(frame_at(index, secs))
        assert face.track_id == 0
        error = np.abs(face.landmarks.points_image - points_at(200 + 2.0 * index, 120, 60)).max()
        assert error < 2.5


def test_reset_begins_another_video() -> None:
    world = World(still())
    tracker = Tracker(world, world, world, RAW)
    tracker.update(frame_at(0))
    tracker.reset()
    assert [face.track_id for face in tracker.update(frame_at(0))] == [0]
    assert world.searched == [0, 0]


def test_numbers_that_are_not_finite_end_a_face() -> None:
    world = World(ScriptedFace(lambda frame: (200, 120, 60) if frame < 3 else (np.nan, 120, 60)))
    world.find = lambda frame: [Detection(Box(170.0, 90.0, 230.0, 150.0), 0.9)]  # type: ignore[method-assign]
    assert ids(run(world, range(5))) == [[0]] * 3 + [[]] * 2


@pytest.mark.parametrize(
    "bad", [{"max_faces": 0}, {"search_secs": -1}, {"end_score": 0.9}, {"weak_secs": float("nan")}]
)
def test_settings_that_make_no_sense_are_refused(bad: dict[str, int]) -> None:
    with pytest.raises(ConfigError):
        TrackerSettings(**bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [{"far": 0.0}, {"usual_step_secs": -1.0}, {"far": float("nan")}])
def test_second_looks_that_would_divide_by_nothing_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(bad))):
        RecheckSettings(**bad)


def test_the_mean_shape_is_what_the_world_draws() -> None:
    assert points_at(0, 0, 1) == pytest.approx(MEAN)


def test_a_tracker_in_two_threads_refuses_and_a_fresh_one_shares_its_parts() -> None:
    entered, leave = threading.Event(), threading.Event()

    class Slow(World):
        def find(self, frame: Frame) -> list[Detection]:
            entered.set()
            leave.wait(10)
            return super().find(frame)

    world = Slow(still())
    tracker = Tracker(world, world, world, RAW)
    with ThreadPoolExecutor(1) as pool:
        inside = pool.submit(tracker.update, frame_at(0))
        assert entered.wait(10)
        with pytest.raises(ConfigError, match="another thread"):
            tracker.update(frame_at(1))
        leave.set()
        assert ids([inside.result()]) == [[0]]
    assert ids([tracker.update(frame_at(1)), tracker.fresh().update(frame_at(7))]) == [[0], [0]]


def test_several_faces_are_followed_as_if_each_were_alone() -> None:
    walkers = [
        ScriptedFace(lambda frame, y=y: (100 + 2.0 * frame + y, y, 40)) for y in (50, 120, 190)
    ]
    together = run(World(*walkers), range(20), TrackerSettings())
    for number, walker in enumerate(walkers):
        alone = run(World(walker), range(20), TrackerSettings())
        for faces, (single,) in zip(together, alone, strict=True):
            face = min(faces, key=lambda one: abs(one.box.centre[1] - single.box.centre[1]))
            assert face.score == single.score, number
            points = face.landmarks.points_image
            np.testing.assert_allclose(points, single.landmarks.points_image, atol=1e-5)
            assert face.pose.yaw_deg == pytest.approx(single.pose.yaw_deg, abs=1e-5)
