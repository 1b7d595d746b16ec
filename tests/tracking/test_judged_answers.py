"""A network with a judge of answers: it is asked once a face and frame, after every choice."""

from __future__ import annotations

import numpy as np
import pytest
from world import HEIGHT, SIDE, WIDTH, ScriptedFace, World, frame_at, points_at

from mien.alignment import CarefulPredictor, align, judge_of
from mien.geometry import crop_from_box
from mien.pipeline import StageTimes
from mien.pipeline.tally import TimedPredictor
from mien.tracking import Tracker, TrackerSettings
from mien.tracking.state import restore_tracker, tracker_state
from mien.types import Box, Landmarks

AT_BORDER = points_at(632.0, 120.0, 80.0)
LEAVING = ScriptedFace(lambda frame: (632.0 + 0.5 * frame, 120.0, 80.0))


class JudgedWorld(World):
    """Its judge halves every confidence, and keeps what it was asked."""

    def __init__(self, *faces: ScriptedFace) -> None:
        super().__init__(*faces)
        self.asked: list[tuple[float, tuple[int, int]]] = []

    def judge(self, answer: Landmarks, size: tuple[int, int]) -> Landmarks:
        self.asked.append((float(answer.confidence.mean()), size))
        return Landmarks(answer.points_image, answer.confidence / 2)


@pytest.mark.parametrize("wrapped", [False, True])
def test_what_leaves_the_tracker_is_judged_and_what_it_goes_on_with_is_not(wrapped: bool) -> None:
    world, plain = JudgedWorld(LEAVING), World(LEAVING)
    model = TimedPredictor(world, StageTimes()) if wrapped else world
    settings = TrackerSettings(looks=False)
    judged = Tracker(world, model, model, settings)
    other = Tracker(plain, plain, plain, settings)
    for index in range(5):
        (ours,), (theirs,) = judged.update(frame_at(index)), other.update(frame_at(index))
        np.testing.assert_array_equal(
            ours.landmarks.points_image, theirs.landmarks.points_image
        )  # equal, whoever judges
        assert (ours.track_id, ours.score, ours.pose) == (
            theirs.track_id,
            theirs.score,
            theirs.pose,
        )
        np.testing.assert_allclose(ours.landmarks.confidence, 0.45)
    assert len(world.asked) == 5
    assert all(size == (WIDTH, HEIGHT) for _, size in world.asked)
    assert all(sure == pytest.approx(0.9) for sure, _ in world.asked)  # of each frame's own looks


def test_a_judged_tracker_goes_on_after_a_break() -> None:
    """A study saves its tracker every minute; the judge is a part, as the network is."""
    first, second = (Tracker(one, one, one) for one in (JudgedWorld(LEAVING), JudgedWorld(LEAVING)))
    first.update(frame_at(0))
    restore_tracker(second, tracker_state(first))
    (ours,), (theirs,) = first.update(frame_at(1)), second.update(frame_at(1))
    assert ours.track_id == theirs.track_id
    np.testing.assert_array_equal(ours.landmarks.points_image, theirs.landmarks.points_image)
    np.testing.assert_allclose(theirs.landmarks.confidence, 0.45)


def test_averaged_looks_of_a_judged_network_are_not_corrected_twice() -> None:
    """Three looks of 0.9 alike: 0.9 for the judge; without one the average is worth more."""
    rough = crop_from_box(Box.around(AT_BORDER), SIDE)
    image, settings = frame_at(0).image_rgb, TrackerSettings().starts
    kept = [
        align(one, one, image, [rough], starts=settings)[0]
        for one in (JudgedWorld(LEAVING), World(LEAVING))
    ]
    assert kept[0] is not None
    assert kept[1] is not None
    np.testing.assert_allclose(kept[0].landmarks.confidence, 0.9)
    assert (kept[1].landmarks.confidence > 0.9).all()
    np.testing.assert_allclose(kept[0].landmarks.points_image, kept[1].landmarks.points_image)


def test_what_stands_for_a_network_has_its_judge() -> None:
    judged, plain = JudgedWorld(), World()
    for stand_in in (CarefulPredictor(judged), TimedPredictor(judged, StageTimes())):
        assert judge_of(stand_in) == judged.judge
    for stand_in in (plain, CarefulPredictor(plain), TimedPredictor(plain, StageTimes())):
        assert judge_of(stand_in) is None
