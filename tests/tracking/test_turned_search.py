"""Boxes and points of turned frames, against a picture whose marks a person can count."""

from __future__ import annotations

import numpy as np
import pytest

from mien.tracking.turned_search import find_at_any_roll
from mien.types import Box, Detection, Frame

EYES_NOSE_MOUTH = ((10, 20), (20, 20), (15, 25), (11, 30), (19, 30))
"""x, y in a face of 30 x 40 whose corners are marked too."""


class Marks:
    """Reads a face from five colours and two corners, if its eyes lie above its mouth."""

    def __init__(self, score: float = 0.9) -> None:
        self.asked = 0
        self._score = score

    def find(self, frame: Frame) -> list[Detection]:
        self.asked += 1
        red = frame.image_rgb[..., 0]
        points = np.array([np.argwhere(red == value)[0][::-1] for value in range(1, 6)], float)
        corners = np.argwhere(red == 9)[:, ::-1].astype(float)
        if points[:2, 1].max() >= points[3:, 1].min():
            return []
        return [Detection(Box.around(corners), self._score, points)]


def picture(quarters: int) -> tuple[Frame, np.ndarray, np.ndarray]:
    """A marked face in a wide picture that was then turned; with its true marks and corners."""
    image = np.zeros((90, 130, 3), np.uint8)
    for value, (x, y) in enumerate(EYES_NOSE_MOUTH, start=1):
        image[y + 7, x + 50, 0] = value
    image[5, 48, 0] = image[45, 78, 0] = 9
    image = np.ascontiguousarray(np.rot90(image, quarters))
    points = np.array([np.argwhere(image[..., 0] == v)[0][::-1] for v in range(1, 6)], float)
    return Frame(image, 3, 0.5), points, np.argwhere(image[..., 0] == 9)[:, ::-1].astype(float)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_face_on_its_side_or_head_is_found_where_it_is(quarters: int) -> None:
    frame, points, corners = picture(quarters)
    (found,) = find_at_any_roll(Marks(), frame)
    assert found.box == Box.around(corners)
    assert found.five_points is not None
    np.testing.assert_allclose(found.five_points, points)


def test_an_upright_face_costs_one_search() -> None:
    frame, points, _ = picture(0)
    finder = Marks()
    (found,) = find_at_any_roll(finder, frame)
    assert finder.asked == 1
    np.testing.assert_allclose(found.five_points, points)


def test_a_doubtful_find_does_not_hide_a_face_on_its_head() -> None:
    frame, _, corners = picture(2)
    doubtful = Detection(Box(0, 0, 20, 20), 0.45, None)

    class Doubting(Marks):
        def find(self, frame: Frame) -> list[Detection]:
            found = super().find(frame)
            return [doubtful] if self.asked == 1 else found

    face, other = find_at_any_roll(Doubting(), frame)
    assert face.box == Box.around(corners)
    assert other is doubtful


def test_what_the_detector_half_believes_of_a_turned_frame_is_dropped() -> None:
    assert find_at_any_roll(Marks(score=0.6), picture(2)[0]) == []
    assert len(find_at_any_roll(Marks(score=0.6), picture(0)[0])) == 1


class WithCloserLook(Marks):
    """One that sees further faces when it looks closer."""

    def __init__(self, *small: Box, sees_large: bool = True) -> None:
        super().__init__()
        self._small = small
        self._sees_large = sees_large
        self.small_score = 0.7

    def find(self, frame: Frame) -> list[Detection]:
        return super().find(frame) if self._sees_large else []

    def find_small(self, frame: Frame) -> list[Detection]:
        return [Detection(box, self.small_score) for box in self._small]


def test_small_faces_join_the_others_and_parts_of_a_face_do_not() -> None:
    """The face's box is 48, 5 to 78, 45: an eye in it and a box much like it are that face."""
    frame, _, _ = picture(0)
    beside, eye, again = Box(100, 60, 106, 67), Box(55, 20, 61, 26), Box(60, 8, 90, 50)
    found = find_at_any_roll(WithCloserLook(beside, eye, again), frame)
    assert {one.box for one in found} == {Box(48, 5, 78, 45), beside}
    alone = find_at_any_roll(WithCloserLook(beside, eye, sees_large=False), frame)
    assert [one.box for one in alone] == [beside, eye]


def test_of_two_looks_at_one_face_the_surer_stays() -> None:
    frame, _, _ = picture(0)
    again = Box(52, 8, 80, 44)
    for score, kept in ((0.7, again), (0.5, Box(48, 5, 78, 45))):
        doubted = WithCloserLook(again)
        doubted._score = 0.6
        doubted.small_score = score
        (found,) = find_at_any_roll(doubted, frame)
        assert found.box == kept
