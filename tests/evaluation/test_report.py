"""The result file, the curves and the contact sheet."""

from __future__ import annotations

import csv
import gzip
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from mien.datasets.photo import LabelledPhoto
from mien.errors import ConfigError, OutputError
from mien.evaluation.evaluate import Evaluation, Provenance, evaluate_predictions
from mien.evaluation.plots import require_matplotlib, write_ced, write_yaw_scatter
from mien.evaluation.predictions import Predictions
from mien.evaluation.report import faces_file, write_faces, write_json
from mien.evaluation.worst_faces import draw_worst, write_worst
from mien.geometry.convention import Convention, in_convention

if TYPE_CHECKING:
    from conftest import World

PROVENANCE = Provenance(
    command="mien evaluate aflw2000 dev --init oracle",
    data_format="aflw2000",
    init="oracle",
    mirror=False,
    model="fast",
    convention=Convention.CLICKED,
    detection_sha256="aa",
    tracking_sha256="bb",
    version="0.1.0",
)


def three_faces(world: World, *, yaws: tuple[float | None, ...] = (0.0, 40.0, -70.0)):
    """Found with 1 px of error, missed, found with 4 px; a second truth for the last alone."""
    truth = np.column_stack([world.face_at(90, 70), np.zeros(68)])
    photos = [
        world.photo("good", truth, yaw_deg=yaws[0]),
        world.photo("missed", truth, yaw_deg=yaws[1]),
        world.photo("poor", truth, yaw_deg=yaws[2], second=truth[:, :2] + np.array([4, 0])),
    ]
    points = np.stack([truth + np.array([dx, 0, 0]) for dx in (1.0, np.nan, 4.0)])
    return photos, Predictions(("good", "missed", "poor"), points, np.ones((3, 68)), np.ones(3))


@pytest.fixture
def measured(world: World) -> tuple[list[LabelledPhoto], Predictions, Evaluation]:
    photos, predictions = three_faces(world)
    return photos, predictions, evaluate_predictions(photos, predictions, PROVENANCE)


def _bin(missed: int, error: object) -> dict[str, object]:
    return {"n": 1, "missed": missed, "nme": error, "nme_inner51": error}


