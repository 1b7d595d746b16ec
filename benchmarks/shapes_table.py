"""Write the table of every shape in docs/expression.md from `benchmarks/results/expression.json`.

    python benchmarks/shapes_table.py            # rewrites the part between the markers
    python benchmarks/shapes_table.py --check    # exit code 1 if it would change anything

`benchmarks/expression.py` makes the result file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mien.expression import SHAPES
from sections import line, run

HERE = Path(__file__).parent
DOCUMENT = HERE.parent / "docs" / "expression.md"
RESULT = HERE / "results" / "expression.json"


def make_section(file: Path = RESULT) -> str:
    """The text between the markers: shapes of two sides share a row."""
    content = json.loads(file.read_text())
    of_model: dict[str, dict[str, Any]] = {
        name: one["shapes"] for name, one in content["models"].items()
    }
    head, rule = ["shape"], ["---"]
    for model in of_model:
        head += [f"`{model}`", "error"]
        rule += ["---:", "---:"]
    lines = [line(head), line(rule)]
    for names in sided(SHAPES):
        cells = [" ".join(f"`{name}`" for name in names)]
        for shapes in of_model.values():
            cells.append(
                ", ".join(f"{round(shapes[name]['correlation'], 2) + 0.0:.2f}" for name in names)
            )
            cells.append(", ".join(f"{shapes[name]['mae']:.3f}" for name in names))
        lines.append(line(cells))
    return "\n".join(lines)


def sided(names: tuple[str, ...]) -> list[list[str]]:
    """Every name once; what the person's left and right side can do stands together."""
    rows: dict[str, list[str]] = {}
    for name in names:
        rows.setdefault(name.removesuffix("Left").removesuffix("Right"), []).append(name)
    return [sorted(row) for row in rows.values()]


if __name__ == "__main__":
    run(DOCUMENT, make_section, __doc__ or "")
