"""``mien evaluate`` from the command line to its files, with a network that knows one face."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import scipy.io
import typer
from typer.testing import CliRunner, Result

import mien
from mien.cli import evaluate as command
from mien.errors import ConfigError, DataError, OutputError
from mien.evaluation import measured_model
from mien.geometry import FACE_SHARE, Similarity, crop_from_box, crop_from_detection
from mien.markup import load_markup
from mien.runtime import Landmarker, LandmarkerPair, open_detector
from mien.types import Box, Detection, Frame, Landmarks, Prediction

SIDE = 64
MARKUP = load_markup(68)
MIDDLE = (MARKUP.mean_shape.min(axis=0) + MARKUP.mean_shape.max(axis=0)) / 2
TRUTH = (MARKUP.mean_shape - MIDDLE) * 80 + [150, 140, 0]


class MeanHead(Landmarker):
    """Sees the upright mean head in the middle of every crop."""

    side = SIDE
    judge = None
    mean_shape = MARKUP.mean_shape
    markup = MARKUP
    card = SimpleNamespace(
        name="mean",
        markup=68,
        convention="clicked",
        side=SIDE,
        sha256="cafe",
        confidence_radius=0.05,
    )

    def __init__(self) -> None:
        pass

    def predict(self, image_rgb: np.ndarray, crops: Sequence[Similarity]) -> list[Prediction]:
        points_crop = (self.mean_shape - MIDDLE) * FACE_SHARE * SIDE
        points_crop[:, :2] += (SIDE - 1) / 2
        return [Prediction(Landmarks(crop.apply(points_crop), np.ones(68)), 0.9) for crop in crops]


class WhiteFinder:
    """A face where the photo is not black."""

    def find(self, frame: Frame) -> list[Detection]:
        return [Detection(_box_as_a_detector_draws_it(), 0.9)] if frame.image_rgb.any() else []


def _box_as_a_detector_draws_it() -> Box:
    """The box from which the detector's crop is the one around the true landmarks."""
    box = Box.around(TRUTH)
    ratio = crop_from_box(box, SIDE).scale / crop_from_detection(Detection(box, 1), SIDE).scale
    half = np.array([box.width, box.height]) * ratio / 2
    bigger = Box(*(np.array(box.centre) - half), *(np.array(box.centre) + half))
    middle = np.full(2, (SIDE - 1) / 2)
    down = crop_from_detection(Detection(bigger, 1), SIDE).apply(middle)[1] - box.centre[1]
    return Box(bigger.left, bigger.top - down, bigger.right, bigger.bottom - down)


