"""Depth, confidence, blinks and the score on turned photos, each against figures made by hand."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import json
import math
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from mien.cli import evaluate as command
from mien.datasets.ours.shards import Eyes, TurnedFace, read_turned
from mien.datasets.photo import LabelledPhoto
from mien.errors import DataError
from mien.evaluation import measured_model
from mien.evaluation.confidence import ConfidenceScore, rank_correlation, reliability
from mien.evaluation.eyes import eye_opening, eye_opening_error, eye_width, score_eyes
from mien.evaluation.metrics import depth_error, face_size
from mien.evaluation.predictions import Predictions
from mien.evaluation.presence import corner_view, misplaced_crop, roc_auc, score_presence
from mien.evaluation.synthetic import score_turned
from mien.geometry import FACE_SHARE, Similarity, rotation_from_angles, warp_crop
from mien.markup import load_markup
from mien.runtime import Landmarker, LandmarkerPair
from mien.types import Box, HeadPose, Landmarks, Prediction

SIDE = 64
MARKUP = load_markup(68)
MEAN = MARKUP.mean_shape


def head(yaw_deg: float = 0.0, size: float = 50.0, x: float = 100.0) -> np.ndarray:
    return MEAN @ rotation_from_angles(HeadPose(yaw_deg, 0, 0)).T * size + [x, 90, 0]


def face(points: np.ndarray, *, hidden: Sequence[int] = (), eyes: Eyes = Eyes.OPEN) -> TurnedFace:
    photo = LabelledPhoto("a", Path("a.jpg"), points, 0.0)
    return TurnedFace(photo, np.isin(np.arange(68), hidden), eyes)


def predicted(*points: np.ndarray, confidence: np.ndarray | None = None) -> Predictions:
    n = len(points)
    sure = np.full((n, 68), 0.9) if confidence is None else np.stack([confidence] * n)
    return Predictions(tuple("a" * n), np.stack(points), sure, np.linspace(0.8, 0.9, n))


def test_depth_is_about_its_own_mean_in_face_sizes() -> None:
    truth = head()
    moved = truth + np.array([0, 0, 1000.0])
    assert depth_error(moved, truth) == pytest.approx(0, abs=1e-9)
    moved[:34, 2] += 4  # half the points 4 px behind the other half: each 2 px off the mean
    assert depth_error(moved, truth) == pytest.approx(2 / 50, rel=1e-4)


def test_depth_is_set_against_the_error_in_the_plane() -> None:
    truth = head()
    points = truth + np.array([1.0, 0, 0])
    points[:34, 2] += 4
    measured = score_turned([face(truth)], predicted(points), None, MEAN, 0.05)
    assert measured.depth.z_error == pytest.approx(0.04, rel=1e-4)
    assert measured.depth.xy_error == pytest.approx(0.02, rel=1e-4)
    assert measured.depth.ratio == pytest.approx(2, rel=1e-4)
    assert measured.presence is None


def test_rank_correlation_by_hand() -> None:
    # Ranks of confidence 1 2 3 4, of error 4 2 3 1: 1 - 6 (9 + 0 + 0 + 9) / (4 * 15) = -0.8
    confidence, error = np.array([0.1, 0.2, 0.3, 0.4]), np.array([9.0, 2.0, 3.0, 1.0])
    assert rank_correlation(confidence, error) == pytest.approx(0.8)
    assert rank_correlation(confidence, -error) == pytest.approx(-0.8)
    assert rank_correlation(np.full(4, 0.5), error) is None
    assert rank_correlation(np.array([]), np.array([])) is None


def test_expected_calibration_error_by_hand() -> None:
    confidence = np.array([0.82, 0.88, 0.84, 0.86, 0.1, 1.0])
    within = np.array([True, True, False, False, True, True])
    bins = reliability(confidence, within)
    assert bins.n.tolist() == [0, 1, 0, 0, 0, 0, 0, 0, 4, 1]
    np.testing.assert_allclose(bins.confidence[[1, 8, 9]], [0.1, 0.85, 1])
    np.testing.assert_allclose(bins.within[[1, 8, 9]], [1, 0.5, 1])
    assert np.isnan(bins.within[0])
    assert bins.expected_error == pytest.approx((4 * 0.35 + 0.9 + 0) / 6)


def test_a_confidence_is_a_claim_in_face_sizes_seen_from_the_front() -> None:
    """A profile's box is narrow; 2 px of a head of 50 stay an error of 0.04."""
    truth = head(yaw_deg=85)
    assert np.prod(np.ptp(truth[:, :2], axis=0)) ** 0.5 < 46
    hidden = list(range(34))
    points = truth + np.array([2.0, 0, 0])
    points[hidden, 0] += 2.0
    confidence = np.where(np.isin(np.arange(68), hidden), 0.25, 0.95)
    faces, found = [face(truth, hidden=hidden)] * 2, predicted(points, points * np.nan)
    score = score_turned(
        faces, dataclasses.replace(found, confidence=np.stack([confidence] * 2)), None, MEAN, 0.05
    ).confidence
    assert score is not None
    assert (score.seen.n, score.hidden.n) == (34, 34)
    assert score.seen.confidence == pytest.approx(0.95)
    assert score.hidden.confidence == pytest.approx(0.25)
    assert score.seen.error == pytest.approx(0.04, rel=1e-6)
    assert score.hidden.error == pytest.approx(0.08, rel=1e-6)
    assert score.spearman == pytest.approx(1)
    # Claimed 0.95 and 0.25, true 1 and 0.
    assert score.reliability.expected_error == pytest.approx((0.05 + 0.25) / 2)


