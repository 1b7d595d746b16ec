"""Numbers by looks: cuts, people who take each other's place, who come back."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import pytest
from world import ScriptedFace, World, frame_at

from mien.media import open_source
from mien.tracking import Tracker, TrackerSettings
from mien.tracking.appearance import load_appearance
from mien.tracking.looks import Looks, Signature
from mien.tracking.memory import FoundFace, LostFace, Memory
from mien.tracking.recognition import found_face
from mien.tracking.region import Place
from mien.tracking.state import restore_tracker, tracker_state
from mien.types import Face, Landmarks, Prediction

Spot = tuple[float, float, float]


class ScriptedCuts:
    """Says that these frames begin a shot."""

    def __init__(self, *frames: int) -> None:
        self._frames = frames

    def is_cut(self, image_rgb: np.ndarray) -> bool:
        return int(image_rgb[0, 0, 0]) * 256 + int(image_rgb[0, 0, 1]) in self._frames


class ScriptedLooks:
    """Each face of a world looks like its number, whatever the picture shows."""

    def __init__(self, world: World, people: Sequence[int]) -> None:
        self._world = world
        self._people = people

    def signature(self, image_rgb: np.ndarray, points: np.ndarray) -> np.ndarray | None:
        index = int(image_rgb[0, 0, 0]) * 256 + int(image_rgb[0, 0, 1])
        for face, person in zip(self._world.faces, self._people, strict=True):
            there = face.points(index)
            if there is not None and np.abs(there - points).max() < 1:
                return np.eye(5)[person]
        return None

    glance = signature


def ids(
    faces: Sequence[ScriptedFace],
    people: Sequence[int],
    frames: int,
    cuts: Sequence[int] = (),
    settings: TrackerSettings | None = None,
) -> list[list[int]]:
    world = World(*faces)
    tracker = Tracker(
        world,
        world,
        world,
        settings or TrackerSettings(smoothing=None),
        cuts=lambda: ScriptedCuts(*cuts),
        looks=ScriptedLooks(world, people),
    )
    history: list[list[Face]] = [tracker.update(frame_at(index)) for index in range(frames)]
    return [[face.track_id for face in faces] for faces in history]


def during(spot: Spot, *spans: tuple[int, int]) -> ScriptedFace:
    def place(frame: int) -> Spot | None:
        return spot if any(first <= frame < last for first, last in spans) else None

    return ScriptedFace(place)


def a_b_a(spot: Spot = (300, 120, 60)) -> list[ScriptedFace]:
    return [during((300, 120, 60), (0, 20), (40, 60)), during(spot, (20, 40))]


@pytest.mark.parametrize("cuts", [(20, 40), ()], ids=["seen", "overlooked"])
def test_two_people_in_one_place_are_0_1_0(cuts: tuple[int, ...]) -> None:
    """Where the cut is overlooked, the face's own looks tell in the same frame."""
    assert ids(a_b_a(), (0, 1), 60, cuts) == [[0]] * 20 + [[1]] * 20 + [[0]] * 20


def test_a_cut_within_one_face_changes_nothing() -> None:
    """What was taken for a cut was none: the same face goes on."""
    assert ids([during((300, 120, 60), (0, 30))], (0,), 30, (7, 8, 20)) == [[0]] * 30


def test_across_a_cut_a_face_without_looks_is_somebody_new() -> None:
    world = World(during((300, 120, 60), (0, 30)))
    tracker = Tracker(world, world, world, cuts=lambda: ScriptedCuts(10))  # its pictures are black
    history = [tracker.update(frame_at(index)) for index in range(30)]
    assert [[face.track_id for face in faces] for faces in history] == [[0]] * 10 + [[1]] * 20


def test_places_mean_nothing_across_a_cut() -> None:
    """A left, B right; after the cut they sit the other way round, a third between them."""
    left, middle, right = (120, 120, 60), (320, 120, 60), (500, 120, 60)
    faces = [
        during(left, (0, 10)),
        during(right, (0, 10)),
        during(right, (10, 20)),
        during(left, (10, 20)),
        during(middle, (10, 20)),
    ]
    history = ids(faces, (0, 1, 0, 1, 2), 20, (10,))
    assert history == [[0, 1]] * 10 + [[0, 1, 2]] * 10
    world = World(*faces)
    tracker = Tracker(
        *[world] * 3, cuts=lambda: ScriptedCuts(10), looks=ScriptedLooks(world, (0, 1, 0, 1, 2))
    )
    before, after = (
        {face.track_id: face.box.centre[0] for face in faces}
        for faces in [tracker.update(frame_at(index)) for index in range(11)][9:]
    )
    assert before[0] < before[1]
    assert after[1] < after[2] < after[0]


