"""One frame in which model 2 goes astray, and what a second look makes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from world import MEAN, ScriptedFace, World, frame_at, points_at

from mien.geometry import Similarity, rotation_from_angles
from mien.tracking import RecheckSettings, Tracker, TrackerSettings
from mien.types import Face, HeadPose, Landmarks, Prediction

ASTRAY = 10
SETTINGS = TrackerSettings(smoothing=None)
ONCE = TrackerSettings(smoothing=None, recheck=None)


def turned(x: float, y: float, size: float, yaw_deg: float) -> np.ndarray:
    rotation = rotation_from_angles(HeadPose(yaw_deg, 0, 0))
    return np.asarray(size * MEAN @ rotation.T + np.array([x, y, 0.0]))


class Follower(World):
    """Model 2, whose first look in the frame is another one; it counts its looks by frame."""

    def __init__(
        self, *faces: ScriptedFace, first_look: Callable[[int], Prediction | None]
    ) -> None:
        super().__init__(*faces)
        self._first_look = first_look
        self.looks: dict[int, int] = {}

    def predict(
        self, image_rgb: np.ndarray, image_from_crops: Sequence[Similarity]
    ) -> list[Prediction]:
        index = int(image_rgb[0, 0, 0]) * 256 + int(image_rgb[0, 0, 1])
        seen = super().predict(image_rgb, image_from_crops)
        first = self._first_look(index) if index not in self.looks else None
        self.looks[index] = self.looks.get(index, 0) + len(image_from_crops)
        return [first, *seen[1:]] if first is not None else seen


def astray(confidence: float, yaw_deg: float = 40) -> Callable[[int], Prediction | None]:
    points = turned(200, 120, 60, yaw_deg)
    wrong = Prediction(Landmarks(points, np.full(68, confidence)), 0.9)
    return lambda index: wrong if index == ASTRAY else None


def still() -> ScriptedFace:
    return ScriptedFace(lambda frame: (200, 120, 60))


def run(model_2: Follower, world: World, settings: TrackerSettings) -> list[list[Face]]:
    tracker = Tracker(world, world, model_2, settings)
    return [tracker.update(frame_at(index)) for index in range(16)]


def test_a_second_look_mends_a_frame_in_which_model_2_went_astray() -> None:
    world = World(still())
    model_2 = Follower(still(), first_look=astray(0.5))
    history = run(model_2, world, SETTINGS)
    assert [len(faces) for faces in history] == [1] * 16
    for (face,) in history:
        assert abs(face.pose.yaw_deg) < 1e-6
    (wrong,) = run(Follower(still(), first_look=astray(0.5)), world, ONCE)[ASTRAY]
    assert wrong.pose.yaw_deg == pytest.approx(40)


def test_only_the_doubtful_frame_is_looked_at_again() -> None:
    """Two starts in frame 10, and in frame 0 the one look of whoever enters."""
    model_2 = Follower(still(), first_look=astray(0.5))
    run(model_2, World(still()), SETTINGS)
    assert model_2.looks == {index: 3 if index == ASTRAY else 1 for index in range(16)}


@pytest.mark.parametrize("confidence", [0.5, 0.99])
def test_looks_that_differ_lower_the_score_whichever_is_kept(confidence: float) -> None:
    """The distance is that of a head at yaw 40 from one at yaw 0: counted here from the points."""
    model_2 = Follower(still(), first_look=astray(confidence))
    history = run(model_2, World(still()), SETTINGS)
    right, wrong = points_at(200, 120, 60), turned(200, 120, 60, 40)
    kept = wrong if confidence > 0.9 else right
    apart = np.linalg.norm((right - wrong)[:, :2], axis=1).mean() / np.sqrt(
        np.ptp(kept[:, 0]) * np.ptp(kept[:, 1])
    )
    told = [faces[0].score for faces in history]
    before = 0.9 if confidence > 0.9 else 0.95
    assert told[ASTRAY] == pytest.approx(before / (1 + (apart / 0.1) ** 2))
    assert told[ASTRAY] < 0.6
    assert told[:ASTRAY] == [0.95] * ASTRAY
    assert told[ASTRAY + 2 :] == [0.95] * 4


def test_of_looks_about_as_sure_the_one_where_the_motion_led_is_kept() -> None:
    """The astray one is surer by 0.02, and lies a tenth of the face off."""
    history = run(Follower(still(), first_look=astray(0.92)), World(still()), SETTINGS)
    assert abs(history[ASTRAY][0].pose.yaw_deg) < 1e-6


def test_a_second_look_at_another_face_is_not_kept() -> None:
    """The neighbour in whose place model 1 sees a face is somebody who is followed already."""
    world = World(still(), ScriptedFace(lambda frame: (232, 120, 60)))
    near = turned(222, 120, 60, 20)
    lost = Prediction(Landmarks(near, np.full(68, 0.3)), 0.9)
    model_2 = Follower(*world.faces, first_look=lambda i: lost if i == ASTRAY else None)
    history = run(model_2, world, SETTINGS)
    (one, other) = history[ASTRAY]
    assert (one.track_id, other.track_id) == (0, 1)
    assert one.box.centre[0] < 228 < other.box.centre[0] + 1e-6


def test_a_second_look_that_could_not_be_read_ends_nobody() -> None:
    """In one frame the other looks read a face that all but leaves the picture."""
    world = World(ScriptedFace(lambda frame: (-20 if frame == ASTRAY else 4, 120, 60)))
    dim = Prediction(Landmarks(points_at(4, 120, 60), np.full(68, 0.3)), 0.9)
    model_2 = Follower(*world.faces, first_look=lambda i: dim if i == ASTRAY else None)
    history = run(model_2, world, SETTINGS)
    assert model_2.looks[ASTRAY] == 3, "it was looked at again"
    assert [[face.track_id for face in faces] for faces in history] == [[0]] * 16
    assert history[ASTRAY][0].box.centre[0] > 0


def test_a_face_that_stays_unsure_is_looked_at_again_now_and_then() -> None:
    """Every frame at confidence 0.4 and 25 frames a second: every 0.2 s, that is every fifth."""
    dim = Prediction(Landmarks(points_at(200, 120, 60), np.full(68, 0.4)), 0.9)

    class Dim(Follower):
        def _look(self, index: int, crop: Similarity) -> Prediction:
            return dim

    model_2 = Dim(still(), first_look=lambda index: None)
    history = run(model_2, World(still()), SETTINGS)
    again = [index for index, looks in model_2.looks.items() if looks > 1]
    assert again == [0, 1, 6, 11], "frame 0: whoever enters is looked at from other rolls"
    assert {faces[0].score for faces in history} == {0.9}, "they agree"


def test_a_turn_counts_by_the_time_it_took() -> None:
    """Twelve degrees a frame: a jump at 25 frames a second, none at 10."""

    def seen(index: int) -> Prediction:
        return Prediction(Landmarks(turned(200, 120, 60, 12.0 * index), np.full(68, 0.9)), 0.9)

    class Turning(Follower):
        def _look(self, index: int, crop: Similarity) -> Prediction:
            return seen(index)

    looks = {}
    for rate in (10, 25):
        model_2 = Turning(still(), first_look=lambda index: None)
        tracker = Tracker(World(still()), World(still()), model_2, SETTINGS)
        for index in range(4):
            tracker.update(frame_at(index, index / rate))
        looks[rate] = [model_2.looks[index] for index in range(4)]
    assert looks == {10: [1, 1, 1, 1], 25: [1, 3, 3, 3]}


def test_the_defaults_look_again() -> None:
    assert TrackerSettings().recheck == RecheckSettings()