def test_the_json_holds_what_the_issue_names(measured, tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    write_json(measured[2], file)
    result = json.loads(file.read_text())
    second = result.pop("second")
    assert result == {
        "n": 3,
        "missed": 1,
        "nme": pytest.approx((0.02 + 0.08) / 2, abs=2e-6),
        "nme_inner51": pytest.approx((0.02 + 0.08) / 2, abs=2e-6),
        "nme_3d": pytest.approx((0.02 + 0.08) / 2, abs=2e-6),
        "bins": {
            "[0,30]": _bin(0, pytest.approx(0.02, abs=2e-6)),
            "(30,60]": _bin(1, None),
            "(60,90]": _bin(0, pytest.approx(0.08, abs=2e-6)),
        },
        "balanced": None,
        "auc_07": pytest.approx(5 / 7 / 3, abs=1e-5),
        "failure_rate_07": pytest.approx(2 / 3, abs=2e-6),
        "command": "mien evaluate aflw2000 dev --init oracle",
        "data_format": "aflw2000",
        "init": "oracle",
        "mirror": False,
        "careful": False,
        "model": "fast",
        "convention": "clicked",
        "detection_sha256": "aa",
        "tracking_sha256": "bb",
        "version": "0.1.0",
    }
    assert (second["n"], second["nme"], second["nme_3d"]) == (1, 0, None)


def test_a_row_a_face_and_truth_is_a_compressed_table(measured, tmp_path: Path) -> None:
    file = faces_file(tmp_path / "r.json")
    assert file.name == "r.faces.csv.gz"
    write_faces(measured[2], file)
    with gzip.open(file, "rt", newline="") as stream:
        rows = list(csv.DictReader(stream))
    told = [("truth", "good"), ("truth", "missed"), ("truth", "poor"), ("second", "poor")]
    assert [(row["truth"], row["name"]) for row in rows] == told
    assert rows[0]["nme"] == "0.02"
    assert rows[1] == {
        "truth": "truth",
        "name": "missed",
        "yaw_deg": "40.0",
        "missed": "True",
        "nme": "",
        "nme_inner51": "",
        "nme_3d": "",
    }
    again = file.read_bytes()
    write_faces(measured[2], file)
    assert file.read_bytes() == again  # nothing of the day is in it


def test_points_are_also_measured_where_the_set_has_them(world: World, tmp_path: Path) -> None:
    """A network that clicks perfectly errs on 300W-LP as it is, and not once it is moved."""
    published = np.column_stack([world.face_at(90, 70), 50 * world.mean_shape[:, 2]])
    clicked, lp, unknown = published, Convention.W300LP, None
    for _ in range(20):  # its inverse, found by going back by what it errs
        clicked = clicked + published - in_convention(clicked, Convention.CLICKED, lp)
    photos = [
        world.photo("a", published, second=published[:, :2] + [2, 0], convention=lp),
        world.photo("missed", published, convention=lp),
    ]
    points = np.stack([clicked, np.full_like(clicked, np.nan)])
    predictions = Predictions(("a", "missed"), points, np.ones((2, 68)), np.ones(2))
    write_json(evaluate_predictions(photos, predictions, PROVENANCE), tmp_path / "r.json")
    result = json.loads((tmp_path / "r.json").read_text())
    moved = result["as_300w_lp"]
    assert 0.005 < result["nme"] < 0.03
    assert moved["nme"] == pytest.approx(0, abs=1e-6)
    assert moved["nme_3d"] == pytest.approx(0, abs=1e-6)
    assert moved["second"]["nme"] == pytest.approx(2 / 50, abs=1e-6)
    assert result["second"]["nme"] != pytest.approx(2 / 50, abs=1e-4)
    assert (moved["n"], moved["missed"]) == (2, 1)
    for own in (Convention.CLICKED, unknown):
        same = [world.photo(p.name, p.points_image, convention=own) for p in photos]
        assert evaluate_predictions(same, predictions, PROVENANCE).moved is None


def test_the_json_has_null_bins_where_no_yaw_is_known(world: World, tmp_path: Path) -> None:
    photos, predictions = three_faces(world, yaws=(None, None, None))
    write_json(evaluate_predictions(photos, predictions, PROVENANCE), tmp_path / "r.json")
    result = json.loads((tmp_path / "r.json").read_text())
    assert result["bins"] is None
    assert result["balanced"] is None


def test_curves_are_drawn(measured, world: World, tmp_path: Path) -> None:
    evaluation = measured[2]
    write_ced(evaluation, tmp_path / "ced.png")
    assert write_yaw_scatter(evaluation, tmp_path / "yaw.png")
    for name in ("ced.png", "yaw.png"):
        picture = cv2.imread(str(tmp_path / name))
        assert picture is not None
        assert picture.std() > 5
    photos, predictions = three_faces(world, yaws=(None, None, None))
    without_yaw = evaluate_predictions(photos, predictions, PROVENANCE)
    assert not write_yaw_scatter(without_yaw, tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ConfigError, match=r"pip install 'mien\[train\]'"):
        require_matplotlib()


def test_the_sheet_shows_the_worst_first_with_truth_and_prediction(measured) -> None:
    photos, predictions, evaluation = measured
    sheet = draw_worst(photos, predictions, evaluation.main)
    missed, poor, good = np.split(sheet.astype(int), 3, axis=1)
    greens, reds = [], []
    for cell in (missed, poor, good):
        greens.append(int(((cell[:, :, 1] - cell[:, :, 2]) > 80).sum()))
        reds.append(int(((cell[:, :, 2] - cell[:, :, 1]) > 80).sum()))
    assert min(greens) > 50  # every face shows its truth
    assert reds[0] == 0  # nothing was predicted for the missed face
    assert reds[1] > 50
    # The poor face's prediction lies to the right of its truth by 4 px of the photo.
    green_x = np.argwhere(poor[:, :, 1] - poor[:, :, 2] > 80)[:, 1].mean()
    red_x = np.argwhere(poor[:, :, 2] - poor[:, :, 1] > 80)[:, 1].mean()
    assert red_x > green_x + 4


def test_the_sheet_holds_no_more_faces_than_asked(measured) -> None:
    photos, predictions, evaluation = measured
    one = draw_worst(photos, predictions, evaluation.main, faces=1)
    three = draw_worst(photos, predictions, evaluation.main)
    assert three.shape[1] == 3 * one.shape[1]


def test_results_that_cannot_be_written_say_so(measured, tmp_path: Path) -> None:
    photos, predictions, evaluation = measured
    nowhere = tmp_path / "a_file"
    nowhere.write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_json(evaluation, nowhere / "r.json")
    with pytest.raises(OutputError, match="cannot be written"):
        write_ced(evaluation, nowhere / "ced.png")
    with pytest.raises(OutputError, match="cannot be written"):
        write_worst(photos, predictions, evaluation.main, nowhere / "worst.png")
