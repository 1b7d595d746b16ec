"""What the window shows, against points that a person can move by hand."""

from __future__ import annotations

import numpy as np
import pytest

from mien.live.shown import Numbers, compose, in_window
from mien.markup import load_markup
from mien.outputs.gauges import face_gauges
from mien.types import Face, HeadPose, Landmarks

NUMBERS = Numbers(29.7, 18.4, 12, None)


def face_at(x: float, y: float, size: float, count: int = 68) -> Face:
    points = load_markup(count).mean_shape * size + [x, y, 0]
    return Face(3, 0.9, Landmarks(points, np.linspace(0, 1, count)), HeadPose(20, 10, 5))


@pytest.mark.parametrize("count", [68, 84])
def test_a_mirrored_face_lies_on_the_mirrored_picture(count: int) -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    image[100:140, 50:80] = 255
    face = face_at(200, 200, 150, count)
    shown, (moved,) = in_window(image, [face], mirror=True)
    assert shown[120, 639 - 60].tolist() == [255] * 3
    points = moved.landmarks.points_image
    order = list(load_markup(count).mirror)
    np.testing.assert_allclose(points[:, 0], 639 - face.landmarks.points_image[order, 0])
    # A mirrored markup is the markup: the right ear is on the picture's left again.
    assert points[0, 0] < points[list(load_markup(count).ibug68)[16], 0]
    assert moved.pose == HeadPose(-20, 10, -5)
    np.testing.assert_allclose(moved.landmarks.confidence, face.landmarks.confidence[order])
    again, (back,) = in_window(shown, [moved], mirror=True)
    np.testing.assert_array_equal(again, image)
    np.testing.assert_allclose(back.landmarks.points_image, face.landmarks.points_image)


def test_points_follow_the_size_of_the_picture() -> None:
    image = np.zeros((240, 320, 3), np.uint8)
    shown, (moved,) = in_window(image, [face_at(100, 90, 60)], mirror=False)
    assert shown.shape == (480, 640, 3)
    before, after = face_at(100, 90, 60).landmarks.points_image, moved.landmarks.points_image
    np.testing.assert_allclose(after[:, :2], 2 * before[:, :2] + 0.5)  # edges stay edges
    np.testing.assert_allclose(after[:, 2], 2 * before[:, 2])


@pytest.mark.parametrize("size", [(120, 160), (1080, 1920), (1920, 1080), (480, 640)])
def test_every_picture_fits(size: tuple[int, int]) -> None:
    image = np.full((*size, 3), 200, np.uint8)
    for faces in ([], [face_at(size[1] / 2, size[0] / 2, 60)]):
        window = compose(image, faces, load_markup(68), NUMBERS)
        assert 480 <= window.shape[0] <= 720
        assert window.shape[1] <= 1080 + 268


def test_the_panel_tells_of_the_face_and_hiding_leaves_the_picture_alone() -> None:
    image = np.full((480, 640, 3), 90, np.uint8)
    face, markup = face_at(300, 240, 200), load_markup(68)
    drawn = compose(image, [face], markup, NUMBERS)
    hidden = compose(image, [face], markup, NUMBERS, hide=True)
    np.testing.assert_array_equal(hidden[:, :640], image)
    assert (drawn[:, :640] != image).any()
    np.testing.assert_array_equal(drawn[:, 640:], hidden[:, 640:])
    empty = compose(image, [], markup, NUMBERS)
    assert (empty[80:400, 640:] != drawn[80:400, 640:]).any()
    recording = compose(image, [face], markup, Numbers(29.7, 18.4, 12, 3.0))
    assert (recording != drawn).any()
    # Half a turn to the right is a bar of half its length: 20 of 90 degrees, 60 px.
    row = drawn[131, 640:]
    blue = np.flatnonzero((row == (91, 141, 255)).all(axis=1))
    assert len(blue) == pytest.approx(20 / 90 * 60, abs=1.5)


def test_gauges_are_the_same_for_both_markups() -> None:
    few, many = face_gauges(face_at(0, 0, 100)), face_gauges(face_at(0, 0, 100, 84))
    assert set(few) == {"eye right", "eye left", "mouth"}
    assert few == pytest.approx(many, abs=1e-3)
