"""Confidence of faces that the border cuts: less, in order, and nobody else's."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from mien.evaluation.measured_model import open_measured_model
from mien.geometry import crop_from_landmarks
from mien.markup import load_markup
from mien.runtime import landmarker, load_landmarkers
from mien.runtime.border import (
    BorderJudge,
    BorderMap,
    border_features,
    border_map,
    border_maps,
    recalibrated,
)
from mien.runtime.weights import shipped_models
from mien.types import Box, Landmarks
from standin import CARD, square_picture, write_standin

MEAN = load_markup(68).mean_shape
SIDE = 128
FAST = border_maps()["fast"].weights
RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
OF_LOOKS = [name for name, one in border_maps().items() if one.of == "look"]
OF_ANSWERS = [name for name, one in border_maps().items() if one.of == "answer"]


def features_at(x: float, y: float, size: float = 100.0) -> np.ndarray:
    points = MEAN * size + np.array([x, y, 0.0])
    return border_features(points, crop_from_landmarks(points, MEAN, SIDE), SIDE, (640, 480))


@pytest.mark.parametrize("place", [(320, 240), (60, 240), (320, 60), (579, 240), (320, 419)])
def test_a_face_that_lies_in_the_picture_keeps_its_confidences(place: tuple[int, int]) -> None:
    sure = np.linspace(0.01, 0.99, 68)
    assert recalibrated(sure, features_at(*place), FAST) is sure


def test_the_further_out_the_less_sure() -> None:
    sure = np.full(68, 0.95)
    means = [recalibrated(sure, features_at(x, 240), FAST).mean() for x in (60, 45, 30, 15, 0, -30)]
    assert means[0] == pytest.approx(0.95)
    assert (np.diff(means) < 0).all()
    assert means[-1] < 0.6


def test_points_beyond_the_border_are_the_least_sure() -> None:
    points = MEAN * 100 + np.array([20.0, 240.0, 0.0])
    sure = recalibrated(np.full(68, 0.95), features_at(20, 240), FAST)
    outside = points[:, 0] < -0.5
    assert outside.any()
    assert sure[outside].max() < sure[points[:, 0] > 40].min()


@pytest.mark.parametrize("weights", [one.weights for one in border_maps().values()])
def test_the_map_keeps_the_order_of_confidences(weights: tuple[float, ...]) -> None:
    features = np.repeat(features_at(10, 240)[:1], 99, axis=0)
    mapped = recalibrated(np.linspace(0.01, 0.99, 99), features, weights)
    assert (np.diff(mapped) > 0).all()
    assert ((mapped > 0) & (mapped < 1)).all()


def test_the_weights_are_those_that_were_fitted() -> None:
    figures = json.loads((RESULTS / "border_confidence.json").read_text(encoding="utf-8"))
    for name in OF_LOOKS:
        fitted = border_maps()[name]
        assert list(fitted.weights) == figures["weights"][name]
        assert fitted.networks.items() <= figures["networks"].items()
    for name in ("nano_val", "fast_val", "pico_val"):
        assert figures[name]["calibration_error"] < 0.05 < figures[name]["calibration_error_before"]


@pytest.mark.parametrize("name", OF_ANSWERS)
def test_maps_of_answers_were_fitted_and_hold_on_other_photos(name: str) -> None:
    """Against labels as such weights learn to put points; in a first frame and in the next."""
    figures = json.loads((RESULTS / "border_answers.json").read_text(encoding="utf-8"))[name]
    assert list(border_maps()[name].weights) == figures["weights"]
    assert border_maps()[name].networks.items() <= figures["networks"].items()
    for frame in ("first frame", "next frame"):
        told = figures["val"][frame]
        assert told["calibration_error"] < 0.05
        assert told["calibration_error"] < told["calibration_error_without_map"]
    assert figures["val"]["score"]["calibration_error"] < 0.05


@pytest.mark.parametrize("name", OF_LOOKS)
@pytest.mark.parametrize("split", ["val", "test"])
def test_confidence_of_cut_photos_is_worth_what_it_says(name: str, split: str) -> None:
    """From the photo alone, with the further looks: as a user has it."""
    file = f"{name}.helen_{split}_cut.detector.json"
    text = (RESULTS / file).read_text("utf-8")
    assert json.loads(text)["confidence"]["expected_calibration_error"] < 0.05


def test_a_map_is_of_the_weights_that_ship() -> None:
    """New weights need a new map: ``python benchmarks/border_confidence.py DATA``; those for any
    use of their answers, which clicked faces have not fitted: ``benchmarks/border_answers.py``."""
    for model in shipped_models():
        found = border_map(model.card.sha256)
        assert found is not None, model.path.name
        assert (found.of == "answer") == model.card.name.endswith("-free")
        if found.networks.get(model.path.name) != model.card.sha256:
            assert model.path.name.endswith("-detection.onnx")  # pico's is nano's
            continue
        assert found is border_maps()[model.card.name], model.path.name


def test_a_strangers_network_called_fast_has_no_map(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One weight more or less, and the name on the card says nothing."""
    write_standin(tmp_path / "fast.onnx", dataclasses.replace(CARD, name="fast"))
    pair = load_landmarkers(str(tmp_path / "fast.onnx"), threads=1)
    assert pair.name == "fast"
    assert border_map(pair.following.card.sha256) is None
    image = np.zeros((96, 96, 3), np.uint8)
    place = crop_from_landmarks(MEAN * 60 + np.array([10.0, 48.0, 0.0]), MEAN, pair.following.side)
    own = pair.following.predict(image, [place])[0].landmarks.confidence
    told = {pair.following.card.sha256: border_maps()["fast"]}
    monkeypatch.setattr(landmarker, "border_map", told.get)
    again = load_landmarkers(str(tmp_path / "fast.onnx"), threads=1)
    moved = again.following.predict(image, [place])[0].landmarks.confidence
    assert (moved < own).all()  # by the map of the name it would have been told otherwise


