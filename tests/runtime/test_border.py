"""Confidence of faces that the border cuts: less, in order, and nobody else's."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from mien.geometry import crop_from_landmarks
from mien.markup import load_markup
from mien.runtime import landmarker, load_landmarkers
from mien.runtime.border import border_features, border_map, border_maps, recalibrated
from mien.runtime.weights import shipped_models
from standin import CARD, write_standin

MEAN = load_markup(68).mean_shape
SIDE = 128
FAST = border_maps()["fast"].weights


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
    file = Path(__file__).parents[2] / "benchmarks" / "results" / "border_confidence.json"
    figures = json.loads(file.read_text(encoding="utf-8"))
    for name, fitted in border_maps().items():
        assert list(fitted.weights) == figures["weights"][name]
        assert fitted.networks.items() <= figures["networks"].items()
    for name in ("nano_val", "fast_val", "pico_val"):
        assert figures[name]["calibration_error"] < 0.05 < figures[name]["calibration_error_before"]


@pytest.mark.parametrize("name", list(border_maps()))
@pytest.mark.parametrize("split", ["val", "test"])
def test_confidence_of_cut_photos_is_worth_what_it_says(name: str, split: str) -> None:
    """From the photo alone, with the further looks: as a user has it."""
    file = f"{name}.helen_{split}_cut.detector.json"
    text = (Path(__file__).parents[2] / "benchmarks" / "results" / file).read_text("utf-8")
    assert json.loads(text)["confidence"]["expected_calibration_error"] < 0.05


def test_a_map_is_of_the_weights_that_ship() -> None:
    """New weights need a new map: ``python benchmarks/border_confidence.py DATA``.

    Those for any use have none: it is fitted to clicked faces, which are for research.
    """
    for model in shipped_models():
        if model.card.name.endswith("-free"):
            assert border_map(model.card.sha256) is None
            continue
        if model.path.name == "pico-detection.onnx":  # it is nano's
            assert border_map(model.card.sha256) is border_maps()["nano"]
            continue
        found = border_map(model.card.sha256)
        assert found is border_maps()[model.card.name], model.path.name
        assert found.networks[model.path.name] == model.card.sha256


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
