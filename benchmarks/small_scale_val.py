"""Networks of `small` on val, as their own runs measured them: learning rates and departures.

    python benchmarks/small_scale_val.py RUN...

``RUN`` are folders of `mien train` or of `mien reproduce` (``OUT/networks/...``). Whatever decision
28 and 30 chose, they chose by these figures; those of the tables are only measured.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from mien.files import write_atomically
from mien.training.checkpoint import load_checkpoint
from provenance import command

RESULT = Path(__file__).parent / "results" / "small_scale_val.json"


def last_validation(run: Path) -> dict[str, Any]:
    """A run's configuration where runs differ, and its last validation, the mean of all val sets.

    ``nme_stacks``: of the points decoded from each hourglass's heatmaps, before any correction.
    """
    checkpoint = load_checkpoint(run / "last.pt")
    config = checkpoint.config
    told = {
        "run": config.name,
        "seed": config.seed,
        "learning_rate": config.schedule.learning_rate,
        "heatmap_loss": config.loss.heatmap_loss,
        "gaussian_radius": round(config.loss.gaussian_radius, 4),
        "dropout": config.network.dropout,
        "steps": checkpoint.step,
    }
    with (run / "val.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if int(row["step"]) == checkpoint.step]
    stacks = np.array([[float(one) for one in row["nme_stacks"].split()] for row in rows])
    return {
        **told,
        "val_sets": [row["name"] for row in rows],
        "nme": round(float(np.mean([float(row["nme"]) for row in rows])), 4),
        "nme_stacks": stacks.mean(axis=0).round(4).tolist(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=RESULT)
    given = parser.parse_args()
    runs = [last_validation(run) for run in given.runs]
    content = {"command": command(["RUN..."]), "runs": runs}
    write_atomically(given.out, (json.dumps(content, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