@pytest.fixture
def aflw2000(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two photos with the same upright face; the second is black."""
    pair = LandmarkerPair(MeanHead(), MeanHead())
    monkeypatch.setattr(measured_model, "load_landmarkers", lambda model, points, threads: pair)
    monkeypatch.setattr(measured_model, "open_detector", lambda words, threads: WhiteFinder())
    root = tmp_path / "set"
    root.mkdir()
    for number, grey in ((1, 200), (2, 0)):
        cv2.imwrite(str(root / f"image{number:05d}.jpg"), np.full((300, 300, 3), grey, np.uint8))
        stored = (TRUTH * [1, 1, -1]).T
        pose = np.zeros((1, 7))
        scipy.io.savemat(root / f"image{number:05d}.mat", {"pt3d_68": stored, "Pose_Para": pose})
    return root


def run(*words: object) -> Result:
    app = typer.Typer()
    app.command()(command.evaluate)
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.parametrize("init", ["oracle", "box"])
@pytest.mark.parametrize("mirror", [False, True])
def test_the_mean_head_is_measured_without_error(
    aflw2000: Path, tmp_path: Path, init: str, mirror: bool
) -> None:
    file = tmp_path / "out" / "r.json"
    flags = ["--mirror"] if mirror else []
    ran = run("aflw2000", aflw2000, "--init", init, "--json", file, *flags)
    assert ran.exit_code == 0, ran.output
    result = json.loads(file.read_text())
    assert (result["n"], result["missed"]) == (2, 0)
    assert result["nme"] < 1e-4  # the mean shape is mirror symmetric to five digits
    assert result["nme_3d"] < 1e-4
    assert result["auc_07"] > 0.998
    assert result["as_300w_lp"]["nme"] > 0.002
    assert "moved" in ran.output
    assert result["model"] == "mean"
    assert result["command"] == " ".join(
        ["mien evaluate aflw2000 set --init", init, "--model fast", *flags]
    )
    assert (tmp_path / "out" / "r.predictions.npz").is_file()
    assert "NME" in ran.output


@pytest.mark.parametrize("init", ["oracle", "box", "detector"])
def test_careful_looks_are_measured_and_told(aflw2000: Path, tmp_path: Path, init: str) -> None:
    """Looks that always see an upright head are averaged over their turns to nearly that."""
    file = tmp_path / "r.json"
    ran = run("aflw2000", aflw2000, "--init", init, "--careful", "--json", file)
    assert ran.exit_code == 0, ran.output
    result = json.loads(file.read_text())
    assert 1e-4 < result["nme"] < 0.01
    assert result["careful"] is True
    assert result["command"].endswith("--careful")
    both = run("aflw2000", aflw2000, "--careful", "--mirror", "--json", file)
    assert isinstance(both.exception, ConfigError)


def test_a_face_not_detected_is_missed_and_fails(aflw2000: Path, tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    ran = run("aflw2000", aflw2000, "--init", "detector", "--json", file)
    assert ran.exit_code == 0, ran.output
    result = json.loads(file.read_text())
    assert (result["n"], result["missed"]) == (2, 1)
    assert result["nme"] < 1e-4
    assert result["failure_rate_07"] == 0.5
    with gzip.open(tmp_path / "r.faces.csv.gz", "rt") as stream:
        missed = [row["name"] for row in csv.DictReader(stream) if row["missed"] == "True"]
    assert missed == ["image00002"] * 2  # as predicted, and moved


def test_boxes_of_a_file_are_those_of_each_photo(
    aflw2000: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A photo is asked for by its place in the set: the second has its box, the first has none."""
    monkeypatch.setattr(measured_model, "open_detector", open_detector)
    box = _box_as_a_detector_draws_it()
    boxes = tmp_path / "boxes.csv"
    sides = ",".join(f"{side:.3f}" for side in (box.left, box.top, box.right, box.bottom))
    boxes.write_text(f"frame,left,top,right,bottom\n1,{sides}\n")
    words = ("aflw2000", aflw2000, "--init", "detector", "--detector", f"boxes:{boxes}")
    ran = run(*words, "--json", tmp_path / "r.json")
    assert ran.exit_code == 0, ran.output
    with gzip.open(tmp_path / "r.faces.csv.gz", "rt") as stream:
        missed = {row["name"]: row["missed"] for row in csv.DictReader(stream)}
    assert missed == {"image00001": "True", "image00002": "False"}
    refused = run(*words, "--mirror", "--json", tmp_path / "r.json")
    assert isinstance(refused.exception, ConfigError)


def test_a_library_user_gets_what_the_json_is_made_of(aflw2000: Path, tmp_path: Path) -> None:
    done: list[tuple[int, int]] = []
    measured = mien.evaluate(
        "aflw2000", str(aflw2000), init="box", on_face=lambda *counts: done.append(counts)
    )
    assert measured.main.nme is not None
    assert measured.main.nme < 1e-4
    assert done == [(1, 2), (2, 2)]
    assert measured.predictions.names == ("image00001", "image00002")
    assert measured.measures.pose is not None
    assert measured.measures.pose.mean_deg == pytest.approx(0, abs=0.1)
    assert not list(aflw2000.parent.glob("*.npz"))  # nothing is kept unless that is asked for
    for wrong in ({"data_format": "300w"}, {"init": "truth"}, {"split": "val"}, {"cut": 0.9}):
        with pytest.raises(ConfigError):
            mien.evaluate(**{"data_format": "aflw2000", "root": aflw2000} | wrong)


def test_plots_are_written(aflw2000: Path, tmp_path: Path) -> None:
    plots = tmp_path / "plots"
    ran = run("aflw2000", aflw2000, "--json", tmp_path / "r.json", "--plots", plots)
    assert ran.exit_code == 0, ran.output
    assert {file.name for file in plots.iterdir()} == {
        "ced.png",
        "nme_against_yaw.png",
        "worst.png",
    }


def test_mistakes_are_our_own_errors(aflw2000: Path, tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    wrong_place = tmp_path / "a_file"
    wrong_place.write_text("")
    cases: list[tuple[type[Exception], list[object]]] = [
        (DataError, ["aflw2000", tmp_path / "nowhere", "--json", file]),
        (DataError, ["pts", aflw2000, "--json", file]),
        (DataError, ["faces", aflw2000, "--json", file]),
        (ConfigError, ["aflw2000", aflw2000, "--json", file, "--source", "helen"]),
        (OutputError, ["aflw2000", aflw2000, "--json", wrong_place / "r.json"]),
    ]
    for error, words in cases:
        ran = run(*words)
        assert isinstance(ran.exception, error), (words, ran.output)
        assert "\n" not in str(ran.exception)
        assert not ran.output, "an error is one line, without an empty one before it"


def test_an_unknown_format_or_init_is_refused_with_the_choices(aflw2000: Path) -> None:
    for words in (["300w", aflw2000], ["pts", aflw2000, "--init", "truth"]):
        ran = run(*words, "--json", "r.json")
        assert ran.exit_code == 2
        assert "oracle" in ran.output or "aflw2000" in ran.output
