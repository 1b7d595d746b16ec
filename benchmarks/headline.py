"""Write the README's short table of accuracy from the committed result files.

    python benchmarks/headline.py            # rewrites the part between the markers
    python benchmarks/headline.py --check    # exit code 1 if it would change anything

The long tables are in docs/accuracy.md (`readme_table.py`).
"""

from __future__ import annotations

import json
from pathlib import Path

from readme_table import HERE, read_results
from sections import line, run

README = HERE.parent / "README.md"
COLUMNS = (
    ("AFLW2000-3D, true points, mean over all", "aflw2000", "oracle", "nme"),
    ("true box, mean of three yaw bins", "aflw2000", "box", "balanced"),
    ("photo alone, mean over all", "aflw2000", "detector", "nme"),
    ("missed of 2000", "aflw2000", "detector", "missed"),
    ("helen test, photo alone, inner 51", "helen_test", "detector", "nme_inner51"),
)


def make_section(folder: Path = HERE / "results", rivals: Path = HERE / "rivals.json") -> str:
    """The text between the markers: ours first, then rivals with a figure in any column."""
    ours: dict[str, dict[tuple[str, str, str], float]] = {}
    for result in read_results(folder):
        if result.content.get("mirror") or result.content.get("careful"):
            continue
        row = ours.setdefault(result.system, {})
        for _, data_set, init, key in COLUMNS:
            if (data_set, init) == (result.data_set, result.init):
                row[data_set, init, key] = result.content[key]
    theirs: dict[str, dict[tuple[str, str, str], float]] = {}
    for one in json.loads(rivals.read_text())["figures"]:
        where = (str(one["set"]).replace(" ", "_"), one["init"], one["metric"])
        if where in {column[1:] for column in COLUMNS}:
            theirs.setdefault(one["system"], {})[where] = one["value"]
    lines = [line(["", *(title for title, *_ in COLUMNS)]), line(["---"] + ["---:"] * len(COLUMNS))]
    for system, row in {**ours, **theirs}.items():
        if row:
            lines.append(line([system, *(_shown(row.get(column[1:])) for column in COLUMNS)]))
    note = (
        "NME (eq. 5 of the paper): the mean error of the points as a share of the face's size; "
        "lower is better. `-`: not measured, or not published."
    )
    return "\n".join([*lines, "", note])


def _shown(value: float | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.4f}"


if __name__ == "__main__":
    run(README, make_section, (__doc__ or "").splitlines()[0])
