"""``train.csv`` and ``val.csv`` of a run that goes on."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import torch

from mien.training.run_log import RunLog


@dataclass(frozen=True)
class Terms:
    total: torch.Tensor


@dataclass(frozen=True)
class Score:
    name: str
    nme: float


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_rows_past_the_step_are_dropped(tmp_path: Path) -> None:
    log = RunLog(tmp_path, 0)
    for step in (20, 40, 60):
        log.terms(step, Terms(torch.tensor(1 / step)), {"faces_per_sec": 7.123})
        log.scores(step, [Score("a", 0.1), Score("b", 0.2)])
    with (tmp_path / "val.csv").open("a") as stream:
        stream.write("80,a")  # killed within a row
    log = RunLog(tmp_path, 40)
    log.terms(60, Terms(torch.tensor(0.5)), {"faces_per_sec": 7.0})
    told = rows(tmp_path / "train.csv")
    assert [row["step"] for row in told] == ["20", "40", "60"]
    assert told[-1] == {"step": "60", "total": "0.5", "faces_per_sec": "7.0"}
    assert [row["step"] for row in rows(tmp_path / "val.csv")] == ["20", "20", "40", "40"]


@dataclass(frozen=True)
class MoreTerms:
    total: torch.Tensor
    mouth: torch.Tensor


def test_a_run_of_a_mien_with_fewer_losses_keeps_its_rows_under_their_names(tmp_path: Path) -> None:
    one = torch.tensor(1.0)
    RunLog(tmp_path, 0).terms(20, Terms(one), {"faces_per_sec": 7.0})
    RunLog(tmp_path, 20).terms(40, MoreTerms(one, 2 * one), {"faces_per_sec": 8.0})
    RunLog(tmp_path, 40).terms(60, Terms(3 * one), {"faces_per_sec": 9.0})
    assert rows(tmp_path / "train.csv") == [
        {"step": "20", "total": "1.0", "mouth": "", "faces_per_sec": "7.0"},
        {"step": "40", "total": "1.0", "mouth": "2.0", "faces_per_sec": "8.0"},
        {"step": "60", "total": "3.0", "mouth": "", "faces_per_sec": "9.0"},
    ]


def test_a_file_that_a_kill_left_empty_is_begun(tmp_path: Path) -> None:
    for name in ("train.csv", "val.csv"):
        (tmp_path / name).touch()
    log = RunLog(tmp_path, 20)
    log.terms(40, Terms(torch.tensor(0.5)), {"faces_per_sec": 7.0})
    log.scores(40, [Score("a", 0.1)])
    assert [row["step"] for row in rows(tmp_path / "train.csv")] == ["40"]
    assert rows(tmp_path / "val.csv") == [{"step": "40", "name": "a", "nme": "0.1"}]


def test_only_the_first_process_cuts(tmp_path: Path) -> None:
    RunLog(tmp_path, 0).scores(20, [Score("a", 0.1)])
    RunLog(tmp_path, 0, rank=1)
    assert len(rows(tmp_path / "val.csv")) == 1