def test_no_face_found_is_no_confidence() -> None:
    truth = head()
    measured = score_turned([face(truth)], predicted(truth * np.nan), None, MEAN, 0.05)
    assert measured.confidence is None
    assert measured.depth.z_error is measured.depth.ratio is None
    assert [(one.n, one.error) for one in measured.eyes] == [(0, None)] * 3


def test_all_alike_has_no_correlation() -> None:
    flat = np.full(4, 0.5)
    score = ConfidenceScore.of(flat, np.arange(4.0), np.zeros(4, bool), 0.05)
    assert score.spearman is None
    assert (score.hidden.n, score.hidden.confidence) == (0, None)


def open_eyes(right: float, left: float) -> np.ndarray:
    """Both eyes 20 px wide in space, of which the picture shows 12; opened by that much."""
    points = head()
    for corner, opening in ((36, right), (42, left)):
        x = np.array([0, 4, 8, 12, 8, 4.0])
        y = np.array([0, -0.5, -0.5, 0, 0.5, 0.5]) * opening
        z = np.array([0, 5, 11, 16, 11, 5.0])
        points[corner : corner + 6] = np.column_stack([x + corner, y + 80, z])
    return points


def test_the_opening_of_an_eye_by_hand() -> None:
    truth = open_eyes(6, 0)
    truth[37, 1] -= 1  # the first pair is 7 apart, the second 6
    np.testing.assert_allclose(eye_opening(truth), [6.5, 0])
    np.testing.assert_allclose(eye_width(truth), [20, 20])
    guess = open_eyes(5, 2)
    np.testing.assert_allclose(eye_opening_error(guess, truth), [1.5 / 20, 2 / 20])
    np.testing.assert_allclose(eye_opening_error(guess[:, :2], truth), [1.5 / 20, 2 / 20])


def test_eyes_are_counted_by_what_was_done_to_them() -> None:
    shut, wide = open_eyes(0, 0), open_eyes(6, 6)
    faces = [
        face(shut, eyes=Eyes.SHUT, hidden=[42, 43, 44]),  # the left eye is behind the nose
        face(wide, hidden=[36, 37]),  # two of six points: still seen
        face(shut, eyes=Eyes.SHUT),
    ]
    points = np.stack([open_eyes(1, 4), open_eyes(6, 3), shut * np.nan])
    scores = {one.eyes: one for one in score_eyes(faces, points)}
    assert (scores[Eyes.SHUT].n, scores[Eyes.SHUT].n_seen) == (2, 1)
    assert scores[Eyes.SHUT].error == pytest.approx((1 + 4) / 2 / 20)
    assert scores[Eyes.SHUT].error_seen == pytest.approx(1 / 20)
    assert (scores[Eyes.OPEN].n, scores[Eyes.OPEN].n_seen) == (2, 2)
    assert scores[Eyes.OPEN].error == pytest.approx(3 / 2 / 20)
    assert scores[Eyes.HALF_SHUT].error is None


