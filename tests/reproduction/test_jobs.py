"""What a row is bound to, where its configuration comes from, and what full makes of the files."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io

from mien.errors import ConfigError
from mien.reproduction.jobs import Reproduction, Training, plan_jobs
from mien.reproduction.material import Given, gather
from mien.reproduction.measurement import Measurement
from mien.reproduction.results import (
    RowResult,
    fingerprint,
    mean_and_spread,
    read_result,
    write_result,
)
from mien.reproduction.rows import TABLES, Kind, load_row
from mien.reproduction.scale import SCALES, trainings
from mien.reproduction.tables import _against
from mien.reproduction.targets import ScaleName, Target
from mien.training.checkpoint import Checkpoint, save_checkpoint
from mien.training.config import DataConfig, load_config
from w300lpfolder import write_w300lp_face

ROOT = Path(__file__).parents[2]
FULL, SMALL = SCALES[ScaleName.FULL], SCALES[ScaleName.SMALL]
TINY = load_row(TABLES[Target.TABLE_1].rows[0])


def test_a_fingerprint_knows_what_decides_a_run_and_nothing_else(tmp_path: Path) -> None:
    own = fingerprint(TINY, "data")
    assert fingerprint(dataclasses.replace(TINY, name="b"), "data") == own
    often = dataclasses.replace(TINY.schedule, save_every_secs=1.0)
    assert fingerprint(dataclasses.replace(TINY, schedule=often), "data") == own
    finer = dataclasses.replace(TINY.network, finetune_shrink=1)
    longer = dataclasses.replace(TINY.schedule, steps=TINY.schedule.steps + 1)
    changed = [
        fingerprint(TINY, "other data"),
        fingerprint(dataclasses.replace(TINY, seed=TINY.seed + 1), "data"),
        fingerprint(dataclasses.replace(TINY, schedule=longer), "data"),
        fingerprint(dataclasses.replace(TINY, network=finer), "data"),
    ]
    assert len({own, *changed}) == 5

    def with_head(file: Path, content: bytes) -> str:
        file.write_bytes(content)
        network = dataclasses.replace(TINY.network, system="morphable", head=str(file))
        return fingerprint(dataclasses.replace(TINY, network=network), "data")

    here, there = with_head(tmp_path / "a", b"one"), with_head(tmp_path / "b", b"one")
    assert here == there != with_head(tmp_path / "a", b"two")


def test_a_result_of_something_else_is_none(tmp_path: Path) -> None:
    measured = Measurement("set", "truth", (1 / 3, float("inf")), (100 / 7, None), (2 / 7, None))
    result = RowResult("row", 1, "print", ("run",), 3, "0", (measured,))
    file = tmp_path / "deep" / "row.json"
    write_result(result, file)
    assert read_result(file, "print") == result
    assert read_result(file, "another") is None
    assert read_result(tmp_path / "none.json", "print") is None
    file.write_bytes(file.read_bytes()[:40])
    assert read_result(file, "print") is None
    assert [each.name for each in file.parent.iterdir()] == ["row.json"]


def test_spread_is_half_the_way_between_seeds() -> None:
    assert mean_and_spread([0.2, 0.4]) == pytest.approx((0.3, 0.1))
    assert mean_and_spread([0.2]) == (0.2, None)
    assert mean_and_spread([0.2, None]) is None
    assert mean_and_spread([]) is None


def test_full_is_the_files_themselves_on_300w_lp(tmp_path: Path) -> None:
    """Both roles of the tracker; the paper's sizes; nothing changed but who crops how."""
    rng = np.random.default_rng(0)
    points, picture = rng.uniform(5, 35, (68, 2)), np.zeros((40, 40, 3), np.uint8)
    for name in ("LFPW_1_0", "LFPW_2_0"):
        write_w300lp_face(tmp_path / "300W_LP", "LFPW", name, points, picture)
    test = tmp_path / "AFLW2000"
    test.mkdir()
    cv2.imwrite(str(test / "image00001.jpg"), picture)
    scipy.io.savemat(test / "image00001.mat", {"pt3d_68": rng.uniform(1, 9, (3, 68))})
    given = Given(w300lp=tmp_path / "300W_LP", aflw2000=test)
    material = gather(Target.TABLE_1, FULL, given, tmp_path / "out")
    work = Reproduction(Target.TABLE_1, FULL, material, tmp_path / "out", "centerface", 8)
    jobs = plan_jobs(work)
    assert [job.row.name for job in jobs] == [row.name for row in TABLES[Target.TABLE_1].rows]
    for job in jobs:
        (training,) = job.trainings
        file = load_config(ROOT / "configs" / job.row.config)
        assert training.config.network == file.network
        assert training.config.schedule == file.schedule
        assert training.config.augment == file.augment
        assert training.config.data.layout == "w300lp"
    row = TABLES[Target.TABLE_4].rows[0]
    first, second = trainings(row, FULL, DataConfig(), on_video=True, seed=1, head=None)
    assert (first.role, second.role) == ("detection", "tracking")
    assert second.augment.shift < first.augment.shift / 1.5
    assert len(trainings(row, SMALL, DataConfig(), on_video=True, seed=1, head=None)) == 1


