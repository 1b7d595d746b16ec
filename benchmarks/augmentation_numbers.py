"""Try every number of the training crops' augmentation at half and at double, on val.

    python benchmarks/augmentation_numbers.py --data FACES --turned FOLDER... --runs RUNS

The network of table 4 (module 4, the finetune module, end to end) is trained at `small` with one
number of `AugmentConfig` changed at a time, and as it is with three seeds: what lies within their
spread is not told apart. All are scored on the very same val crops, clean ones and such as training
has. It goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mien.augmentation.crops import AugmentConfig, make_crop
from mien.datasets.labelled_face import LabelledFace
from mien.files import write_atomically
from mien.geometry import FACE_SHARE
from mien.geometry.convention import Convention
from mien.markup import load_markup
from mien.models import Landmarker
from mien.reproduction.rows import TABLES
from mien.reproduction.scale import SCALES, scaled_row
from mien.reproduction.targets import ScaleName, Target
from mien.training.batches import normalise
from mien.training.checkpoint import load_checkpoint
from mien.training.config import DataConfig, TrainConfig
from mien.training.validation import validation_sets
from mien.training.workers import train_together
from provenance import command

RESULT = Path(__file__).parent / "results" / "augmentation_numbers.json"
SEEDS = (1, 2, 3)
FACTORS = (0.5, 2.0)
ROW = "finetune-end-to-end"
EVERY = 3
"""Of how many val faces one is scored."""
CROPS = {
    "nme_clean": AugmentConfig().unspoilt(),
    "nme_spoilt": dataclasses.replace(AugmentConfig(), counter_examples=0.0, mirror=0.0),
}
"""The very same val crops for all: as most are met, and as the usual numbers spoil them."""


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
    last = run / "last.pt"
    if not last.exists() or load_checkpoint(last).step < config.schedule.steps:
        train_together(config, given.data, run, workers=given.workers, turned=given.turned)
    checkpoint = load_checkpoint(last)
    model = Landmarker(checkpoint.config.network)
    model.load_state_dict(checkpoint.averaged)
    errors = {
        crops: nme(model.eval(), augment, val_faces(config, given))
        for crops, augment in CROPS.items()
    }
    value = None if factor == 1.0 else getattr(config.augment, name)
    return {"number": name, "factor": factor, "value": value, "seed": config.seed, **errors}


def val_faces(config: TrainConfig, given: argparse.Namespace) -> Iterator[LabelledFace]:
    """Every third face of each val set."""
    for faces in validation_sets(config, given.data, given.turned):
        for index in range(0, len(faces), EVERY):
            yield faces.load(index)


@torch.inference_mode()
def nme(model: Landmarker, augment: AugmentConfig, faces: Iterator[LabelledFace]) -> float:
    """Mean over faces, in face sizes seen from the front; the crops follow from a face's number."""
    network, errors = model.config, []
    markup = load_markup(network.points)
    for number, face in enumerate(faces):
        drawn = np.random.default_rng(number)
        crop = make_crop(face, face.image_rgb, augment, markup, network.side, drawn)
        points = model(normalise(torch.from_numpy(crop.crop_rgb[None]))).points[0].numpy()
        error = np.linalg.norm((points - crop.points)[:, :2], axis=1) / FACE_SHARE
        errors.append(error[crop.weights > 0].mean())
    return round(float(np.mean(errors)), 4)


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
    usual = {crops: [row[crops] for row in rows if row["factor"] == 1.0] for crops in CROPS}
    content = {
        "command": command(["--data FACES --turned FOLDER... --runs RUNS"]),
        "as_it_is": {
            crops: {"mean": round(float(np.mean(one)), 4), "least": min(one), "most": max(one)}
            for crops, one in usual.items()
        },
        "trials": rows,
    }
    write_atomically(given.out, (json.dumps(content, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
