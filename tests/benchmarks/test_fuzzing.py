"""Random input: parts are one run, a worker that hangs or ends is told."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import fuzzing
from fuzzing import Answer, Case, Fuzz, Worker, joined, run_cases

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@contextlib.contextmanager
def begun() -> Iterator[Callable[[int, np.random.Generator], Case]]:
    def ask(number: int, rng: np.random.Generator) -> Case:
        outcome = "good" if rng.random() < 0.7 else "bad"
        return Case("odd" if number % 2 else "even", Answer(outcome), {"file": f"f{number}"})

    yield ask


FUZZ = Fuzz("cases", "kinds", frozenset({"good"}), begun)


def without_time(result: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in result.items() if name != "slowest_secs"}


def test_parts_joined_are_one_run() -> None:
    whole = run_cases(FUZZ, 40, seed=3)
    parts = [run_cases(FUZZ, count, 3, start) for start, count in ((25, 15), (0, 10), (10, 15))]
    assert without_time(joined(FUZZ, parts)) == without_time(whole)
    assert whole["cases"] == 40
    assert whole["kinds"] == {"even": 20, "odd": 20}
    assert 0 < whole["failures"] == whole["outcomes"]["bad"] < 40
    assert whole["first_failures"][0]["file"] == f"f{whole['first_failures'][0]['number']}"


@pytest.mark.parametrize("start", [9, 11])
def test_parts_with_a_gap_or_an_overlap_are_refused(start: int) -> None:
    parts = [run_cases(FUZZ, 10, 3), run_cases(FUZZ, 5, 3, start)]
    with pytest.raises(ValueError, match=f"next begins at {start}"):
        joined(FUZZ, parts)
    with pytest.raises(ValueError, match="seeds"):
        joined(FUZZ, [run_cases(FUZZ, 10, 3), run_cases(FUZZ, 5, 4, 10)])


def test_a_run_that_is_stopped_says_where_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    @contextlib.contextmanager
    def stopped() -> Iterator[Callable[[int, np.random.Generator], Case]]:
        with begun() as ask:

            def until_seven(number: int, rng: np.random.Generator) -> Case:
                if number == 7:
                    raise KeyboardInterrupt
                return ask(number, rng)

            yield until_seven

    part = run_cases(Fuzz("cases", "kinds", FUZZ.good, stopped), 20, seed=3)
    assert part["cases"] == 7
    assert "--start 7" in capsys.readouterr().err
    rest = run_cases(FUZZ, 13, 3, start=7)
    assert without_time(joined(FUZZ, [part, rest])) == without_time(run_cases(FUZZ, 20, 3))
    assert run_cases(FUZZ, 5, 3, limit_secs=-1.0)["cases"] == 0


WORKER = f"""
import os, sys, time
sys.path.append({str(BENCHMARKS)!r})
from fuzzing import Answer, answers_to

def answer(line):
    print("noise")
    if line == "end":
        os._exit(5)
    while line == "spin":
        pass
    return Answer("good", str(int(line)))

answers_to(answer)
"""


def test_a_worker_that_ends_or_hangs_is_told_and_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "worker.py").write_text(WORKER)
    worker = Worker([str(tmp_path / "worker.py")], tmp_path, subprocess.DEVNULL)
    assert worker.ask("1") == Answer("good", "1")
    assert worker.ask("end").outcome == "crash"
    assert worker.ask("2") == Answer("good", "2")
    assert worker.ask("no number").outcome == "traceback: ValueError"
    monkeypatch.setattr(fuzzing, "LIMIT_SECS", 0.5)
    assert worker.ask("spin").outcome == "hang"
    monkeypatch.undo()
    assert worker.ask("3") == Answer("good", "3")
    worker.close()


@pytest.mark.parametrize("name", ["fuzz_media", "fuzz_options"])
def test_committed_results_are_of_runs_without_a_failure(name: str) -> None:
    result = json.loads((BENCHMARKS / "results" / f"{name}.json").read_text())
    assert result["failures"] == 0
    assert result["first_failures"] == []
    count = result.get("files", result.get("option_sets"))
    assert sum(result["outcomes"].values()) == count > 300
    assert f"--count {count}" in result["command"]