def test_full_tracks_twelve_videos_of_300vw(tmp_path: Path) -> None:
    """Frames between labels joined by straight lines, points counted from 0 (paper 4.2)."""
    points = np.random.default_rng(0).uniform(5, 35, (68, 2))
    picture = np.zeros((40, 40, 3), np.uint8)
    for name in ("LFPW_1_0", "LFPW_2_0"):
        write_w300lp_face(tmp_path / "300W_LP", "LFPW", name, points, picture)
    for video in range(1, 14):
        folder = tmp_path / "300VW" / f"{video:03}"
        (folder / "annot").mkdir(parents=True)
        (folder / "vid.avi").touch()
        for frame in (1, 5):
            rows = "\n".join(f"{x + 1 + frame} {y + 1}" for x, y in points)
            text = f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n"
            (folder / "annot" / f"{frame:06}.pts").write_text(text)
    given = Given(w300lp=tmp_path / "300W_LP", vw300=tmp_path / "300VW")
    material = gather(Target.TABLE_4, FULL, given, tmp_path / "out")
    moved = points + np.array([3, 0])
    assert len(material.films) == len({film.name for film in material.films}) == 12
    for film in material.films:
        assert film.frame_indices.tolist() == [0, 1, 2, 3, 4]
        np.testing.assert_allclose(film.points_image[0, 2, :, :2], moved)
    assert gather(Target.TABLE_4, FULL, given, tmp_path / "out").films[0].name == (
        material.films[0].name
    )


@pytest.mark.parametrize(("step", "left"), [(None, 20), (0, 20), (7, 13), (20, 0), (25, 0)])
def test_an_interrupted_training_has_the_rest_before_it(
    tmp_path: Path, step: int | None, left: int
) -> None:
    schedule = dataclasses.replace(TINY.schedule, steps=20)
    training = Training(dataclasses.replace(TINY, schedule=schedule), tmp_path)
    if step is not None:
        save_checkpoint(Checkpoint(training.config, step, {}, {}, {}, 1.0), tmp_path / "last.pt")
    assert training.steps_after(training.last()) == left
    assert (training.finished() is not None) == (left == 0)


def test_3ddfa_needs_a_head() -> None:
    (row,) = (row for row in TABLES[Target.TABLE_3].rows if row.kind is Kind.MORPHABLE)
    with pytest.raises(ConfigError, match="give --head"):
        trainings(row, SMALL, DataConfig(), on_video=False, seed=1, head=None)


def test_the_wheel_carries_the_rows() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    forced = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    folders = {f"configs/{each.name}" for each in (ROOT / "configs").iterdir() if each.is_dir()}
    tables = {each: place for each, place in forced.items() if not each.endswith(".toml")}
    assert tables == {each: f"mien/reproduction/{each}" for each in folders}
    named = {row.config for table in TABLES.values() for row in table.rows} - {""}
    files = {f"{file.parent.name}/{file.name}" for file in (ROOT / "configs").glob("*/*")}
    assert named == files


def test_small_has_two_seeds_and_narrow_networks() -> None:
    row = TABLES[Target.TABLE_2].rows[0]
    (config,) = trainings(row, SMALL, DataConfig(), on_video=False, seed=2, head=None)
    rows = (*TABLES[Target.TABLE_1].rows[:2], row, TABLES[Target.TABLE_4].rows[1])
    told = []
    for each in rows:
        (other,) = trainings(each, SMALL, DataConfig(), on_video=False, seed=2, head=None)
        told.append((other.schedule.learning_rate, other.loss.gaussian_radius))
    # docs/decisions/0028-small-scale.md
    assert told == [(1.5e-3, 5 / 64), (1e-2, 5 / 24), (1e-2, 5 / 64), (2.5e-3, 5 / 64)]
    assert SMALL.seeds == (1, 2)
    assert (config.network.side, config.network.width, config.seed) == (96, 32, 2)


def test_a_difference_is_told_apart_by_the_spreads() -> None:
    above, row = TABLES[Target.TABLE_1].rows[:2]  # 0.0371 and 0.0338 in the paper
    assert _against(row, above, (0.030, 0.001), (0.040, 0.002)) == ("-0.0100", "holds")
    assert _against(row, above, (0.045, 0.001), (0.040, 0.002))[1] == "does not hold"
    assert _against(row, above, (0.038, 0.001), (0.040, 0.002))[1] == "not told apart"
    assert _against(row, above, (0.030, None), (0.040, None)) == ("-0.0100", "one seed")
    assert _against(row, above, None, (0.040, 0.002)) == ("-", "-")
