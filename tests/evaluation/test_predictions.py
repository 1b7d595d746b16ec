"""Predict, file, score: nothing lost on the way, nothing dropped, missed faces counted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mien.datasets.photo import LabelledPhoto
from mien.errors import DataError, OutputError
from mien.evaluation import predictions as predicting
from mien.evaluation.predictions import Predictions, predict
from mien.evaluation.scoring import BinScore, score
from mien.types import Prediction

if TYPE_CHECKING:
    from conftest import World


def test_score_of_four_faces_by_hand(world: World) -> None:
    truth = world.face_at(90, 70, 50.0)  # face size 50 px: the mean shape's unit
    photos = [
        world.photo("front", truth, yaw_deg=-10),
        world.photo("front_missed", truth, yaw_deg=5),
        world.photo("half", truth, yaw_deg=45),
        world.photo("profile", truth, yaw_deg=-80),
    ]
    offsets = [1.0, np.nan, 2.0, 6.0]  # px: NME 0.02, missed, 0.04, 0.12
    measured = score(photos, _predictions(photos, truth, offsets))
    assert (measured.n, measured.missed) == (4, 1)
    assert measured.nme == pytest.approx((0.02 + 0.04 + 0.12) / 3, rel=1e-5)
    assert measured.nme_inner51 == pytest.approx((0.02 + 0.04 + 0.12) / 3, rel=1e-5)
    assert measured.nme_3d is None
    assert measured.bins is not None
    assert [(one.name, one.n, one.missed) for one in measured.bins] == [
        ("[0,30]", 2, 1), ("(30,60]", 1, 0), ("(60,90]", 1, 0)
    ]  # fmt: skip
    assert [one.nme for one in measured.bins] == pytest.approx([0.02, 0.04, 0.12], rel=1e-5)
    assert [one.nme_inner51 for one in measured.bins] == pytest.approx([0.02, 0.04, 0.12], rel=1e-5)
    assert measured.balanced == pytest.approx(0.06, rel=1e-5)
    assert measured.auc_07 == pytest.approx((5 / 7 + 0 + 3 / 7 + 0) / 4, rel=1e-5)
    assert measured.failure_rate_07 == pytest.approx(2 / 4, rel=1e-5)


def _sure(faces: int) -> tuple[np.ndarray, np.ndarray]:
    return np.ones((faces, 68)), np.ones(faces)


def _predictions(
    photos: list[LabelledPhoto], truth: np.ndarray, offsets: list[float]
) -> Predictions:
    points = np.stack(
        [np.column_stack([truth + np.array([dx, 0]), np.zeros(68)]) for dx in offsets]
    )
    points[np.isnan(offsets)] = np.nan
    return Predictions(tuple(p.name for p in photos), points, *_sure(len(photos)))


def test_balanced_counts_each_bin_alike_and_needs_them_all(world: World) -> None:
    truth = world.face_at(90, 70)
    yaws = [0.0, 0.0, 0.0, 45.0, 90.0]
    photos = [world.photo(str(i), truth, yaw_deg=yaw) for i, yaw in enumerate(yaws)]
    predictions = _predictions(photos, truth, [1.0, 1.0, 1.0, 2.0, 3.0])
    assert score(photos, predictions).balanced == pytest.approx((0.02 + 0.04 + 0.06) / 3, rel=1e-5)
    without_profile = score(photos[:4], _predictions(photos[:4], truth, [1.0, 1.0, 1.0, 2.0]))
    assert without_profile.bins is not None
    assert without_profile.bins[2] == BinScore("(60,90]", 0, 0, None, None)
    assert without_profile.balanced is None


def test_no_yaw_no_bins_and_nothing_found_no_nme(world: World) -> None:
    truth = world.face_at(90, 70)
    photos = [world.photo("a", truth)]
    measured = score(photos, _predictions(photos, truth, [np.nan]))
    assert measured.bins is None
    assert measured.balanced is None
    assert measured.nme is None
    assert measured.auc_07 == 0
    assert measured.failure_rate_07 == 1


def test_another_truth_is_scored_where_there_is_one(world: World) -> None:
    truth = world.face_at(90, 70)
    photos = [world.photo("a", truth, second=truth + np.array([2, 0])), world.photo("b", truth)]
    predictions = _predictions(photos, truth, [1.0, 1.0])
    second = score(photos, predictions, "second")
    assert [face.name for face in second.per_image] == ["a"]
    assert second.nme == pytest.approx(0.02, rel=1e-5)


def test_predictions_of_other_photos_are_refused(world: World) -> None:
    truth = world.face_at(90, 70)
    predictions = _predictions([world.photo("a", truth)], truth, [0.0])
    with pytest.raises(DataError, match="predict again"):
        score([world.photo("b", truth)], predictions)


def test_a_truth_without_area_names_its_photo(world: World) -> None:
    photos = [world.photo("flat", np.ones((68, 2)))]
    with pytest.raises(DataError, match=r"flat: .*span no area"):
        score(photos, _predictions(photos, world.face_at(90, 70), [0.0]))


class _StoppedError(Exception):
    pass


class _Counting:
    """Finds all faces but each third; gives up at the photo named ``stop_at``."""

    def __init__(self, world: World, stop_at: str | None = None) -> None:
        self.world, self.stop_at = world, stop_at
        self.asked: list[str] = []

    def __call__(self, photo: LabelledPhoto, row: int) -> Prediction | None:
        assert row == int(photo.name)
        if photo.name == self.stop_at:
            raise _StoppedError
        self.asked.append(photo.name)
        found = int(photo.name) % 3 > 0
        return self.world.seen(photo.points_image + int(photo.name), 0.8) if found else None


@pytest.fixture
def photos(world: World) -> list[LabelledPhoto]:
    return [world.photo(str(i), world.face_at(90, 70)) for i in range(7)]


def test_a_run_that_is_cut_off_goes_on_where_it_was(
    world: World, photos: list[LabelledPhoto], tmp_path: Path
) -> None:
    whole = predict(photos, _Counting(world), tmp_path / "whole.npz", "run")
    file = tmp_path / "p.npz"
    with pytest.raises(_StoppedError):
        predict(photos, _Counting(world, stop_at="4"), file, "run")
    rest = _Counting(world)
    done: list[int] = []
    resumed = predict(photos, rest, file, "run", done.append)
    assert rest.asked == ["4", "5", "6"]
    assert done == [5, 6, 7]
    np.testing.assert_array_equal(resumed.points_image, whole.points_image)
    np.testing.assert_array_equal(resumed.confidence, whole.confidence)
    np.testing.assert_array_equal(resumed.score, whole.score)
    np.testing.assert_array_equal(whole.score, [np.nan, 0.8, 0.8, np.nan, 0.8, 0.8, np.nan])
    assert np.isnan(resumed.points_image[[0, 3, 6]]).all()
    assert np.isfinite(resumed.points_image[[1, 2, 4, 5]]).all()
    assert not list(tmp_path.glob("*.part"))


def test_what_another_run_left_or_what_is_finished_is_not_reused(
    world: World, photos: list[LabelledPhoto], tmp_path: Path
) -> None:
    file = tmp_path / "p.npz"
    with pytest.raises(_StoppedError):
        predict(photos, _Counting(world, stop_at="4"), file, "run")
    left = file.read_bytes()
    for run, faces in (("other model", photos), ("run", photos[:6])):
        file.write_bytes(left)
        again = _Counting(world)
        predict(faces, again, file, run)
        assert len(again.asked) == len(faces)
    finished = _Counting(world)
    predict(photos[:6], finished, file, "run")
    assert len(finished.asked) == 6


@pytest.mark.parametrize("junk", [b"", b"no predictions", b"PK\x03\x04 cut off"])
def test_a_file_that_is_not_ours_is_started_anew(
    world: World, photos: list[LabelledPhoto], tmp_path: Path, junk: bytes
) -> None:
    file = tmp_path / "p.npz"
    file.write_bytes(junk)
    assert len(predict(photos, _Counting(world), file, "run").names) == 7


def test_progress_is_saved_in_passing(
    world: World, photos: list[LabelledPhoto], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predicting, "_SAVE_EVERY", 2)
    saved: list[int] = []
    file = tmp_path / "p.npz"

    def look(done: int) -> None:
        with np.load(file) as content:
            saved.append(int(content["done"]))

    predict(photos, _Counting(world), file, "run", look)
    assert saved == [0, 0, 2, 2, 4, 4, 6]


def test_a_place_that_cannot_be_written_is_said_before_any_work(
    world: World, photos: list[LabelledPhoto], tmp_path: Path
) -> None:
    counting = _Counting(world)
    (tmp_path / "a_file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        predict(photos, counting, tmp_path / "a_file" / "p.npz", "run")
    assert counting.asked == []
