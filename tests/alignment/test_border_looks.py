"""A face that the picture's border cuts: which way it goes on, where to look, and what is kept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from mien.alignment import StartSettings, align
from mien.alignment.border import beyond_border, cut_direction, joined_looks
from mien.geometry import FACE_SHARE, Similarity, crop_from_box, pose_head, rotation_from_angles
from mien.markup import load_markup
from mien.types import Box, HeadPose, Landmarks, Prediction

MEAN = load_markup(68).mean_shape
SIDE = 128
SIZE = 100.0
PICTURE = np.zeros((300, 400, 3), np.uint8)
TRUTH = MEAN * SIZE + np.array([395.0, 150.0, 0.0])
"""Its middle lies 5 px from the right border: half of it is outside."""


def turned(yaw_deg: float, x: float) -> np.ndarray:
    rotation = rotation_from_angles(HeadPose(yaw_deg, 0.0, 0.0))
    return MEAN @ rotation.T * SIZE + np.array([x, 150.0, 0.0])


def seen(points: np.ndarray, sure: float = 0.9, score: float = 0.9) -> Prediction:
    return Prediction(Landmarks(points, np.full(68, sure)), score)


def squeezed(
    points: np.ndarray, left: float, top: float, right: float, bottom: float
) -> np.ndarray:
    """The points, made to fill that box."""
    box = Box.around(points)
    scale = np.array([(right - left) / box.width, (bottom - top) / box.height, 1.0])
    return (points - [box.left, box.top, 0]) * scale + [left, top, 0]


@pytest.mark.parametrize(
    ("box", "direction"),
    [
        ((100, 100, 180, 190), None),
        ((320, 100, 398, 190), (1, 0)),
        ((330, 100, 450, 190), (1, 0)),  # points beyond the border
        ((-20, 100, 60, 190), (-1, 0)),
        ((3, 2, 80, 90), (-1, -1)),
        ((100, 220, 180, 299), (0, 1)),
        ((1, 100, 399, 299), (0, 1)),  # both sides: neither
        ((1, 1, 399, 299), None),
        ((100, 100, 200, 290), None),  # 9 px before the border, 138 px large: 0.065
        ((100, 100, 200, 293), (0, 1)),
    ],
)
def test_the_side_at_which_a_face_is_cut(
    box: tuple[float, float, float, float], direction: tuple[float, float] | None
) -> None:
    assert cut_direction(squeezed(MEAN, *box), (400, 300)) == direction


def test_further_crops_lie_beyond_the_border_and_are_wider() -> None:
    rough = crop_from_box(Box(300, 100, 400, 200), SIDE)
    middle = np.full(2, (SIDE - 1) / 2)
    own = seen(squeezed(MEAN, 300, 100, 400, 200))
    crops = beyond_border(rough, SIDE, own, MEAN, (1.0, 0.0))
    moved = [crop.apply(middle) - rough.apply(middle) for crop in crops]
    np.testing.assert_allclose(moved, [[30, 0], [45, 0]], atol=1e-6)
    assert [crop.scale / rough.scale for crop in crops] == pytest.approx([1.25, 1.25])
    assert all(crop.angle_rad == rough.angle_rad for crop in crops)


def test_crops_turn_with_a_head_that_lies_on_its_side() -> None:
    rough = crop_from_box(Box(300, 100, 400, 200), SIDE)
    lying = MEAN @ rotation_from_angles(HeadPose(0.0, 0.0, 80.0)).T * SIZE + [350.0, 150.0, 0.0]
    crops = beyond_border(rough, SIDE, seen(lying), MEAN, (1.0, 0.0))
    assert [np.degrees(crop.angle_rad) for crop in crops] == pytest.approx([80.0, 80.0], abs=0.1)


def test_equal_looks_are_averaged_and_a_surer_one_counts_more() -> None:
    one, other = seen(turned(0, 300)), seen(turned(0, 310))
    joined = joined_looks([one, other], MEAN, (400, 300))
    np.testing.assert_allclose(joined.landmarks.points_image, turned(0, 305), atol=1e-9)
    surer = seen(turned(0, 310), sure=0.95)
    joined = joined_looks([one, surer], MEAN, (400, 300))
    share = np.e / (1 + np.e)
    expected = turned(0, 300 + 10 * share)
    np.testing.assert_allclose(joined.landmarks.points_image, expected, atol=1e-9)


def test_of_looks_alike_sure_the_less_turned_head_counts_more() -> None:
    """By 45 degrees: a fifth of half a right angle, 0.1, which is e twice."""
    joined = joined_looks([seen(turned(0, 300)), seen(turned(45, 300))], MEAN, (400, 300))
    share = np.e**2 / (1 + np.e**2)
    expected = share * turned(0, 300) + (1 - share) * turned(45, 300)
    np.testing.assert_allclose(joined.landmarks.points_image, expected, atol=0.3)


def test_points_outside_do_not_say_how_sure_a_look_is() -> None:
    confidence = np.where(TRUTH[:, 0] <= 399.5, 0.9, 0.1)
    one = Prediction(Landmarks(TRUTH, confidence), 0.9)
    joined = joined_looks([one, seen(turned(0, 350))], MEAN, (400, 300))
    middle = joined.landmarks.points_image[:, 0].mean() - MEAN[:, 0].mean() * SIZE
    assert middle == pytest.approx((395 + 350) / 2, abs=0.5)


class HalfBlind:
    """Takes half a face for a turned head, unless the crop's middle is near the true one."""

    side = SIDE
    mean_shape = MEAN

    def __init__(self) -> None:
        self.crops = 0

    def predict(self, image_rgb: np.ndarray, crops: Sequence[Similarity]) -> list[Prediction]:
        self.crops += len(crops)
        return [self._look(crop) for crop in crops]

    def _look(self, crop: Similarity) -> Prediction:
        middle = crop.apply(np.full(2, (SIDE - 1) / 2))
        if abs(float(middle[0]) - 395) > 0.16 * SIZE:
            return seen(turned(60, 378), sure=0.85)
        return seen(TRUTH, sure=0.9)


def test_a_cut_face_is_read_where_the_whole_head_is() -> None:
    model = HalfBlind()
    rough = crop_from_box(Box(300, 100, 400, 200), SIDE)  # of what can be seen
    assert rough.scale * SIDE * FACE_SHARE == pytest.approx(SIZE)
    (kept,) = align(model, model, PICTURE, [rough], starts=StartSettings(rolls_deg=()))
    assert kept is not None
    points = kept.landmarks.points_image[:, :2]
    assert abs(pose_head(points, MEAN).pose.yaw_deg) < 8
    assert np.linalg.norm(points - TRUTH[:, :2], axis=1).mean() < 0.05 * SIZE
    assert model.crops == 6  # three of each model
    alone = StartSettings(rolls_deg=(), border=False)
    (kept,) = align(model, model, PICTURE, [rough], starts=alone)
    assert kept is not None
    assert pose_head(kept.landmarks.points_image[:, :2], MEAN).pose.yaw_deg > 50


def test_a_face_inside_the_picture_costs_no_further_look() -> None:
    model = HalfBlind()
    wide = np.zeros((300, 800, 3), np.uint8)
    rough = crop_from_box(Box(345, 100, 445, 200), SIDE)
    (kept,) = align(model, model, wide, [rough], starts=StartSettings(rolls_deg=()))
    assert kept is not None
    np.testing.assert_array_equal(kept.landmarks.points_image, TRUTH)
    assert model.crops == 2
