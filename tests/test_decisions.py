"""Figures in ``docs/decisions`` are those of the files they were measured into."""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_figures_of_the_training_labels() -> None:
    page = (ROOT / "docs/decisions/0003-training-labels.md").read_text(encoding="utf-8")
    file = ROOT / "benchmarks" / "training_labels.json"
    figures = json.loads(file.read_text(encoding="utf-8"))
    for name, row in figures["sets"].items():
        joined, teacher = row["joined_nme_inner51"], row["tddfa_nme_inner51"]
        assert f"| {name} | {row['faces']} | {joined:.4f} | {teacher:.4f} |" in page
        assert joined < 0.6 * teacher
    assert f"learns from {figures['faces_learned_from']} faces" in " ".join(page.split())
    assert f"{figures['faces_agreed']:,} faces of 10,897" in " ".join(page.split())
