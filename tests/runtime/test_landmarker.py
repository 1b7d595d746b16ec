"""Crop, predict, lift: the stand-in sees a square where the picture has one."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from mien.errors import ConfigError
from mien.geometry import FACE_SHARE, Similarity, crop_from_detection, crop_from_landmarks
from mien.markup import load_markup
from mien.runtime import Landmarker, LandmarkerPair, load_landmarkers
from mien.types import Box, Detection, Prediction
from standin import CARD, SIDE, square_picture, write_standin

MEAN = load_markup(68).mean_shape


@pytest.fixture(scope="module")
def pair(standin_model: Path) -> LandmarkerPair:
    return load_landmarkers(str(standin_model), threads=1)


@pytest.mark.parametrize("turn_deg", [0, 30, -110])
def test_points_are_lifted_by_the_crop_s_similarity(pair: LandmarkerPair, turn_deg: float) -> None:
    """However the crop is turned, the square's middle and area are found in the picture."""
    image = square_picture((90, 60, 41))
    crop = Similarity.about((63.5, 63.5), scale=0.8, angle_rad=math.radians(turn_deg))
    centred = Similarity(
        crop.scale, crop.angle_rad, (crop.translation[0] + 26.5, crop.translation[1] - 3.5)
    )
    (seen,) = pair.following.predict(image, [centred])
    points = seen.landmarks.points_image
    np.testing.assert_allclose(points[:, :2].mean(axis=0), [90, 60], atol=0.05)
    size = np.ptp(points @ _upright(turn_deg), axis=0)
    assert math.sqrt(size[0] * size[1]) == pytest.approx(41, abs=0.3)
    np.testing.assert_allclose(points[:, 2], MEAN[:, 2] * 41, atol=0.3)


def _upright(turn_deg: float) -> np.ndarray:
    cos, sin = math.cos(math.radians(turn_deg)), math.sin(math.radians(turn_deg))
    return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])


def test_many_crops_are_run_in_batches_and_stay_in_order(pair: LandmarkerPair) -> None:
    image = square_picture(*((20 + 40 * i, 30 + 35 * j, 15) for i in range(4) for j in range(3)))
    centres = [(20 + 40 * i, 30 + 35 * j) for i in range(4) for j in range(3)]
    crops = [crop_from_landmarks(MEAN * 15 + np.array([x, y, 0]), MEAN, SIDE) for x, y in centres]
    seen = pair.following.predict(image, crops)
    found = [one.landmarks.points_image[:, :2].mean(axis=0) for one in seen]
    np.testing.assert_allclose(found, centres, atol=0.1)
    assert pair.following.predict(image, []) == []


def test_a_box_and_a_detection_lead_to_the_same_points(pair: LandmarkerPair) -> None:
    image = square_picture((80, 60, 40))
    box = Box(60, 38, 101, 80)
    from_box = pair.align_box(image, box).landmarks.points_image
    rough = crop_from_detection(Detection(box, 0.9), pair.first.side)
    (from_detection,) = pair.refine(image, [rough])
    np.testing.assert_allclose(from_box, MEAN * 40 + [80, 60, 0], atol=0.8)
    np.testing.assert_allclose(from_detection.landmarks.points_image, from_box, atol=0.8)


def test_from_a_box_there_is_a_look_where_the_head_has_that_box(
    pair: LandmarkerPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not where the first look saw the face: the square in the picture is smaller than the box."""
    image, box = square_picture((80, 60, 30)), Box(60, 38, 101, 80)
    places, predict = list[Similarity](), Landmarker.predict

    def spy(model: Landmarker, image_rgb: np.ndarray, crops: list[Similarity]) -> list[Prediction]:
        places.extend(crops)
        return predict(model, image_rgb, crops)

    monkeypatch.setattr(Landmarker, "predict", spy)
    seen = pair.align_box(image, box)
    np.testing.assert_allclose(seen.landmarks.points_image, MEAN * 30 + [80, 60, 0], atol=0.8)
    sizes = [place.scale * SIDE * FACE_SHARE for place in places]
    assert sizes[1] == pytest.approx(30, abs=1.5), "model 2's first crop follows model 1's points"
    assert sizes[-1] == pytest.approx(math.sqrt(41 * 42), abs=1.5)
    assert places[-1].apply(np.full(2, (SIDE - 1) / 2)) == pytest.approx(box.centre, abs=1)


@pytest.fixture(scope="module")
def large_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("weights") / "large.onnx"
    return str(write_standin(path, dataclasses.replace(CARD, markup=84)))


@pytest.mark.parametrize("points", [68, 84, None])
def test_a_network_of_84_points_serves_both_markups(large_model: str, points: int | None) -> None:
    """The 68 are the same places of the picture, and their depth has its own mean at 0."""
    pair = load_landmarkers(large_model, points=points, threads=1)
    image, box = square_picture((80, 60, 40)), Box(60, 38, 101, 80)
    seen = pair.align_box(image, box)
    found = seen.landmarks.points_image
    assert len(pair.markup) == len(pair.following.mean_shape) == len(found) == (points or 84)
    large = load_markup(84)
    kept = list(large.ibug68) if points == 68 else list(range(84))
    np.testing.assert_allclose(
        found[:, :2], large.mean_shape[kept, :2] * 40 + [80, 60], rtol=0, atol=0.8
    )
    depth = load_markup(points or 84).mean_shape[:, 2] * 40
    np.testing.assert_allclose(found[:, 2], depth, atol=0.5)
    assert found[:, 2].mean() == pytest.approx(0, abs=1e-4)
    sure = 0.9 if points == 68 else np.where(np.isin(np.arange(84), large.ibug68), 0.9, 0.7)
    np.testing.assert_allclose(seen.landmarks.confidence, sure, rtol=1e-6)


def test_a_pair_speaks_one_markup(pair: LandmarkerPair, large_model: str) -> None:
    large = load_landmarkers(large_model, threads=1)
    with pytest.raises(ConfigError, match="not 68 and 84 points"):
        LandmarkerPair(pair.first, large.following)
    read_at_68 = load_landmarkers(large_model, points=68, threads=1)
    assert len(LandmarkerPair(pair.first, read_at_68.following).markup) == 68