def test_a_map_of_answers_is_asked_after_the_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network's looks say what they say; the pair's answers are worth what the map says, with
    the same points, and of a face that lies in the picture nothing changes."""
    write_standin(tmp_path / "own.onnx")
    told = BorderMap(FAST, {}, "answer")
    plain = load_landmarkers(str(tmp_path / "own.onnx"), points=68, threads=1)
    sha256 = plain.following.card.sha256
    monkeypatch.setattr(landmarker, "border_map", {sha256: told}.get)
    judged = load_landmarkers(str(tmp_path / "own.onnx"), points=68, threads=1)
    assert plain.following.judge is None
    for x in (8.0, 80.0):
        image = square_picture((x, 60.0, 30))
        box = Box(x - 15, 45.0, x + 15, 75.0)
        one, other = (pair.align_box(image, box) for pair in (plain, judged))
        place = crop_from_landmarks(one.landmarks.points_image, MEAN, SIDE)
        looks = [pair.following.predict(image, [place])[0] for pair in (plain, judged)]
        np.testing.assert_array_equal(*(look.landmarks.confidence for look in looks))
        np.testing.assert_allclose(one.landmarks.points_image, other.landmarks.points_image)
        aligned = judged.align_crop(image, place).landmarks.confidence
        if x == 80.0:
            np.testing.assert_array_equal(other.landmarks.confidence, one.landmarks.confidence)
            np.testing.assert_array_equal(aligned, looks[0].landmarks.confidence)
        else:
            assert (other.landmarks.confidence < one.landmarks.confidence).all()
            assert (aligned < looks[0].landmarks.confidence).all()


@pytest.mark.parametrize("careful", [False, True])
def test_whatever_evaluation_asks_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, careful: bool
) -> None:
    """Crops and boxes, looked at once or carefully, are worth what a user's faces are worth."""
    model = str(write_standin(tmp_path / "own.onnx"))
    plain = open_measured_model(model, "centerface", 1, careful=careful)
    told = {plain.pair.following.card.sha256: BorderMap(FAST, {}, "answer")}
    monkeypatch.setattr(landmarker, "border_map", told.get)
    judged = open_measured_model(model, "centerface", 1, careful=careful)
    image, box = square_picture((8.0, 60.0, 30)), Box(-7.0, 45.0, 23.0, 75.0)
    place = crop_from_landmarks(MEAN * 30 + [8, 60, 0], MEAN, SIDE)
    for one, other in (
        (plain.align_crop(image, place), judged.align_crop(image, place)),
        (plain.align_box(image, box), judged.align_box(image, box)),
    ):
        assert (other.landmarks.confidence < one.landmarks.confidence).all()


def test_a_judge_says_what_the_map_says_and_skips_faces_far_inside() -> None:
    """What is cheap to tell of a face far inside is what the features would have told."""
    judge, sure = BorderJudge(FAST, MEAN, SIDE), np.linspace(0.01, 0.99, 68)
    for x in (-20.0, 10.0, 60.0, 150.0, 320.0):
        points = MEAN * 100 + np.array([x, 240.0, 0.0])
        answer = judge(Landmarks(points, sure), (640, 480))
        expected = recalibrated(sure, features_at(x, 240), FAST)
        np.testing.assert_array_equal(answer.confidence, expected)
        assert answer.points_image is points
    nowhere = Landmarks(np.full((68, 3), np.nan), sure)
    in_one_place = Landmarks(np.zeros((68, 3)), sure)
    for answer in (nowhere, in_one_place):  # what a stranger's network may say
        assert judge(answer, (640, 480)) is answer
