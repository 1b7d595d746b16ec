"""Networks of one role side by side on the very same val crops, as they meet them in use and worse.

    python benchmarks/any_start.py detection --data FACES --turned LP --turned NOD --profiles CFP \
        --json benchmarks/results/any_start.json shipped=src/mien/weights/fast-detection.onnx \
        new=runs/fast-detection.onnx

``FACES`` is the face pack, ``LP`` and ``NOD`` folders of turned faces with ``LP_val`` and
``NOD_val`` beside them, ``CFP`` the clicked profiles. Results of other networks stay in the file.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mien.augmentation.crops import AugmentConfig, TrainingCrop, make_crop
from mien.datasets.labelled_face import LabelledFace, TrainingFaces
from mien.export import CONFIDENCE_RADIUS
from mien.files import write_atomically
from mien.geometry import FACE_SHARE
from mien.markup import load_markup
from mien.runtime.session import WeightFile, open_weights
from mien.training.config import DataConfig, TrainConfig
from mien.training.validation import validation_sets

SOURCES = ("helen", "afw", "mebeauty", "lfw", "ytf")
UNSPOILT = AugmentConfig().unspoilt()
NEVER = 1e-12
"""A share that draws the same random numbers as any other and does nothing."""


def crops_as(**fields: float) -> AugmentConfig:
    """Crops strayed so, and nothing else done to them."""
    return dataclasses.replace(UNSPOILT, **fields)  # type: ignore[arg-type]


TRACKED = {"rotation_deg": 4.0, "scale": 0.04, "shift": 0.025}
DETECTED = {"rotation_deg": 12.0, "scale": 0.10, "shift": 0.06}
ROWS = {
    "detection": {
        "as a detector places it": crops_as(**DETECTED, boxed=0.25),
        "from the true box": crops_as(rotation_deg=0.0, scale=0.05, shift=0.03, boxed=1.0),
        "rolled up to 50 degrees": crops_as(
            scale=0.05, shift=0.03, wild=1.0, wild_rotation_deg=50.0
        ),
        "cut by the border": crops_as(**DETECTED, border_cut=1.0),
        "mouth covered": crops_as(**DETECTED, cover_mouth=1.0),
    },
    "tracking": {
        "as the last frame places it": crops_as(**TRACKED),
        "cut by the border": crops_as(**TRACKED, border_cut=1.0),
        "mouth covered": crops_as(**TRACKED, cover_mouth=1.0),
    },
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("role", choices=ROWS)
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--turned", type=Path, action="append", default=[])
    arguments.add_argument("--profiles", type=Path, required=True)
    arguments.add_argument("--json", type=Path, required=True)
    arguments.add_argument("--faces", type=int, default=40, help="Faces a set.")
    arguments.add_argument("networks", nargs="+", metavar="NAME=FILE.onnx")
    given = arguments.parse_args()
    results = json.loads(given.json.read_text()) if given.json.exists() else {}
    for each in given.networks:
        name, file = each.split("=", 1)
        weights = open_weights(Path(file), threads=1)
        sets = val_sets(weights, given.data, given.turned, given.profiles)
        rows = {
            row: {faces.name: score(weights, faces, augment, given.faces) for faces in sets}
            for row, augment in ROWS[given.role].items()
        }
        results[f"{name} {weights.card.name} {given.role}"] = {
            "sha256": weights.card.sha256, "faces_a_set": given.faces, "rows": rows,
        }  # fmt: skip
        write_atomically(given.json, (json.dumps(results, indent=1) + "\n").encode())
        print(name, weights.card.name, given.role)
        for row, scores in rows.items():
            told = "  ".join(f"{faces} {values['nme']:.4f}" for faces, values in scores.items())
            print(f"  {row}: {told}", flush=True)


def val_sets(
    weights: WeightFile, data: Path, turned: list[Path], profiles: Path
) -> list[TrainingFaces]:
    card = weights.card
    config = TrainConfig(card.name, card.role)
    return validation_sets(
        dataclasses.replace(
            config,
            network=dataclasses.replace(config.network, points=card.markup, side=card.side),
            data=DataConfig(
                dict.fromkeys(SOURCES, 0.2), convention=card.convention, profiles=str(profiles)
            ),
        ),
        data,
        turned,
    )


def score(
    weights: WeightFile, faces: TrainingFaces, augment: AugmentConfig, count: int
) -> dict[str, float]:
    """NME in face sizes seen from the front, and how confident the network is of hidden points."""
    inner = list(load_markup(weights.card.markup).inner)
    nme, nme_inner, sure_hidden, right_hidden, sure_seen, right_seen = ([] for _ in range(6))
    for crop, hidden in crops_of(weights, faces, augment, count):
        batch = weights.run(crop.crop_rgb[None])
        side = weights.card.side
        shares = (batch.points_crop[0, :, :2] + 0.5) / side - 0.5
        error = np.linalg.norm(shares - crop.points[:, :2], axis=1) / FACE_SHARE
        known = np.ones(len(error), bool) if crop.has_depth else crop.weights > 0
        nme.append(error[known].mean())
        nme_inner.append(error[inner][known[inner]].mean())
        confidence, right = batch.confidence[0], error <= CONFIDENCE_RADIUS
        sure_hidden += confidence[hidden & known].tolist()
        right_hidden += right[hidden & known].tolist()
        sure_seen += confidence[~hidden & known].tolist()
        right_seen += right[~hidden & known].tolist()
    values = {
        "nme": nme, "nme_inner51": nme_inner,
        "confidence_hidden": sure_hidden, "within_radius_hidden": right_hidden,
        "confidence_seen": sure_seen, "within_radius_seen": right_seen,
    }  # fmt: skip
    means = {name: round(float(np.mean(each)), 5) for name, each in values.items() if each}
    return {"faces": len(nme), **means}


def crops_of(
    weights: WeightFile, faces: TrainingFaces, augment: AugmentConfig, count: int
) -> Iterator[tuple[TrainingCrop, np.ndarray]]:
    """Crops that follow from the face's number alone, and which of their points are hidden."""
    side = weights.card.side
    for index in range(0, len(faces), max(len(faces) // count, 1)):
        face = faces.load(index)
        crop = crop_as(augment, face, weights, index)
        x, y = np.round((crop.points[:, :2] + 0.5) * side - 0.5).astype(int).T
        hidden = (x < 0) | (y < 0) | (x >= side) | (y >= side)
        x, y = np.clip(x, 0, side - 1), np.clip(y, 0, side - 1)
        if augment.border_cut > 0:
            hidden |= (crop.crop_rgb[y, x] == 0).all(axis=1)
        if augment.cover_mouth > 0:
            bare = crop_as(dataclasses.replace(augment, cover_mouth=NEVER), face, weights, index)
            hidden |= (bare.crop_rgb[y, x] != crop.crop_rgb[y, x]).any(axis=1)
        yield crop, hidden


def crop_as(
    augment: AugmentConfig, face: LabelledFace, weights: WeightFile, seed: int
) -> TrainingCrop:
    """Black beyond the picture, as in use."""
    plain = dataclasses.replace(augment, backdrop=NEVER)
    markup, rng = load_markup(weights.card.markup), np.random.default_rng(seed)
    return make_crop(face, face.image_rgb, plain, markup, weights.card.side, rng)


if __name__ == "__main__":
    main()
