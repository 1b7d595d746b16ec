"""Try every number of the training crops' augmentation at half and at double, on val.

    python benchmarks/augmentation_numbers.py --data FACES --turned FOLDER... --runs RUNS

The network of table 4 (module 4, the finetune module, end to end) is trained at `small` with one
number of `AugmentConfig` changed at a time, and as it is with three seeds: what lies within their
spread is not told apart. It goes on where it was stopped. The val sets are clean: what spoilt,
covered and turned crops are for, films and detectors' crops, they do not ask.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mien.augmentation.crops import AugmentConfig
from mien.files import write_atomically
from mien.geometry.convention import Convention
from mien.reproduction.rows import TABLES
from mien.reproduction.scale import SCALES, scaled_row
from mien.reproduction.targets import ScaleName, Target
from mien.training.config import DataConfig, TrainConfig
from mien.training.workers import train_together
from provenance import command
from small_scale_val import last_validation

RESULT = Path(__file__).parent / "results" / "augmentation_numbers.json"
SEEDS = (1, 2, 3)
FACTORS = (0.5, 2.0)
ROW = "finetune-end-to-end"


def base(seed: int) -> TrainConfig:
    """The row as `mien reproduce table-4 --scale small` trains it."""
    (row,) = (each for each in TABLES[Target.TABLE_4].rows if each.name == ROW)
    config = scaled_row(row, SCALES[ScaleName.SMALL])
    data = DataConfig(convention=Convention.W300LP.value)
    return dataclasses.replace(config, name=row.name, seed=seed, role="tracking", data=data)


def trials() -> Iterator[tuple[str, float, TrainConfig]]:
    """The number, its factor, and the configuration; shares do not exceed 1."""
    for seed in SEEDS:
        yield "as it is", 1.0, base(seed)
    config = base(SEEDS[0])
    for number in dataclasses.fields(AugmentConfig):
        usual = getattr(config.augment, number.name)
        if usual == 0 or number.name == "mirror":  # mirrored or not is a coin, half and half
            continue
        for factor in FACTORS:
            share = not number.name.endswith("_deg")
            value = min(usual * factor, 1.0) if share else usual * factor
            augment = dataclasses.replace(config.augment, **{number.name: value})
            yield number.name, factor, dataclasses.replace(config, augment=augment)


def tried(
    name: str, factor: float, config: TrainConfig, given: argparse.Namespace
) -> dict[str, Any]:
    """Train where it is not trained yet, and read its val figures."""
    run = given.runs / f"{name.replace(' ', '-')}-{factor:g}-seed{config.seed}"
    run.mkdir(parents=True, exist_ok=True)
    train_together(config, given.data, run, workers=given.workers, turned=given.turned)
    told = last_validation(run)
    value = None if factor == 1.0 else getattr(config.augment, name)
    return {
        "number": name,
        "factor": factor,
        "value": value,
        "seed": told["seed"],
        "nme": told["nme"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--turned", required=True, type=Path, nargs="+")
    parser.add_argument("--runs", required=True, type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=RESULT)
    given = parser.parse_args()
    rows = []
    for trial in trials():
        rows.append(tried(*trial, given))
        print(rows[-1], flush=True)
    usual = [row["nme"] for row in rows if row["factor"] == 1.0]
    content = {
        "command": command(["--data FACES --turned FOLDER... --runs RUNS"]),
        "nme_as_it_is": {
            "mean": round(float(np.mean(usual)), 4),
            "least": min(usual),
            "most": max(usual),
        },
        "trials": rows,
    }
    write_atomically(given.out, (json.dumps(content, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
