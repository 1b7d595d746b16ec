"""What a second look knows of points that a hand covers: maps of confidence, fitted and judged.

    python benchmarks/covered.py DATA --json benchmarks/results/covered.json fast nano

Val photos of HELEN as they are and with mouth and chin under a hand (``mien evaluate --patch``),
from the true box. Each way is a logistic map of what is known of a point; it is fitted on the
photos of one half, as they are and covered alike, and judged on the other half, and the other way
round.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from looks import MIRROR, others_than
from mien.alignment import CarefulPredictor
from mien.alignment.careful import Spread
from mien.datasets.ours.pack import read_face_pack
from mien.datasets.photo import LabelledPhoto
from mien.evaluation.confidence import reliability
from mien.evaluation.perturbation import cover
from mien.files import write_atomically
from mien.geometry import crop_from_landmarks, mirror_crop, pose_head
from mien.markup import load_markup
from mien.runtime import Landmarker, LandmarkerPair, load_landmarkers
from mien.types import Box
from provenance import command, weights_of

MEAN = load_markup(68).mean_shape
SUREST, UNIT = 1e-3, 0.01
"""Confidences keep so far from 0 and 1; face sizes between looks that begin to count."""
NEAREST = 6


@dataclass
class Known:
    """Of every point of every face, in rows of 68."""

    columns: dict[str, list[np.ndarray]] = field(default_factory=dict)

    def add(self, **values: np.ndarray) -> None:
        for name, value in values.items():
            self.columns.setdefault(name, []).append(value)

    def __getitem__(self, name: str) -> np.ndarray:
        return np.array(self.columns[name])


@dataclass(frozen=True)
class Remembering(Spread):
    """The map of ``--careful``, and what went into it."""

    told: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)

    def confidence(self, own: np.ndarray, spread: np.ndarray) -> np.ndarray:
        self.told.append((own, spread))
        return super().confidence(own, spread)


def logit(sure: np.ndarray) -> np.ndarray:
    sure = np.clip(sure, SUREST, 1 - SUREST)
    return np.log(sure / (1 - sure))


def doubt(spread: np.ndarray) -> np.ndarray:
    return np.log1p((spread / UNIT) ** 2)


WAYS: dict[str, Callable[[Known], list[np.ndarray]]] = {
    "its own": lambda one: [logit(one["own"])],
    "its own and its neighbours'": lambda one: [logit(one["own"]), logit(one["near"])],
    "its own and the mirror's": lambda one: [logit(one["own"]), logit(one["twin"])],
    "and how far the mirror's point lies": lambda one: [
        logit(one["own"]), logit(one["twin"]), doubt(one["apart"]),
    ],
    "its own and how far the small networks' points lie": lambda one: [
        logit(one["own"]), doubt(one["others"]),
    ],
    "six looks' own and how far they spread": lambda one: [
        logit(one["six"]), doubt(one["spread"]),
    ],
    "all of these": lambda one: [
        *(logit(one[name]) for name in ("own", "near", "twin")),
        *(doubt(one[name]) for name in ("apart", "others", "spread")),
    ],
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="the face pack")
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("models", nargs="+")
    given = parser.parse_args()
    results = json.loads(given.json.read_text()) if given.json.exists() else {}
    for model in given.models:
        pair = load_landmarkers(model, points=68, threads=1)
        others = others_than(model)
        known = Known()
        for photo in read_face_pack(given.data, split="val", sources=["helen"]):
            covered = cover(photo)
            look(pair, list(others.values()), photo, np.zeros(68, bool), known)
            look(pair, list(others.values()), covered.photo, covered.hidden, known)
        within = known["off"] <= pair.following.card.confidence_radius
        results[model] = {
            "networks": weights_of(model, *others),
            "command": command(),
            "photos": len(within) // 2,
            "as it ships": told(known["own"], within, known["hidden"]),
            "careful": told(known["careful"], known["careful_off"] <= 0.05, known["hidden"]),
            **{
                name: told(fitted(way(known), within), within, known["hidden"])
                for name, way in WAYS.items()
            },
        }
        write_atomically(given.json, (json.dumps(results, indent=1) + "\n").encode())
        print(model, json.dumps(results[model], indent=1), flush=True)


def look(
    pair: LandmarkerPair,
    others: list[Landmarker],
    photo: LabelledPhoto,
    hidden: np.ndarray,
    known: Known,
) -> None:
    """Everything that looks at one photo."""
    image, truth = photo.read_rgb(), photo.points_image[:, :2]
    seen = pair.align_box(image, Box.around(truth)).landmarks
    size = pose_head(truth, MEAN).scale
    following = pair.following
    crop = crop_from_landmarks(seen.points_image, MEAN, following.side)
    flipped, width = np.ascontiguousarray(image[:, ::-1]), image.shape[1]
    (mirrored,) = following.predict(flipped, [mirror_crop(crop, width, following.side)])
    twin = mirrored.landmarks.points_image[MIRROR].copy()
    twin[:, 0] = width - 1 - twin[:, 0]
    remembered = Remembering()
    (careful,) = CarefulPredictor(following, remembered).predict(image, [crop])
    ((six, spread),) = remembered.told
    small = [points_by(model, image, seen.points_image) for model in others]
    far = [np.linalg.norm((one - seen.points_image)[:, :2], axis=1) / size for one in small]
    gaps = np.linalg.norm(MEAN[:, None] - MEAN[None], axis=2)
    nearest = np.argsort(gaps, axis=1)[:, 1 : NEAREST + 1]
    known.add(
        own=seen.confidence,
        near=seen.confidence[nearest].mean(axis=1),
        twin=mirrored.landmarks.confidence[MIRROR],
        apart=np.linalg.norm((twin - seen.points_image)[:, :2], axis=1) / size,
        others=np.mean(far, axis=0),
        six=six,
        spread=spread,
        careful=careful.landmarks.confidence,
        careful_off=np.linalg.norm(careful.landmarks.points_image[:, :2] - truth, axis=1) / size,
        off=np.linalg.norm(seen.points_image[:, :2] - truth, axis=1) / size,
        hidden=hidden,
    )


def points_by(model: Landmarker, image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """What another network sees on the crop that these points align."""
    crop = crop_from_landmarks(points, MEAN, model.side)
    return model.predict(image, [crop])[0].landmarks.points_image


def fitted(columns: list[np.ndarray], within: np.ndarray) -> np.ndarray:
    """The map's confidence of every point, by a fit to the other half of the photos."""
    given = np.stack([np.ones(within.shape), *columns], axis=-1)
    half = np.arange(len(within)) // 2 % 2 == 0  # a photo and its covered twin stay together
    sure = np.empty(within.shape)
    for mine in (half, ~half):
        weights = fit(given[~mine].reshape(-1, given.shape[-1]), within[~mine].ravel())
        sure[mine] = 1 / (1 + np.exp(-given[mine] @ weights))
    return sure


def fit(given: np.ndarray, within: np.ndarray) -> np.ndarray:
    """Weights of the least log loss."""

    def loss(weights: np.ndarray) -> float:
        logits = given @ weights
        return float((np.logaddexp(0, logits) - within * logits).mean())

    start = np.zeros(given.shape[1])
    return np.asarray(minimize(loss, start, method="BFGS").x)


def told(sure: np.ndarray, within: np.ndarray, hidden: np.ndarray) -> dict[str, float]:
    """Of photos as they are (even rows) and covered ones (odd rows)."""
    plain, covered = sure[::2].ravel(), sure[1::2].ravel()
    under, right = hidden[1::2].ravel(), within[1::2].ravel()
    figures = {
        "confidence_covered": covered[under].mean(),
        "right_covered": right[under].mean(),
        "confidence_others": covered[~under].mean(),
        "right_others": right[~under].mean(),
        "calibration_error_covered_photos": reliability(covered, right).expected_error,
        "calibration_error_plain_photos": reliability(plain, within[::2].ravel()).expected_error,
    }
    return {name: round(float(value), 4) for name, value in figures.items()}


if __name__ == "__main__":
    main()
