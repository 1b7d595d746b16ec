"""Confidence of faces that the picture's border cuts: fit the map of ``runtime/border.py``.

    python benchmarks/border_confidence.py DATA --photos 80 --models nano fast
    python benchmarks/border_confidence.py DATA --photos 80 --models pico

Train photos of HELEN are cut at a side, so that up to half of the face lies outside; the network
looks from a rough box of what is left. A logistic map of its confidence is fitted to whether each
point lies within 0.05 of the truth; its features are zero where the face lies in the picture whole.
What it fits is to be fitted anew with every new weight file, and is written into
``src/mien/runtime/border.json``, beside what was fitted to other models; ``val`` photos, cut alike,
judge it.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize

from mien.datasets.ours.pack import read_face_pack
from mien.datasets.ours.pack_labels import load_pack_labels
from mien.datasets.photo import LabelledPhoto
from mien.evaluation.perturbation import cut_sideways
from mien.geometry import crop_from_box, crop_from_landmarks, pose_head
from mien.markup import load_markup
from mien.runtime import LandmarkerPair, landmarker, load_landmarkers
from mien.runtime.border import border_features, recalibrated
from mien.types import Box
from provenance import weights_of

RESULT = Path(__file__).parent / "results" / "border_confidence.json"
HOME = Path(__file__).parents[1] / "src" / "mien" / "runtime" / "border.json"
RADIUS = 0.05


def labelled(data: Path, split: str, *, by_mesh: bool) -> list[LabelledPhoto]:
    """Photos with clicked points, or with the labels of a pack that nobody clicked."""
    if not by_mesh:
        return list(read_face_pack(data, split=split, sources=["helen"]))
    labels = load_pack_labels(data)
    return [
        LabelledPhoto(labels.path[row], data / "faces" / labels.path[row], labels.points[row])
        for row in range(len(labels))
        if labels.split[row] == split and labels.trusted[row].all()
    ]


def gather(data: Path, model: str, split: str, count: int) -> tuple[np.ndarray, ...]:
    """Confidences, features and whether within the radius, of the points of cut photos."""
    pair = load_landmarkers(model, points=68, threads=1)
    # The further looks from beyond the border have a fit of their own, made after this one.
    pair = replace(pair, starts=replace(pair.starts, border=False))
    photos = labelled(data, split, by_mesh=False)
    return gathered(pair, photos, count, as_asked=False)


def gathered(
    pair: LandmarkerPair, photos: list[LabelledPhoto], count: int, *, as_asked: bool
) -> tuple[np.ndarray, ...]:
    """As :func:`gather`, of an open model and any photos."""
    rng, mean = np.random.default_rng(7), load_markup(68).mean_shape
    sure, features, within = [], [], []
    for row in rng.permutation(len(photos))[:count]:
        share, at_left = float(rng.uniform(0.05, 0.5)), bool(rng.random() < 0.5)
        picture, truth = cut(photos[row], share, at_left=at_left, as_asked=as_asked)
        truth = truth[:, :2]
        box = Box.around(truth)
        rough = Box(max(box.left, 0), box.top, min(box.right, picture.shape[1] - 1), box.bottom)
        (seen,) = pair.refine(picture, [crop_from_box(rough, pair.first.side)])
        points = seen.landmarks.points_image
        place = crop_from_landmarks(points, mean, pair.following.side)
        size = picture.shape[1], picture.shape[0]
        sure.append(seen.landmarks.confidence)
        features.append(border_features(points, place, pair.following.side, size))
        off = np.linalg.norm(points[:, :2] - truth, axis=1) / pose_head(truth, mean).scale
        within.append(off <= RADIUS)
    return np.concatenate(sure), np.concatenate(features), np.concatenate(within)


def cut(
    photo: LabelledPhoto, share: float, *, at_left: bool, as_asked: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """The photo and its points. Unless ``as_asked``, as the maps of `nano`, `fast` and `pico` were
    fitted: the cut lies half a pixel further left than where `mien evaluate --cut` has it. With new
    weights, ask for ``share`` itself."""
    if not as_asked:
        half_px = 0.5 / Box.around(photo.points_image).width
        share += -half_px if at_left else half_px
    seen = cut_sideways(photo, share, at_left=at_left).photo
    return seen.read_rgb(), seen.points_image


def calibration_error(confidence: np.ndarray, within: np.ndarray) -> float:
    """Expected calibration error of ten bins."""
    place = np.minimum((confidence * 10).astype(int), 9)
    claimed, true = (np.bincount(place, one, minlength=10) for one in (confidence, within))
    return float(np.abs(claimed - true).sum() / len(confidence))


def fit(sets: list[tuple[np.ndarray, ...]]) -> np.ndarray:
    """The weights of least cross entropy; every model counts alike."""
    sure, features, within = (np.concatenate(column) for column in zip(*sets, strict=True))
    share = np.concatenate([np.full(len(one[0]), 1 / len(one[0])) for one in sets])

    def loss(weights: np.ndarray) -> float:
        p = np.clip(recalibrated(sure, features, weights), 1e-5, 1 - 1e-5)
        entropy = -(within * np.log(p) + (~within) * np.log(1 - p))
        return float((share * entropy).sum() / share.sum() + 1e-3 * np.square(weights).sum())

    best = minimize(loss, np.zeros(5), method="Nelder-Mead", options={"maxiter": 1500})
    return np.asarray(best.x)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--models", nargs="+", default=["nano", "fast"])
    parser.add_argument("--photos", type=int, default=80)
    options = parser.parse_args()
    landmarker.recalibrated = lambda confidence, *_: confidence  # what the network says
    train = {name: gather(options.data, name, "train", options.photos) for name in options.models}
    shipped = json.loads(HOME.read_text(encoding="utf-8"))
    figures: dict[str, Any] = json.loads(RESULT.read_text(encoding="utf-8"))
    for name, one in train.items():
        weights = fit([one])
        others = [entry["networks"].values() for other, entry in shipped.items() if other != name]
        networks = {  # model 1 of pico is nano's, and has nano's map
            file: sha256
            for file, sha256 in weights_of(name).items()
            if not any(sha256 in hashes for hashes in others)
        }
        shipped[name] = {"of": "look", "weights": weights.round(3).tolist(), "networks": networks}
        figures["weights"][name] = weights.round(3).tolist()
        figures["networks"] |= networks
    if len(train) > 1:
        figures["weights"]["other"] = fit(list(train.values())).round(3).tolist()
    for name in options.models:
        val = gather(options.data, name, "val", 39)
        for split, gathered in (("train", train[name]), ("val", val)):
            figures[f"{name}_{split}"] = judged(gathered, figures["weights"], name)
    words = f"python benchmarks/border_confidence.py DATA --photos {options.photos}"
    figures["commands"] |= dict.fromkeys(
        options.models, f"{words} --models {' '.join(options.models)}"
    )
    HOME.write_text(json.dumps(shipped, indent=1) + "\n", encoding="utf-8")
    RESULT.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=1))


def judged(
    gathered: tuple[np.ndarray, ...], weights: dict[str, list[float]], name: str
) -> dict[str, float]:
    """What the calibration error is before the map, after it, and after that of all models."""
    sure, features, within = gathered
    after, by_other = (recalibrated(sure, features, weights[one]) for one in (name, "other"))
    return {
        "points": len(sure),
        "calibration_error_before": round(calibration_error(sure, within), 4),
        "calibration_error": round(calibration_error(after, within), 4),
        "calibration_error_by_other": round(calibration_error(by_other, within), 4),
    }


if __name__ == "__main__":
    main()