@pytest.mark.parametrize(("person", "number"), [(0, 0), (1, 1)])
def test_who_comes_back_to_a_place_is_judged_by_looks(person: int, number: int) -> None:
    """Away for a second: the same person has the old number, another a new one."""
    faces = [during((300, 120, 60), (0, 10)), during((310, 120, 60), (35, 40))]
    assert ids(faces, (0, person), 40)[-1] == [number]


@pytest.mark.parametrize(("gap", "number"), [(250, 0), (60 * 25 + 25, 1)])
def test_a_known_face_is_recalled_anywhere_for_a_minute(gap: int, number: int) -> None:
    faces = [during((120, 120, 60), (0, 10)), during((500, 120, 60), (10 + gap, 20 + gap))]
    assert ids(faces, (0, 0), 12 + gap)[-1] == [number]


@pytest.mark.parametrize(("sure", "number"), [(0.9, 1), (0.75, 0)])
def test_a_covered_face_is_not_somebody_else(sure: float, number: int) -> None:
    """Another face is seen in its place; or its points are less sure too: then it is something
    before it, which looks like nobody."""
    stays, other = a_b_a()
    other = ScriptedFace(other.place, confidence=lambda frame: sure)
    assert ids([stays, other], (0, 1), 60) == [[0]] * 20 + [[number]] * 20 + [[0]] * 20


def test_a_crop_that_is_put_right_shows_the_same_face() -> None:
    """Its small picture is another all at once; its signature is still much like those kept."""

    class Shifted(ScriptedLooks):
        def glance(self, image_rgb: np.ndarray, points: np.ndarray) -> np.ndarray:
            return np.eye(2)[int(image_rgb[0, 0, 1] >= 20)]

        def signature(self, image_rgb: np.ndarray, points: np.ndarray) -> np.ndarray:
            return np.array([0.7, 0.714]) if image_rgb[0, 0, 1] >= 20 else np.array([1.0, 0.0])

    world = World(during((300, 120, 60), (0, 40)))
    tracker = Tracker(*[world] * 3, looks=Shifted(world, (0,)), cuts=ScriptedCuts)
    assert [[f.track_id for f in tracker.update(frame_at(i))] for i in range(40)] == [[0]] * 40


@pytest.mark.parametrize(("sure", "number"), [(0.9, 1), (0.5, 0)])
def test_a_face_that_comes_back_half_covered_is_not_judged_by_looks(
    sure: float, number: int
) -> None:
    back = ScriptedFace(during((300, 120, 60), (30, 40)).place, confidence=lambda frame: sure)
    assert ids([during((300, 120, 60), (0, 10)), back], (0, 1), 40)[-1] == [number]


@pytest.mark.parametrize(("x", "number"), [(520.0, 2), (380.0, 0)])
def test_beside_another_face_unlikeness_proves_nothing(x: float, number: int) -> None:
    """All at once 0 looks like somebody else; where another stands beside it, that covers it."""
    stays, other = a_b_a()
    faces = [stays, during((x, 120, 60), (0, 60)), other]
    history = ids(faces, (0, 1, 2), 60)
    assert history == [[0, 1]] * 20 + [sorted([1, number])] * 20 + [[0, 1]] * 20


@pytest.mark.parametrize(("covered", "number"), [(False, None), (True, 0)])
def test_a_face_that_another_may_cover_may_be_unlike_itself(
    covered: bool, number: int | None
) -> None:
    memory, known = Memory(), Looks()
    known.keep(Signature(np.array([1.0, 0.0]), 0.0), 0.0)
    place = Place(np.array([100.0, 100.0]), 60.0, np.zeros(2))
    memory.lost = [LostFace(0, place, np.zeros((68, 3)), 0.9, known)]
    found = FoundFace(place, Signature(np.array([0.0, 1.0]), 0.0), may_be_covered=covered)
    back = memory.recall([found], 1.0, TrackerSettings())
    assert (back[0].track_id if back else None) == number


@pytest.mark.parametrize(("sure", "covered"), [(0.9, False), (0.7, True)])
@pytest.mark.parametrize("x", [380.0, 520.0])
def test_what_may_be_covered_is_unsure_and_beside_another(
    sure: float, covered: bool, x: float
) -> None:
    world = World(during((x, 120, 60), (0, 1)))
    tracker = Tracker(world, world, world)
    tracker.update(frame_at(0))
    points = frame_points() + np.array([200.0, 20.0, 0.0])
    seen = Prediction(Landmarks(points, np.full(68, sure)), 0.9)
    found = found_face(ScriptedLooks(world, (0,)), frame_at(0), seen, tracker._tracks)
    assert found.may_be_covered == (covered and x == 380.0)


@pytest.mark.parametrize(("sure", "number"), [(0.9, 1), (0.6, 0)])
def test_under_a_cover_a_face_is_remembered_as_it_was(sure: float, number: int) -> None:
    """Its points shrink to the half that is left of it, then it is gone for a while."""

    def place(frame: int) -> tuple[float, float, float] | None:
        if 13 <= frame < 25:
            return None
        return (300, 120, 30 if 10 <= frame < 13 else 60)

    settings = TrackerSettings(smoothing=None, looks=False)
    covered = ScriptedFace(place, confidence=lambda frame: sure if 10 <= frame < 13 else 0.9)
    assert ids([covered], (0,), 30, settings=settings)[-1] == [number]


