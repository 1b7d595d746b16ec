"""Networks are named by their weights: in cards, result files and calibrations."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import Any

import onnx
import pytest

import mien
from mien.alignment.border import BORDER_FITTED_TO
from mien.alignment.careful import FITTED_TO
from mien.errors import ModelError
from mien.export import digest_of
from mien.runtime.border import border_maps
from mien.study import sha256_of
from provenance import command, finder_of, networks_named, weights_of, weights_of_run
from standin import write_standin

ROOT = Path(__file__).parents[2]
WEIGHTS = Path(mien.__path__[0]) / "weights"
SHIPPED = weights_of("fast", "fast-free", "nano", "nano-free", "pico") | finder_of()
RESULTS = {file.name: file for file in sorted((ROOT / "benchmarks" / "results").glob("*.json"))}
LABELS = {"astronaut_points.json", "blinks.json", "rivals.json"}
"""What people clicked, counted and published: beside the scripts that read it."""
BEFORE_THE_MIX = "with fast's model 2 of the fifth leg, before the sixth was mixed into it"
BEFORE_THE_MOUTHS = "with fast's model 2 before it learned moved lips"
SAME_GRAPH = "fast's model 2 before it learned moved lips: times, of the same graph"
HISTORY: dict[str, str] = {
    **dict.fromkeys(
        ("covered.json", "looks.json", "starts.json", "still.json", "wrong_frames.json"),
        BEFORE_THE_MOUTHS,
    ),
    **dict.fromkeys(("expression_before.json", "expression_limit.json"), BEFORE_THE_MOUTHS),
    **dict.fromkeys(
        (
            "corpus.json",
            "engines.json",
            "fast.cost.json",
            "fast.wolfganglanger.speed.json",
            "real_time_ways.json",
            "throughput.json",
        ),
        SAME_GRAPH,
    ),
    "nano-free.cost.json": "before its long leg: times, of the same graph",
    "nano-free.wolfganglanger.speed.json": "before its long leg: times, of the same graph",
}
"""Results of networks that no longer ship, and which those are."""
NAMELESS = {
    "appearance.json": "no network: looks by a linear map of pixels",
    "augmentation_numbers.json": "networks of their own, at small scale",
    "bench_speed.json": "times of mien bench, by the version of mien",
    "data_clicks.json": "no network: labels of the pack",
    "data_engine.json": "no network: fits, pictures and clips",
    "engine_numbers.json": "no network: pictures made with other numbers",
    "finder_joined.json": "measured before results named networks",
    "finder_rolls.json": "measured before results named networks",
    "fuzz_media.json": "what breaks, with any network",
    "fuzz_options.json": "what breaks, with any network",
    "install_size.json": "sizes of packages",
    "interrupted_starts.json": "what a start says, with any network",
    "kills.json": "what a kill changes, with any network",
    "memory.json": "what a long run holds in memory, by the version of mien",
    "rivals_speed.json": "times, by the versions of the programs",
    "training_cost.json": "times of training steps, by two versions of mien",
    "training_speed.json": "runs, not networks",
    **{f"reproduce.table-{number}.json": "networks of their own" for number in (1, 2, 3, 4)},
    "reproduce.figure-7.json": "networks of its own",
    "reproduce.departures.json": "networks of its own",
    "initialisation_noise.json": "networks of table 4",
    "small_scale_val.json": "networks of the tables",
}
"""Files that name no network, and why."""
UNFITTED = {
    "spread of --careful": BEFORE_THE_MIX,
}
"""Calibrations of networks that no longer ship: to be fitted anew."""


def content(name: str) -> dict[str, Any]:
    told = json.loads(RESULTS[name].read_text(encoding="utf-8"))
    return told if isinstance(told, dict) else {}


@pytest.mark.parametrize("file", sorted(WEIGHTS.glob("*.onnx")), ids=lambda file: file.name)
def test_a_card_says_the_digest_of_its_own_weights(file: Path) -> None:
    if file.name == "centerface.onnx":  # somebody else's, without a card of ours
        assert file.name not in SHIPPED
        return
    assert SHIPPED[file.name] == digest_of(onnx.load(file))


def test_results_lie_in_one_place() -> None:
    files = {file.name for file in (ROOT / "benchmarks").glob("*.json")}
    assert files == LABELS, "results go to benchmarks/results"


def test_every_script_has_its_row_in_the_readme() -> None:
    """In the words of its own first line."""
    folder, rows = ROOT / "benchmarks", []
    for file in sorted(folder.rglob("*.py")):
        told = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
        words = " ".join(told.split("\n\n")[0].split())
        rows.append(f"| `{file.relative_to(folder)}` | {words} |")
    page = (folder / "README.md").read_text(encoding="utf-8")
    assert [row for row in page.splitlines() if row.startswith("| `")] == rows


def test_every_result_names_its_networks_or_is_known_to_have_none() -> None:
    nameless = {name for name in RESULTS if not networks_named(content(name))}
    known = set(NAMELESS) & set(RESULTS)
    assert nameless == known, "write provenance.weights_of(model) as 'networks'"


@pytest.mark.parametrize("name", sorted(set(RESULTS) - set(NAMELESS)))
def test_results_are_of_the_networks_that_ship_or_are_history(name: str) -> None:
    named = networks_named(content(name))
    assert set(named) <= set(SHIPPED)
    is_of_today = named.items() <= SHIPPED.items()
    assert is_of_today != (name in HISTORY), "measured anew: strike it from HISTORY"


@pytest.mark.parametrize(
    "name", ["border", "quality", "spread of --careful", "looks beyond the border"]
)
def test_calibrations_are_of_the_networks_that_ship(name: str) -> None:
    """Fails where weights are changed and what was fitted to them is not."""
    text = (WEIGHTS.parent / "quality" / "calibration.json").read_text(encoding="utf-8")
    networks = {
        "border": {k: v for one in border_maps().values() for k, v in one.networks.items()},
        "quality": json.loads(text)["networks"],
        "spread of --careful": dict(FITTED_TO),
        "looks beyond the border": dict(BORDER_FITTED_TO),
    }[name]
    assert set(networks) <= set(SHIPPED)
    is_of_today = networks.items() <= SHIPPED.items()
    assert is_of_today != (name in UNFITTED), "fitted anew: strike it from UNFITTED"


def test_a_result_of_quality_is_of_its_calibration() -> None:
    text = (WEIGHTS.parent / "quality" / "calibration.json").read_text(encoding="utf-8")
    assert content("quality.json")["weights"] == json.loads(text)


def test_a_command_tells_no_place_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    script = str(ROOT / "benchmarks" / "speed.py")
    monkeypatch.setattr(sys, "argv", [script, "/home/me/a clip.mp4", "--out", "b.json"])
    assert command() == "python benchmarks/speed.py 'a clip.mp4' --out b.json"
    assert command(["--runs", "3"]) == "python benchmarks/speed.py --runs 3"


def test_the_networks_of_a_run_are_those_it_was_made_with(tmp_path: Path) -> None:
    file = write_standin(tmp_path / "own.onnx")
    record = {"model": {"name": str(file), "sha256": {"own.onnx": sha256_of(file)}}}
    assert weights_of_run(record) == weights_of(str(file))
    assert list(weights_of(str(file))) == ["own.onnx"]
    record["model"]["sha256"] = {"own.onnx": "0" * 64}
    with pytest.raises(ValueError, match=r"another own\.onnx"):
        weights_of_run(record)
    with pytest.raises(ModelError):
        weights_of("no such model")


def test_parts_of_a_result_name_theirs() -> None:
    parts = {"a": {"networks": {"a.onnx": "1"}}, "b": {"networks": {"b.onnx": "2"}}}
    assert networks_named(parts) == {"a.onnx": "1", "b.onnx": "2"}
    for told in ({"model": "x", "tracking_sha256": "3"}, {"val": {"x": {"tracking_sha256": "3"}}}):
        assert networks_named(told) == {"x-tracking.onnx": "3"}