def test_roc_auc_by_hand() -> None:
    # Of 2 x 3 pairs the face is higher in 4, lower in 1, the same in 1.
    assert roc_auc(np.array([0.9, 0.5]), np.array([0.5, 0.7, 0.1])) == pytest.approx(4.5 / 6)
    assert roc_auc(np.array([0.9]), np.array([0.1, 0.2])) == 1
    some, none = np.array([0.5]), np.array([np.nan])
    assert score_presence(some, some, none) is None


def test_a_corner_shows_nothing_of_the_face() -> None:
    """The picture's colours tell its places: what is shown, where it is from and how large."""
    truth = head(x=60)  # left of the middle of a picture of 200 x 160
    columns, rows = np.meshgrid(np.arange(200), np.arange(160))
    image = np.stack([columns, rows, columns * 0], axis=-1).astype(np.uint8)
    box = Box.around(truth)
    corners, scales = set(), set()
    for number in range(30):
        photo = LabelledPhoto(f"photo {number}", Path("a.jpg"), truth)
        view = corner_view(photo, image, SIDE)
        assert view is not None
        shown = Box.around(view.image_rgb.reshape(-1, 3).astype(float))
        assert shown.iou(box) == 0
        assert shown.width >= 23
        assert shown.left == 0 or shown.right == 199
        assert shown.top == 0 or shown.bottom == 159
        ends = view.image_from_crop.apply(np.array([[-0.5, -0.5], [SIDE - 0.5] * 2]))
        np.testing.assert_allclose(ends, [[-0.5, -0.5], [len(view.image_rgb) - 0.5] * 2])
        corners.add((shown.left == 0, shown.top == 0))
        scales.add(len(view.image_rgb) == math.ceil(face_size(truth) / FACE_SHARE))
        again = corner_view(photo, image, SIDE)
        assert again is not None
        np.testing.assert_array_equal(again.image_rgb, view.image_rgb)
    assert len(corners) == 4
    assert scales == {True, False}
    full = LabelledPhoto("full", Path("a.jpg"), head(size=150))
    assert corner_view(full, image, SIDE) is None


def test_a_misplaced_crop_is_far_from_the_aligned_one() -> None:
    truth = head()
    for number in range(20):
        photo = LabelledPhoto(f"photo {number}", Path("a.jpg"), truth)
        crop = misplaced_crop(photo, MEAN, SIDE)
        ratio = crop.scale * FACE_SHARE * SIDE / 50
        middle = crop.inverse().apply(truth[:, :2]).mean(axis=0) - (SIDE - 1) / 2
        astray = np.linalg.norm(middle) / (FACE_SHARE * SIDE)
        turned = abs(np.degrees(crop.angle_rad))
        assert abs(np.log(ratio)) > 0.5 or astray > 0.35 or turned > 60


def write_set(folder: Path, edits: Sequence[str]) -> np.ndarray:
    """Pictures of 200 px, each of another grey, with a white square as the face."""
    folder.mkdir()
    points = np.stack([head(30.0 * row) for row in range(len(edits))]).astype(np.float32)
    pictures = [np.full((180, 200, 3), 100 + 50 * row, np.uint8) for row in range(len(edits))]
    for picture in pictures:
        picture[60:120, 70:130] = 255
    jpegs = [cv2.imencode(".jpg", picture)[1] for picture in pictures]
    np.savez(
        folder / "shard-00000.npz",
        jpeg=np.concatenate(jpegs),
        offsets=np.cumsum([0, *map(len, jpegs)]),
        points=points,
        hidden=np.tile(np.arange(68) < 10, (len(edits), 1)),
        yaw_deg=np.arange(len(edits), dtype=np.float32) * 30,
        edit=np.array(edits),
    )
    return points


def test_a_set_is_read_as_it_was_made(tmp_path: Path) -> None:
    points = write_set(tmp_path / "set", ["", "eyes shut, mouth open", "eyes half shut"])
    faces = read_turned(tmp_path / "set")
    assert [one.eyes for one in faces] == [Eyes.OPEN, Eyes.SHUT, Eyes.HALF_SHUT]
    assert len({one.photo.name for one in faces}) == 3
    np.testing.assert_array_equal(faces[1].photo.points_image, points[1])
    assert faces[1].photo.yaw_deg == 30
    assert faces[2].hidden.sum() == 10
    assert [one.photo.read_rgb()[5, 5, 0] for one in faces] == [100, 150, 200]


