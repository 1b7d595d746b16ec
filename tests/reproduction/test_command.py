"""``mien reproduce --scale smoke``: all tables and the figure, and a run that is killed goes on."""

from __future__ import annotations

import csv
import dataclasses
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mien.cli import main
from mien.reproduction.rows import TABLES, Kind
from mien.reproduction.scale import SCALES
from mien.reproduction.targets import ScaleName, Target
from mien.training.checkpoint import load_checkpoint
from mien.training.learning import Learner

STILLS = (Target.TABLE_1, Target.TABLE_2, Target.TABLE_3, Target.DEPARTURES)


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    handler, threads = signal.getsignal(signal.SIGTERM), torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    signal.signal(signal.SIGTERM, handler)
    torch.set_num_threads(threads)


def mien(*words: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    return int(ended.value.code or 0)


def smoke(target: str, out: Path, *options: str) -> int:
    return mien("reproduce", target, "--scale", "smoke", "--out", out, *options)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything, one after the other in one folder."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("reproduced")
    for target in Target:
        assert smoke(target, folder, "--resume") == 0
    return folder


def content(out: Path, target: Target) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((out / f"{target}.json").read_text())
    return loaded


@pytest.mark.parametrize("target", list(Target))
def test_a_table_has_every_row_beside_the_papers(out: Path, target: Target) -> None:
    text = (out / f"{target}.md").read_text()
    assert "not done" not in text.lower()
    for row, written in zip(TABLES[target].rows, content(out, target)["rows"], strict=True):
        assert row.label in text
        assert written["paper"]["nme"] == row.published
        if row.published is not None:
            assert f"{row.published:.4f}" in text
        assert len(written["seeds"]) == (0 if row.kind is Kind.PUBLISHED else 2)
        assert bool(written["ours"]) == (row.kind is not Kind.PUBLISHED)
    assert (out / f"{target}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("target", STILLS)
def test_both_protocols_stand_against_both_truths(out: Path, target: Target) -> None:
    text = (out / f"{target}.md").read_text()
    for protocol in ("mean over all images", "mean of three yaw bins"):
        assert f"| ours, {protocol} |" in text
    for row in content(out, target)["rows"]:
        if row["kind"] != "published figure only":
            assert [each["truth"] for each in row["ours"]] == ["original", "reannotated"]
            for each in row["ours"]:
                assert each["mean over all images"]["mean"] > 0
                assert each["mean of three yaw bins"]["mean"] > 0


def test_a_figure_is_what_the_rows_files_say(out: Path) -> None:
    """Computed again from the errors of each face, written out."""
    (row,) = (row for row in content(out, Target.TABLE_1)["rows"] if row["name"] == "hourglass")
    means, binned = [], []
    for file in sorted((out / "results").glob("hourglass-seed*.json")):
        measured = json.loads(file.read_text())["measurements"][0]
        errors, yaw = np.array(measured["errors"]), np.abs(measured["yaw_deg"])
        means.append(errors.mean())
        bins = [yaw <= 30, (yaw > 30) & (yaw <= 60), yaw > 60]
        assert sum(map(np.sum, bins)) == len(errors) == 9
        binned.append(np.mean([errors[inside].mean() for inside in bins]))
    assert len(means) == 2
    for name, values in (("mean over all images", means), ("mean of three yaw bins", binned)):
        figure = row["ours"][0][name]
        assert figure["mean"] == pytest.approx(np.mean(values), abs=2e-6)
        assert figure["spread"] == pytest.approx(np.ptp(values) / 2, abs=2e-6)
    with (out / "table-1.csv").open(newline="") as stream:
        lines = [line for line in csv.DictReader(stream) if line["row"] == "hourglass"]
    ours = [line for line in lines if (line["whose"], line["truth"]) == ("ours", "original")]
    assert float(ours[0]["value"]) == pytest.approx(np.mean(means), abs=2e-6)
    assert [line["value"] for line in lines if line["whose"] == "paper"] == ["0.0338"]


def test_tables_share_their_networks(out: Path) -> None:
    """Module 1 of table 2 is the last row of table 1, and the proposed one is module 4."""

    def networks(target: Target, name: str) -> list[list[str]]:
        rows = content(out, target)["rows"]
        return [seed["networks"] for row in rows if row["name"] == name for seed in row["seeds"]]

    assert networks(Target.TABLE_1, "change-5") == networks(Target.TABLE_2, "module-1")
    assert networks(Target.TABLE_3, "proposed") == networks(Target.TABLE_2, "module-4")
    assert networks(Target.DEPARTURES, "finetune-end-to-end") == networks(
        Target.TABLE_2, "finetune-end-to-end"
    )
    two_models = networks(Target.TABLE_4, "heatmaps")
    assert [len(each) for each in two_models] == [2, 2]
    assert two_models == networks(Target.FIGURE_7, "heatmaps")


def test_finished_rows_are_kept(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object) -> None:
        raise AssertionError("nothing is left to learn")

    before = {file: file.stat().st_mtime_ns for file in (out / "results").iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr("mien.training.workers.train", refuse)
        assert smoke("table-2", out, "--resume") == 0
    assert {file: file.stat().st_mtime_ns for file in (out / "results").iterdir()} == before


def test_a_killed_run_goes_on_where_it_stopped(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Broken off in the second row's fourth step; what it leaves is what an unbroken run leaves."""
    steps = iter(range(1000))

    class BreaksOff(Learner):
        def step(self, *given: Any) -> Any:
            if next(steps) == 15:  # six steps for each of two seeds, and three
                raise KeyboardInterrupt
            return super().step(*given)

    scale = SCALES[ScaleName.SMOKE]
    assert scale.schedule is not None
    often = dataclasses.replace(scale.schedule, save_every_secs=0.0)
    with monkeypatch.context() as patch:
        patch.setitem(SCALES, ScaleName.SMOKE, dataclasses.replace(scale, schedule=often))
        patch.setattr("mien.training.loop.Learner", BreaksOff)
        assert smoke("table-1", tmp_path) == 130
    (first,) = (tmp_path / "results").glob("resnet18-seed1-*.json")
    written = first.stat().st_mtime_ns
    (begun,) = (tmp_path / "networks").glob("hourglass-tracking-seed1-*")
    assert load_checkpoint(begun / "last.pt").step == 3
    assert "Not done" in (tmp_path / "table-1.md").read_text()
    capsys.readouterr()
    assert smoke("table-1", tmp_path) == 2
    assert "go on there with --resume" in capsys.readouterr().err
    assert smoke("table-1", tmp_path, "--resume") == 0
    assert first.stat().st_mtime_ns == written
    for run in (tmp_path / "networks").iterdir():
        ours, theirs = (
            load_checkpoint(root / "networks" / run.name / "last.pt") for root in (tmp_path, out)
        )
        assert all(torch.equal(theirs.model[name], ours.model[name]) for name in ours.model)
    assert (tmp_path / "table-1.md").read_text() == (out / "table-1.md").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("table-1", "--scale", "small"), "learns from --data or --turned"),
        (("table-1", "--scale", "small", "--data", "none"), "holds no faces.npz"),
        (("table-1", "--scale", "full"), "scale full needs --w300lp"),
        (("table-1", "--scale", "small", "--turned", "none"), "measures on --aflw2000"),
        (("table-4", "--scale", "small", "--turned", "none"), "needs --clips"),
        (("table-3", "--scale", "smoke", "--head", "none.npz"), "none.npz cannot be read"),
    ],
)
def test_a_mistake_is_one_line(
    words: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert mien("reproduce", *words, "--out", "out") == 2
    err = capsys.readouterr().err
    assert err.startswith("mien: ")
    assert err.count("\n") == 1
    assert said in err


def test_a_plan_trains_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert smoke("table-1", tmp_path, "--plan") == 0
    assert "hours of" in capsys.readouterr().out
    assert not (tmp_path / "networks").exists()