class LooksByPlace:
    """Whoever is right of 255 px is one person, whoever is left of it another."""

    @staticmethod
    def signature(image_rgb: np.ndarray, points: np.ndarray) -> np.ndarray:
        return np.eye(2)[int(points[:, 0].mean() > 255)]

    glance = signature


@pytest.mark.parametrize(("looks", "left"), [(False, 0), (True, 1)])
def test_of_two_tracks_on_one_face_looks_tell_whose_it_is(looks: bool, left: int) -> None:
    """The elder glides onto the younger and is never surprised."""
    glides = ScriptedFace(lambda frame: (200 + min(1.5 * frame, 54), 120, 60))
    stands = ScriptedFace(lambda frame: (260, 120, 60), confidence=lambda frame: 0.95)
    settings = TrackerSettings(smoothing=None, looks=looks)
    tracker = Tracker(
        *[World(glides, stands)] * 3, settings, looks=LooksByPlace(), cuts=ScriptedCuts
    )
    history = [[face.track_id for face in tracker.update(frame_at(i))] for i in range(45)]
    assert history[0] == [0, 1]
    assert history[-1] == [left]


def test_who_looks_the_same_is_preferred_to_who_stood_nearer_and_was_not_seen() -> None:
    def place(x: float) -> Place:
        return Place(np.array([x, 100.0]), 60.0, np.zeros(2))

    known = Looks()
    known.keep(Signature(np.array([1.0, 0.0]), 0.0), 0.0)
    memory = Memory()
    nowhere = np.zeros((68, 3))
    memory.lost = [
        LostFace(0, place(130), nowhere, 0.9, known),
        LostFace(1, place(110), nowhere, 0.9, Looks()),
    ]
    found = FoundFace(place(105), Signature(np.array([0.8, 0.6]), 0.0))
    assert memory.recall([found], 1.0, TrackerSettings())[0].track_id == 0
    assert [face.track_id for face in memory.lost] == [1]


def test_without_looks_places_alone_decide() -> None:
    settings = TrackerSettings(smoothing=None, looks=False)
    assert ids(a_b_a(), (0, 1), 60, (20, 40), settings) == [[0]] * 60


@pytest.mark.parametrize("at", [5, 20, 30, 45])
def test_what_is_known_of_looks_survives_a_break(at: int) -> None:
    world = World(*a_b_a())

    def make() -> Tracker:
        return Tracker(*[world] * 3, looks=ScriptedLooks(world, (0, 1)))

    first, second = make(), make()
    for index in range(at):
        first.update(frame_at(index))
    restore_tracker(second, tracker_state(first))
    numbers = [[face.track_id for face in second.update(frame_at(i))] for i in range(at, 60)]
    assert numbers == ([[0]] * 20 + [[1]] * 20 + [[0]] * 20)[at:]


def look_of(make: Callable[[np.ndarray], np.ndarray] = lambda picture: picture) -> list[np.ndarray]:
    """Signatures of the demo's face in every fifth frame."""
    folder = Path(str(resources.files("mien") / "demo"))
    truth = np.load(folder / "landmarks.npz")["points_image"].astype(np.float64)
    with open_source(str(folder / "clip.mp4")) as source:
        pictures = [frame.image_rgb for frame in source]
    looks = [
        load_appearance().signature(make(pictures[index]), truth[index])
        for index in range(0, len(pictures), 5)
    ]
    return [look for look in looks if look is not None]


def test_one_face_looks_like_itself_and_not_like_its_negative() -> None:
    plain, negative = look_of(), look_of(lambda picture: 255 - picture)
    dim = look_of(lambda picture: (picture * 0.6).astype(np.uint8))
    for look, darker, inverted in zip(plain, dim, negative, strict=True):
        assert look @ look == pytest.approx(1)
        assert look @ darker > 0.87
        assert look @ inverted < look @ darker
    assert np.mean([a @ b for a, b in itertools.pairwise(plain)]) > 0.4


def test_in_the_dark_and_out_of_focus_nobody_is_told_from_another() -> None:
    assert look_of(lambda picture: (picture * 0.02).astype(np.uint8)) == []
    assert look_of(lambda picture: cv2.GaussianBlur(picture, (0, 0), 24)) == []


def test_a_flat_picture_has_no_looks() -> None:
    grey = np.full((200, 200, 3), 90, np.uint8)
    points = np.asarray(frame_points())
    assert load_appearance().signature(grey, points) is None
    assert load_appearance().glance(grey, points) is None


def frame_points() -> np.ndarray:
    there = during((100, 100, 60), (0, 1)).points(0)
    assert there is not None
    return there
