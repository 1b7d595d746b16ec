"""Confidence of faces that the border cuts, looked at from outside too: fit, and judge.

    python benchmarks/border_looks.py DATA --json benchmarks/results/border_looks.json

Val photos of HELEN, which no network has learned from, are cut at a side, so that 30 % of the face
lies outside, and go the user's way: CenterFace, both models, the further looks of
``mien.alignment.border``. Three weights of the averaged confidences are fitted to whether points
lie within the radius, both models alike; they are judged on each half of the photos by a fit to the
other. The score is judged by whether the face is aligned well: a mean error of 0.07 of its box at
most. What is fitted is written by hand into ``src/mien/alignment/border.py``; it must be fitted
anew with new weights or a new ``border.json``.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from border_confidence import RADIUS, calibration_error, cut
from mien.alignment import border
from mien.datasets.ours.pack import read_face_pack
from mien.files import write_atomically
from mien.geometry import crop_from_detection, pose_head
from mien.markup import load_markup
from mien.runtime import load_landmarkers
from mien.runtime.detectors import CenterFace
from mien.types import Box, Frame
from provenance import weights_of

MEAN = load_markup(68).mean_shape
SHARE = 0.3
WELL = 0.07
MODELS = ("nano", "fast")


@dataclass(frozen=True)
class Gathered:
    """Of cut photos: each point's averaged confidence, whether it is within the radius and whether
    beyond the border; each face's score, error and how far its yaw is off."""

    sure: np.ndarray
    within: np.ndarray
    beyond: np.ndarray
    score: np.ndarray
    nme: np.ndarray
    yaw_off_deg: np.ndarray


def gather(data: Path, model: str) -> Gathered:
    detector = CenterFace(threads=1)
    pair = load_landmarkers(model, points=68, threads=1)
    kept: dict[str, list[np.ndarray | float]] = {
        name: [] for name in ("sure", "within", "beyond", "score", "nme", "yaw")
    }
    for number, photo in enumerate(read_face_pack(data, split="val", sources=["helen"])):
        picture, truth = cut(photo, SHARE, at_left=number % 4 < 2)
        seen_box = Box.around(np.clip(truth, 0, [picture.shape[1] - 1, picture.shape[0] - 1]))
        found = detector.find(Frame(picture, 0, 0.0))
        best = max(found, key=lambda one: one.box.iou(seen_box), default=None)
        if best is None or best.box.iou(seen_box) < 0.1:
            continue
        (seen,) = pair.refine(picture, [crop_from_detection(best, pair.first.side)])
        points = seen.landmarks.points_image
        size = picture.shape[1], picture.shape[0]
        if border.cut_direction(points, size) is None:
            continue
        kept["beyond"].append(~border._inside(points, size))
        head, box = pose_head(truth, MEAN), Box.around(truth)
        off = np.linalg.norm(points[:, :2] - truth, axis=1)
        kept["sure"].append(seen.landmarks.confidence)
        kept["within"].append(off / head.scale <= RADIUS)
        kept["score"].append(seen.score)
        kept["nme"].append(float(off.mean()) / float(np.sqrt(box.width * box.height)))
        yaw = pose_head(points[:, :2], MEAN).pose.yaw_deg
        kept["yaw"].append(abs(yaw - head.pose.yaw_deg))
    return Gathered(
        *(np.concatenate(kept[name]) for name in ("sure", "within", "beyond")),
        np.array(kept["score"]), np.array(kept["nme"]), np.array(kept["yaw"]),
    )  # fmt: skip


def half_of(points: Gathered, number: int) -> Gathered:
    """The points of every second face; the rest is left."""
    chosen = (np.arange(len(points.sure)) // 68) % 2 == number
    told = (points.sure[chosen], points.within[chosen], points.beyond[chosen])
    return Gathered(*told, points.score, points.nme, points.yaw_off_deg)


def worth(points: Gathered, weights: np.ndarray) -> np.ndarray:
    sure = np.clip(points.sure, 1e-3, 1 - 1e-3)
    logit = weights[0] + weights[1] * np.log(sure / (1 - sure)) + weights[2] * points.beyond
    return np.asarray(1 / (1 + np.exp(-logit)))


def fit(sets: list[Gathered]) -> np.ndarray:
    """The weights of least cross entropy; every model counts alike."""

    def loss(weights: np.ndarray) -> float:
        entropy = 0.0
        for one in sets:
            p = np.clip(worth(one, weights), 1e-5, 1 - 1e-5)
            entropy -= float(np.where(one.within, np.log(p), np.log(1 - p)).mean())
        return entropy

    return np.asarray(minimize(loss, np.array([0.0, 1.0, 0.0]), method="Nelder-Mead").x)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    border._worth = lambda sure, inside: sure
    held_out = {name: gather(options.data, name) for name in MODELS}
    weights = fit(list(held_out.values()))
    halves = [[half_of(one, number) for one in held_out.values()] for number in (0, 1)]
    by_others = [fit(halves[1 - number]) for number in (0, 1)]
    figures: dict[str, object] = {
        "command": "python benchmarks/border_looks.py DATA",
        "networks": weights_of(*MODELS),
        "constant": round(float(weights[0]), 2),
        "slope": round(float(weights[1]), 2),
        "beyond": round(float(weights[2]), 2),
    }
    for place, name in enumerate(MODELS):
        val, parts = held_out[name], [of_half[place] for of_half in halves]
        sure = np.concatenate([worth(*one) for one in zip(parts, by_others, strict=True)])
        within = np.concatenate([part.within for part in parts])
        aligned = val.nme <= WELL
        figures[name] = {
            "faces": len(val.score),
            "nme": round(float(val.nme.mean()), 4),
            "yaw_off_median_deg": round(float(np.median(val.yaw_off_deg)), 1),
            "calibration_error": round(calibration_error(sure, within), 4),
            "aligned_well": round(float(aligned.mean()), 4),
            "score": round(float(val.score.mean()), 4),
            "score_calibration_error": round(calibration_error(val.score, aligned), 4),
        }
    write_atomically(options.json, (json.dumps(figures, indent=1) + "\n").encode())
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
