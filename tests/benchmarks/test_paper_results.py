"""What ``benchmarks/paper_results.py`` makes of tables: verdicts by spreads, no empty column."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from paper_results import ALL, CLAIMS, POSE, Claim, _verdict

ROOT = Path(__file__).parents[2]


def table_of(better: dict[str, Any], worse: dict[str, Any]) -> dict[str, Any]:
    measured = {"set": "faces", "truth": "exact"}
    rows = [("a", better), ("b", worse)]
    return {"rows": [{"name": name, "ours": [measured | own]} for name, own in rows]}


@pytest.mark.parametrize(
    ("mean", "spread", "told"),
    [
        (0.030, 0.001, "held (-0.0100)"),
        (0.050, 0.001, "not held (+0.0100)"),
        (0.0385, 0.001, "not told apart (-0.0015)"),
        (0.030, None, "one seed (-0.0100)"),
        (0.300, 0.001, "not answered"),
    ],
)
def test_a_claim_holds_by_more_than_both_spreads(
    mean: float, spread: float | None, told: str
) -> None:
    claim = Claim("a beats b", "table-1", "a", "b")
    table = table_of(
        {ALL: {"mean": mean, "spread": spread}}, {ALL: {"mean": 0.04, "spread": 0.001}}
    )
    assert _verdict(table, claim, "faces, exact") == told


def test_a_claim_of_degrees_is_judged_by_degrees() -> None:
    (claim,) = (each for each in CLAIMS if each.figure == POSE)
    table = table_of({POSE: {"mean": 3.2, "spread": 0.1}}, {POSE: {"mean": 3.9, "spread": 0.1}})
    table["rows"][0]["name"], table["rows"][1]["name"] = claim.better, claim.worse
    assert _verdict(table, claim, "faces, exact") == "held (-0.70)"


def test_no_column_of_the_page_is_empty() -> None:
    lines = (ROOT / "docs" / "results.md").read_text("utf-8").splitlines()
    tables = [
        [[cell.strip() for cell in line.strip("|").split("|")] for line in group]
        for is_table, group in itertools.groupby(lines, lambda line: line.startswith("|"))
        if is_table
    ]
    assert len(tables) >= 8
    for head, _, *rows in tables:
        for at, name in enumerate(head):
            assert any(row[at] != "-" for row in rows), name
