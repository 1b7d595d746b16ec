"""How often a film's doubtful places are looked at again."""

from __future__ import annotations

from world import ScriptedFace, World, frame_at

from mien.tracking import Tracker, TrackerSettings
from mien.tracking.second_looks import SecondLooks
from mien.types import Box, Detection

HERE, BESIDE, AWAY = Box(0, 0, 100, 100), Box(10, 5, 105, 110), Box(200, 0, 300, 100)


def test_a_place_is_granted_once_in_its_time() -> None:
    looks = SecondLooks(1.0)
    assert looks.grant([HERE, AWAY], 5.0) == [True, True]
    assert looks.grant([BESIDE], 5.5) == [False]
    assert looks.grant([BESIDE], 5.99) == [False]
    assert looks.grant([BESIDE, AWAY], 6.0) == [True, True]


def test_a_false_alarm_that_stays_is_looked_at_again_once_a_second() -> None:
    """25 frames a second, searched in every frame while no face lives."""

    class Counting(World):
        looks = 0

        def predict(self, image_rgb, places):  # type: ignore[no-untyped-def]
            self.looks += len(places)
            return super().predict(image_rgb, places)

    world = Counting()
    world.false_alarms = [Detection(Box(300, 50, 380, 130), 0.8)]
    tracker = Tracker(world, world, world)
    for index in range(50):
        assert tracker.update(frame_at(index)) == []
    searches = len(world.searched)
    assert searches > 40
    again = world.looks - searches
    assert again == 2 * 4, "four rolls, twice in two seconds; model 2 follows none up"


def test_a_photo_is_looked_at_from_every_roll() -> None:
    settings = TrackerSettings()
    photo = settings.for_photo()
    assert settings.starts is not None
    assert photo.starts is not None
    assert set(settings.starts.rolls_deg) < set(photo.starts.rolls_deg)
    assert photo.any_roll > settings.any_roll
    assert TrackerSettings(starts=None).for_photo().starts is None
    world = World(ScriptedFace(lambda index: (320.0, 120.0, 80.0)))
    (face,) = Tracker(world, world, world).for_photo().update(frame_at(0))
    assert face.track_id == 0


def test_a_careful_tracker_looks_six_times_at_each_face_of_a_frame() -> None:
    class Counting(World):
        looks = 0

        def predict(self, image_rgb, places):  # type: ignore[no-untyped-def]
            self.looks += len(places)
            return super().predict(image_rgb, places)

    face = ScriptedFace(lambda index: (320.0, 120.0, 80.0))
    plain, careful = Counting(face), Counting(face)
    plain_tracker = Tracker(plain, plain, plain)
    careful_tracker = Tracker(careful, careful, careful, TrackerSettings(careful=True))
    for index in range(5):
        (one,) = plain_tracker.update(frame_at(index))
        (other,) = careful_tracker.update(frame_at(index))
        assert abs(one.pose.yaw_deg - other.pose.yaw_deg) < 1
    assert plain.looks == 2 + 4
    assert careful.looks == 2 + 5 * 6