def test_no_set_and_a_damaged_shard_are_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="mien data profile"):
        read_turned(tmp_path)
    (tmp_path / "shard-00000.npz").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(DataError, match=r"shard-00000\.npz is not a whole shard"):
        read_turned(tmp_path)


class MeanHead(Landmarker):
    """Sees the upright mean head in every crop; it is sure where the middle is white."""

    side = SIDE
    judge = None
    mean_shape = MEAN
    markup = MARKUP
    card = SimpleNamespace(
        name="mean", convention="clicked", side=SIDE, sha256="cafe", confidence_radius=0.05
    )

    def __init__(self) -> None:
        pass

    def predict(self, image_rgb: np.ndarray, crops: Sequence[Similarity]) -> list[Prediction]:
        middle = (MEAN.min(axis=0) + MEAN.max(axis=0)) / 2
        points_crop = (MEAN - middle) * FACE_SHARE * SIDE
        points_crop[:, :2] += (SIDE - 1) / 2
        sure = np.linspace(0.75, 0.95, 68)
        seen = [warp_crop(image_rgb, crop, SIDE)[SIDE // 2, SIDE // 2, 0] for crop in crops]
        return [
            Prediction(Landmarks(crop.apply(points_crop), sure), 0.9 if grey > 220 else 0.1)
            for crop, grey in zip(crops, seen, strict=True)
        ]


@pytest.mark.parametrize("init", ["oracle", "box"])
def test_the_command_measures_it_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, init: str
) -> None:
    write_set(tmp_path / "set", ["", "eyes shut"])
    pair = LandmarkerPair(MeanHead(), MeanHead())
    monkeypatch.setattr(measured_model, "load_landmarkers", lambda model, points, threads: pair)
    result = run(tmp_path / "set", "--init", init, "--json", tmp_path / "r.json", "--plots",
                 tmp_path / "plots")  # fmt: skip
    front, turned = result["bins"]["[0,30]"], result["bins"]["(60,90]"]
    assert (front["n"], turned["n"]) == (2, 0)
    assert front["nme"] > 0.02  # the second face is turned by 30 degrees and is seen upright
    with gzip.open(tmp_path / "r.faces.csv.gz", "rt") as stream:
        assert float(next(csv.DictReader(stream))["nme"]) < 1e-3
    assert result["depth"]["ratio"] > 0.5
    assert result["eyes"]["shut"]["n"] == result["eyes"]["open"]["n"] == 2
    assert result["confidence"]["seen"]["n"] == 2 * 58
    assert sum(one["n"] for one in result["confidence"]["bins"]) == 2 * 68
    assert result["command"].startswith(f"mien evaluate turned set --init {init} ")
    if init == "oracle":
        assert result["score"]["auc_no_face"] == 1
        assert result["score"]["n_misplaced"] == 2
    else:
        assert result["score"] is None
    assert (tmp_path / "plots" / "reliability.png").stat().st_size > 0


def test_points_are_also_measured_where_the_set_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network that clicks and says so has one set of figures; else there are two."""
    write_set(tmp_path / "set", ["", "eyes shut"])
    pair = LandmarkerPair(MeanHead(), MeanHead())
    monkeypatch.setattr(measured_model, "load_landmarkers", lambda model, points, threads: pair)
    words = (tmp_path / "set", "--init", "box", "--json", tmp_path / "r.json")
    assert "as_clicked" not in run(*words)
    monkeypatch.setattr(MeanHead.card, "convention", "middle")
    result = run(*words)
    moved = result["as_clicked"]
    assert moved["nme"] != pytest.approx(result["nme"], abs=1e-3)
    assert moved["depth"]["xy_error"] == pytest.approx(moved["nme"], abs=2e-6)
    assert result["depth"]["xy_error"] == pytest.approx(result["nme"], abs=2e-6)
    assert moved["confidence"]["seen"]["n"] == result["confidence"]["seen"]["n"]
    assert moved["eyes"]["shut"]["n"] == 2


def run(*words: object) -> dict:  # type: ignore[type-arg]
    app = typer.Typer()
    app.command()(command.evaluate)
    ran = CliRunner().invoke(app, ["turned", *(str(word) for word in words)])
    assert ran.exit_code == 0, ran.output
    assert "eye opening error" in ran.output
    file = Path(str(words[words.index("--json") + 1]))
    found: dict = json.loads(file.read_text())  # type: ignore[type-arg]
    return found
