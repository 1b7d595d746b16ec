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


def test_what_the_detector_half_believes_of_a_turned_frame_is_dropped() -> None:
    assert find_at_any_roll(Marks(score=0.6), picture(2)[0]) == []
    assert len(find_at_any_roll(Marks(score=0.6), picture(0)[0])) == 1
