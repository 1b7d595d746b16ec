"""Confidence of weights for any use where the border cuts a face: fit the map of their answers.

    python benchmarks/border_answers.py PACK --model nano-free --clicked DATA

Their map may not be fitted to what people clicked. ``PACK``, of ``mien data mesh``, holds photos
that permit any use, and labels by MediaPipe's mesh and the ICT head, where such networks learn to
put points. The photos are cut at a side by 5 to 50 % of the face; the networks look from a rough
box of what is left, from beyond the border too, and once more at the crop of that answer, as in a
film's next frame. A logistic map of both answers' confidences is fitted to train photos and written
into ``src/mien/runtime/border.json``, beside other models'; val photos, cut alike, judge it, and
HELEN's, whose clicked points (``DATA``) lie elsewhere on the head.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from border_confidence import HOME, RADIUS, calibration_error, cut, fit, labelled
from border_looks import WELL
from mien.datasets.photo import LabelledPhoto
from mien.files import write_atomically
from mien.geometry import crop_from_box, crop_from_landmarks, pose_head
from mien.markup import load_markup
from mien.runtime import LandmarkerPair, landmarker, load_landmarkers
from mien.runtime.border import BorderMap, border_features, recalibrated
from mien.types import Box, Prediction
from provenance import command, weights_of

RESULT = Path(__file__).parent / "results" / "border_answers.json"
MEAN = load_markup(68).mean_shape
FIRST, NEXT = "first frame", "next frame"
AS_IT_SAYS = (0.0,) * 5
"""Weights of a map that leaves confidences as they are."""


@dataclass
class Answers:
    """Of cut photos: each point's confidence, features and whether it is within the radius, in the
    first frame and the next; each face's score and error in the first."""

    points: dict[str, list[tuple[np.ndarray, np.ndarray, np.ndarray]]]
    score: list[float]
    nme: list[float]

    def of(self, *frames: str) -> tuple[np.ndarray, ...]:
        """The points of these frames, as ``border_confidence.fit`` takes them."""
        rows = [row for frame in frames for row in self.points[frame]]
        return tuple(np.concatenate(column) for column in zip(*rows, strict=True))


def opened(model: str) -> LandmarkerPair:
    """The model, whose answers say what its networks say."""
    landmarker.border_map = lambda sha256: BorderMap(AS_IT_SAYS, {}, "answer")
    return load_landmarkers(model, points=68, threads=1)


def gather(pair: LandmarkerPair, photos: Sequence[LabelledPhoto], count: int) -> Answers:
    """What the networks answer of so many cut photos."""
    rng, answers = np.random.default_rng(7), Answers({FIRST: [], NEXT: []}, [], [])
    for row in rng.permutation(len(photos))[:count]:
        share, at_left = float(rng.uniform(0.05, 0.5)), bool(rng.random() < 0.5)
        picture, truth = cut(photos[row], share, at_left=at_left, as_asked=True)
        truth, (height, width) = truth[:, :2], picture.shape[:2]
        box = Box.around(truth)
        rough = Box(max(box.left, 0), box.top, min(box.right, width - 1), box.bottom)
        (seen,) = pair.refine(picture, [crop_from_box(rough, pair.first.side)])
        place = crop_from_landmarks(seen.landmarks.points_image, MEAN, pair.following.side)
        for frame, answer in ((FIRST, seen), (NEXT, pair.align_crop(picture, place))):
            off = np.linalg.norm(answer.landmarks.points_image[:, :2] - truth, axis=1)
            told = features_of(answer, pair.following.side, (width, height))
            within = off / pose_head(truth, MEAN).scale <= RADIUS
            answers.points[frame].append((answer.landmarks.confidence, told, within))
            if frame == FIRST:
                answers.score.append(seen.score)
                answers.nme.append(float(off.mean()) / float(np.sqrt(box.width * box.height)))
    return answers


def features_of(answer: Prediction, side: int, size: tuple[int, int]) -> np.ndarray:
    """As the judge of answers asks them."""
    points = answer.landmarks.points_image
    return border_features(points, crop_from_landmarks(points, MEAN, side), side, size)


def judged(answers: Answers, weights: np.ndarray) -> dict[str, Any]:
    """What confidences claim and what is so, without the map and with it."""
    told: dict[str, Any] = {"photos": len(answers.score)}
    for frame in (FIRST, NEXT):
        sure, features, within = answers.of(frame)
        after = recalibrated(sure, features, weights.tolist())
        told[frame] = {
            "within": round(float(within.mean()), 4),
            "claimed_without_map": round(float(sure.mean()), 4),
            "claimed": round(float(after.mean()), 4),
            "calibration_error_without_map": round(calibration_error(sure, within), 4),
            "calibration_error": round(calibration_error(after, within), 4),
        }
    well = np.array(answers.nme) <= WELL
    told["score"] = {
        "aligned_well": round(float(well.mean()), 4),
        "claimed": round(float(np.mean(answers.score)), 4),
        "calibration_error": round(calibration_error(np.array(answers.score), well), 4),
    }
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--photos", type=int, default=240)
    parser.add_argument("--clicked", type=Path, help="to judge it against clicked points too")
    given = parser.parse_args()
    pair = opened(given.model)
    train = gather(pair, labelled(given.pack, "train", by_mesh=True), given.photos)
    weights = fit([train.of(FIRST, NEXT)]).round(3)
    sets = {"train": train}
    held_out = {"val": labelled(given.pack, "val", by_mesh=True)}
    if given.clicked is not None:
        held_out["helen val, clicked"] = labelled(given.clicked, "val", by_mesh=False)
    sets |= {name: gather(pair, photos, len(photos)) for name, photos in held_out.items()}
    shipped = json.loads(HOME.read_text(encoding="utf-8"))
    others = {
        sha256
        for name, entry in shipped.items()
        if name != given.model
        for sha256 in entry["networks"].values()
    }
    networks = weights_of(given.model)
    own = {file: sha256 for file, sha256 in networks.items() if sha256 not in others}
    shipped[given.model] = {"of": "answer", "weights": weights.tolist(), "networks": own}
    results = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}
    results[given.model] = {
        "command": command(),
        "networks": networks,
        "weights": weights.tolist(),
        **{name: judged(answers, weights) for name, answers in sets.items()},
    }
    for place, told in ((HOME, shipped), (RESULT, results)):
        write_atomically(place, (json.dumps(told, indent=1) + "\n").encode())
    print(json.dumps(results[given.model], indent=1))


if __name__ == "__main__":
    main()
