"""When a film is looked at closer: in time, and only where no face is large. By counting."""

from __future__ import annotations

import pytest
from world import FPS, ScriptedFace, World, frame_at

from mien.tracking import Tracker, TrackerSettings
from mien.types import Box, Detection, Frame

RAW = TrackerSettings(smoothing=None)


class CloserWorld(World):
    """Faces under 40 px are seen by a closer look alone."""

    def __init__(self, *faces: ScriptedFace) -> None:
        super().__init__(*faces)
        self.looked_closer: list[int] = []

    def find(self, frame: Frame) -> list[Detection]:
        return [found for found in super().find(frame) if found.box.height >= 40]

    def find_small(self, frame: Frame) -> list[Detection]:
        self.looked_closer.append(frame.index)
        seen = [face.points(frame.index) for face in self.faces]
        boxes = [Box.around(points) for points in seen if points is not None]
        return [Detection(box, 0.7) for box in boxes if box.height < 40]


def of_size(size: float, first: int = 0, x: float = 200) -> ScriptedFace:
    return ScriptedFace(lambda frame: (x, 120, size) if frame >= first else None)


def faces_of(world: World, count: int, settings: TrackerSettings = RAW) -> list[int]:
    tracker = Tracker(world, world, world, settings)
    return [len(tracker.update(frame_at(index))) for index in range(count)]


def test_a_small_face_that_comes_into_a_film_is_found_within_the_second() -> None:
    world = CloserWorld(of_size(20, first=30))
    assert faces_of(world, 60) == [0] * 50 + [1] * 10
    assert world.looked_closer == [0, 25, 50]


def test_beside_a_small_face_others_are_looked_for_beside_a_large_one_not() -> None:
    """640 px wide: up to 45 px is small."""
    small = CloserWorld(of_size(20), of_size(22, first=10, x=400))
    assert faces_of(small, 30) == [1] * 25 + [2] * 5
    large = CloserWorld(of_size(60), of_size(22, first=10, x=400))
    assert faces_of(large, 60) == [1] * 60
    assert large.looked_closer == []


@pytest.mark.parametrize(("secs", "looks"), [(0.2, 12), (2.0, 2)])
def test_how_often_is_a_setting(secs: float, looks: int) -> None:
    world = CloserWorld()
    faces_of(world, 60, TrackerSettings(smoothing=None, close_search_secs=secs))
    assert world.looked_closer == [round(i * secs * FPS) for i in range(looks)]
