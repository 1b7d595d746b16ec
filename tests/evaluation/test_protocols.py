"""Where the crop comes from, asked of a landmarker that answers by rote."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mien.evaluation.protocols import Init, Mirrored, locate
from mien.geometry import Similarity, mirror_crop, warp_crop
from mien.markup import load_markup
from mien.types import Box, Frame, Prediction

if TYPE_CHECKING:
    from conftest import World

PHOTO = Frame(np.zeros((160, 200, 3), np.uint8), 3, 0.0)


def test_oracle_aligns_the_crop_by_the_true_landmarks(world: World) -> None:
    tilt = Similarity.about((90, 70), angle_rad=math.radians(20))
    truth = tilt.apply(world.face_at(90, 70))
    asked = world.landmarker(truth)
    found = locate(asked, world.photo("a", truth), PHOTO, Init.ORACLE, world.mean_shape)
    assert found is not None
    np.testing.assert_allclose(found.landmarks.points_image[:, :2], truth)
    (crop,) = asked.crops
    assert crop.angle_rad == pytest.approx(math.radians(20), abs=1e-6)
    in_crop = Box.around(crop.inverse().apply(truth))
    assert in_crop.centre == pytest.approx((31.5, 31.5), abs=1e-3)


def test_oracle_crops_are_the_same_whatever_the_truth_lacks(
    world: World,
) -> None:
    truth = world.face_at(90, 70)
    deep = np.column_stack([truth, np.linspace(-500, 500, 68)])
    jawless = truth.copy()
    jawless[:17] = np.nan
    asked = world.landmarker(truth)
    for name, points in (("flat", truth), ("deep", deep), ("jawless", jawless)):
        locate(asked, world.photo(name, points), PHOTO, Init.ORACLE, world.mean_shape)
    flat, with_depth, without_jaw = (crop.matrix for crop in asked.crops)
    np.testing.assert_array_equal(flat, with_depth)
    np.testing.assert_allclose(flat, without_jaw, atol=1e-6)
    locate(asked, world.photo("b", jawless), PHOTO, Init.BOX, world.mean_shape)
    assert asked.boxes[0].bottom == pytest.approx(Box.around(truth).bottom)


def test_box_tells_nothing_but_the_box(world: World) -> None:
    truth = world.face_at(90, 70)
    asked = world.landmarker(truth)
    locate(asked, world.photo("a", truth), PHOTO, Init.BOX, world.mean_shape)
    assert asked.boxes == [Box.around(truth)]
    assert asked.crops == []


def test_detector_takes_the_face_that_overlaps_the_truth_best(world: World) -> None:
    truth, near, far = world.face_at(90, 70), world.face_at(93, 70), world.face_at(110, 80)
    asked = world.landmarker(far, near)
    found = locate(asked, world.photo("a", truth), PHOTO, Init.DETECTOR, world.mean_shape)
    assert found is not None
    np.testing.assert_allclose(found.landmarks.points_image[:, :2], near)
    assert asked.crops == []
    assert asked.boxes == []


def test_another_face_than_the_labelled_one_is_a_miss(world: World) -> None:
    photo = world.photo("a", world.face_at(60, 70))
    for asked in (world.landmarker(), world.landmarker(world.face_at(150, 70))):
        assert locate(asked, photo, PHOTO, Init.DETECTOR, world.mean_shape) is None


def test_a_mirrored_crop_shows_the_mirror_image() -> None:
    image = np.random.default_rng(0).integers(0, 256, (160, 200, 3)).astype(np.uint8)
    crop = Similarity(0.8, math.radians(25), (40.3, 20.7))
    seen = warp_crop(image, crop, 64)
    mirrored = warp_crop(np.ascontiguousarray(image[:, ::-1]), mirror_crop(crop, 200, 64), 64)
    # OpenCV rounds coordinates to 1/32 px: on noise that is a few grey values.
    assert np.abs(mirrored[:, ::-1].astype(int) - seen).mean() < 2
    assert np.abs(mirrored.astype(int) - seen).mean() > 40


class _Sighted:
    """Knows the face in the photo and in its mirror image, told apart by a white left edge."""

    side = 64

    def __init__(self, plain: Prediction, mirrored: Prediction) -> None:
        self.plain, self.mirrored = plain, mirrored
        self.boxes: list[Box] = []

    def _see(self, image_rgb: np.ndarray) -> Prediction:
        return self.plain if image_rgb[0, 0, 0] else self.mirrored

    def align_crop(self, image_rgb: np.ndarray, image_from_crop: Similarity) -> Prediction:
        return self._see(image_rgb)

    def align_box(self, image_rgb: np.ndarray, box: Box) -> Prediction:
        self.boxes.append(box)
        return self._see(image_rgb)

    def find(self, frame: Frame) -> list[Prediction]:
        return [self._see(frame.image_rgb)]


@pytest.mark.parametrize("init", list(Init))
def test_the_mirrored_look_is_brought_back_and_averaged(world: World, init: Init) -> None:
    photo_rgb = PHOTO.image_rgb.copy()
    photo_rgb[:, 0] = 255
    frame = Frame(photo_rgb, 0, 0.0)
    truth = world.face_at(70, 70)
    plain = truth + np.random.default_rng(1).normal(0, 1, (68, 2))
    # What a perfect network says of the mirror image: point k is its partner's mirror image.
    partner = np.array(load_markup(68).mirror)
    assert (partner[0], partner[36], partner[8]) == (16, 45, 8)
    mirrored = plain[partner] * [-1, 1] + [199, 0] + [2, 4]  # and errs by 2 px and 4 px
    asked = _Sighted(world.seen(plain, 0.8), world.seen(mirrored, 0.6))
    found = locate(Mirrored(asked, partner), world.photo("a", truth), frame, init, world.mean_shape)
    assert found is not None
    np.testing.assert_allclose(found.landmarks.points_image[:, :2], plain + np.array([-1, 2]))
    confidence = np.linspace(0, 1, 68)
    np.testing.assert_allclose(found.landmarks.confidence, (confidence + confidence[partner]) / 2)
    assert found.score == pytest.approx(0.7)
    if init is Init.BOX:
        box = Box.around(truth)
        assert asked.boxes[1].left == pytest.approx(199 - box.right)
        assert asked.boxes[1].width == pytest.approx(box.width)


def test_a_face_that_only_the_photo_shows_stays_as_it_is(world: World) -> None:
    photo_rgb = PHOTO.image_rgb.copy()
    photo_rgb[:, 0] = 255
    frame = Frame(photo_rgb, 0, 0.0)
    here, elsewhere = world.seen(world.face_at(40, 70)), world.seen(world.face_at(40, 70))
    mirrored = Mirrored(_Sighted(here, elsewhere), np.array(load_markup(68).mirror))
    (face,) = mirrored.find(frame)
    np.testing.assert_array_equal(face.landmarks.points_image, here.landmarks.points_image)
