"""Learn what a face's quality weighs, on perturbed train photos, and check it on val photos.

::

    python benchmarks/quality.py shared/data benchmarks/results/quality.json
        [--learn --film CLIPS TABLE --film ...]

A photo is covered by pieces of other photos, cut by its border, blurred, darkened, made small, or
left alone. The points are followed as a tracker would: a crop about the true ones, shifted; model
2; a crop about what it saw; model 2 again. Faces whose score ends a track are left out. The error
is the mean distance from the true points (the pack's trusted ones: clicked in helen), in
face sizes; points are moved to the clicked convention first. `--learn` fits the weights on train
photos and on films of val people (`measures.py` says how those are made), which weigh as much each,
and writes `src/mien/quality/calibration.json`; without it the shipped ones are checked.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scipy.optimize import minimize

from measures import assigned
from mien.datasets.ours.clips import read_clips
from mien.datasets.training_faces import PackFaces
from mien.evaluation.metrics import nme
from mien.geometry import crop_from_landmarks, pose_head
from mien.geometry.convention import Convention, in_convention
from mien.geometry.similarity import Similarity
from mien.quality import SIGNS, Calibration, FaceLook, features, look_at, signs_of
from mien.runtime import load_landmarkers
from mien.study import points_by_face, read_points
from mien.study import read_clips as read_table
from mien.tracking import TrackerSettings
from provenance import command, weights_of

FAR = 0.05
CAUTION = 0.016
"""Most of the train faces with a quality above 0.9 that may be far."""
FILM_CAUTION = 0.02
"""The same of faces in films."""
JUMP = -1.0
"""Weight of a jump, by hand: no photo jumps, and few of the films' frames."""
KINDS = ("plain", "covered", "covered", "cut", "blurred", "dark", "small", "mixed")
HOME = Path(__file__).parents[1] / "src" / "mien" / "quality" / "calibration.json"


def cover(
    image: np.ndarray, points: np.ndarray, other: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """One or two blobs of another photo, or of one colour, 0.3 to 1 face sizes wide."""
    size = float(np.sqrt(np.ptp(points[:, :2], axis=0).prod()))
    made = image.copy()
    for _ in range(int(rng.integers(1, 3))):
        mask = np.zeros(image.shape[:2], np.uint8)
        at = points[int(rng.integers(len(points))), :2] + rng.normal(0, 0.1 * size, 2)
        axes = rng.uniform(0.15, 0.5, 2) * size
        angle = float(rng.uniform(0, 180))
        centre, half = tuple(int(v) for v in at), tuple(max(2, int(v)) for v in axes)
        if rng.random() < 0.5:
            cv2.ellipse(mask, centre, half, angle, 0, 360, 255, -1)
        else:
            box = cv2.boxPoints((centre, (2 * half[0], 2 * half[1]), angle))
            cv2.fillConvexPoly(mask, box.astype(np.int32), 255)
        # Upside down and moved: another face at the very place would be a face, no cover.
        fill = cv2.resize(other[::-1], image.shape[1::-1])
        fill = np.roll(fill, tuple(int(v) for v in rng.integers(30, 200, 2)), axis=(0, 1))
        if rng.random() < 0.4:
            fill = np.broadcast_to(rng.integers(0, 256, 3).astype(np.uint8), image.shape)
        weight = cv2.blur(mask, (5, 5))[..., None] / 255
        made = (made * (1 - weight) + fill * weight).astype(np.uint8)
    return made


def perturbed(
    image: np.ndarray, points: np.ndarray, other: np.ndarray, kind: str, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    size = float(np.sqrt(np.ptp(points[:, :2], axis=0).prod()))
    points = points.copy()
    parts = [kind] if kind != "mixed" else list(rng.permutation(KINDS[1:-1])[:2])
    for part in parts:
        if part == "covered":
            image = cover(image, points, other, rng)
        if part == "blurred":
            width = size * rng.uniform(0.01, 0.14)
            if rng.random() < 0.5:
                image = cv2.GaussianBlur(image, (0, 0), max(width / 2, 0.3))
            else:
                length = max(3, int(2 * width) | 1)
                kernel = np.zeros((length, length), np.float32)
                kernel[length // 2] = 1 / length
                turn = cv2.getRotationMatrix2D((length // 2, length // 2), rng.uniform(0, 180), 1)
                kernel = cv2.warpAffine(kernel, turn, (length, length))
                image = cv2.filter2D(image, -1, kernel / max(kernel.sum(), 1e-6))
        if part == "dark":
            dim = image * rng.uniform(0.01, 0.35) + rng.normal(0, rng.uniform(0, 6), image.shape)
            image = np.clip(dim, 0, 255).astype(np.uint8)
        if part == "small":
            scale = rng.uniform(8, 45) / size
            width, height = (max(16, round(side * scale)) for side in image.shape[1::-1])
            image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
            points *= scale
            size *= scale
    if "cut" in parts:
        share, side = rng.uniform(0.1, 0.65), int(rng.integers(4))
        low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
        at = low + share * (high - low), high - share * (high - low)
        if side < 2:
            first = max(0, int(at[0][side]))
            image = image[:, first:] if side == 0 else image[first:]
            points[:, side] -= first
        else:
            last = int(at[1][side - 2])
            image = image[:, :last] if side == 2 else image[:last]
    return np.ascontiguousarray(image), points


def collect(root: Path, split: str, most: int, model: str, seed: int) -> list[dict[str, Any]]:
    pair = load_landmarkers(model, points=68, threads=1)
    own = Convention(pair.following.card.convention)
    mean, end_score = pair.following.mean_shape, TrackerSettings().end_score
    rng = np.random.default_rng(seed)
    found: list[dict[str, Any]] = []
    for source in ("helen", "mebeauty"):
        faces = PackFaces(root, split=split, source=source)
        for index in rng.permutation(len(faces))[:most].tolist():
            face = faces.load(index)
            other = faces.load(int(rng.integers(len(faces)))).image_rgb
            kinds = KINDS if split == "val" else rng.choice(KINDS, 3, replace=False)
            for kind in kinds:
                image, truth = perturbed(face.image_rgb, face.points, other, str(kind), rng)
                if min(image.shape[:2]) < 16:
                    continue
                told = follow(pair, image, truth, own, mean, face.trusted, rng)
                if told is not None and told["score"] >= end_score:
                    found.append({"kind": str(kind), "source": source, **told})
    return found


def follow(
    pair: Any, image: np.ndarray, truth: np.ndarray, own: Convention, mean: np.ndarray,
    trusted: np.ndarray, rng: np.random.Generator,
) -> dict[str, Any] | None:  # fmt: skip
    place = crop_from_landmarks(truth, mean, pair.following.side)
    size = float(np.sqrt(np.ptp(truth[:, :2], axis=0).prod()))
    shift = rng.normal(0, 0.04 * size, 2)
    place = Similarity(
        place.scale * float(np.exp(rng.normal(0, 0.05))),
        place.angle_rad + float(rng.normal(0, 0.05)),
        (place.translation[0] + shift[0], place.translation[1] + shift[1]),
    )
    try:
        seen = pair.align_crop(image, place)
        again = crop_from_landmarks(seen.landmarks.points_image, mean, pair.following.side)
        seen = pair.align_crop(image, again)
        points = seen.landmarks.points_image
        yaw = pose_head(points, mean).pose.yaw_deg
        look = look_at(image, points)
    except ValueError:
        return None
    clicked = in_convention(points, own, Convention.CLICKED)
    off = np.linalg.norm(clicked[:, :2] - truth[:, :2], axis=1)[trusted].mean() / size
    return {
        "error": float(off),
        "score": seen.score,
        "confidence": seen.landmarks.confidence,
        "look": np.array([look.size_px, look.outside.mean(), look.light, look.sharpness, yaw]),
    }


def weighed(faces: list[dict[str, Any]]) -> np.ndarray:
    """Features of each, as the library makes them."""
    rows = []
    for one in faces:
        size_px, outside, light, sharpness, yaw = one["look"].tolist()
        look = FaceLook(size_px, np.array([outside]), light, sharpness)
        signs = signs_of(look, one["confidence"], yaw, 0.0)
        rows.append(features(signs, one["confidence"], one["score"]))
    return np.array(rows)


def kept(path: Path, faces: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """Write what was collected, or read it."""
    if faces is not None:
        np.savez(path, **{name: np.array([one[name] for one in faces]) for name in faces[0]})
        return faces
    with np.load(path) as data:
        columns = {name: data[name] for name in data.files}
    return [
        {name: values[row] for name, values in columns.items()}
        for row in range(len(columns["error"]))
    ]


def film_faces(clips: Path, table: Path) -> tuple[np.ndarray, np.ndarray]:
    """Features and errors of every face and frame of made clips, from a study with its points."""
    model = json.loads(table.with_name("run.json").read_text())["model"]["name"]
    own = Convention(load_landmarkers(model, points=68).following.card.convention)
    labelled = {clip.name: clip for clip in read_clips(clips)}
    values, errors = list[np.ndarray](), list[float]()
    for rows, (name, columns) in zip(read_table(table), read_points(table), strict=True):
        points, clip = points_by_face(columns), labelled[name]
        sure = np.stack([columns[f"c_{point}"] for point in range(68)], axis=1)
        signs = np.stack([columns[f"sign_{sign}"] for sign in SIGNS], axis=1)
        order = np.argsort(columns["frame"], kind="stable")
        for (face, frame), row in assigned(rows, clip).items():
            at = order[row]
            values.append(features(signs[at], sure[at], float(columns["score"][at])))
            moved = in_convention(
                points[frame, int(columns["track_id"][at])], own, Convention.CLICKED
            )
            errors.append(nme(moved, clip.points_image[face, frame]))
    return np.array(values), np.array(errors)


def learn(faces: list[dict[str, Any]], films: list[tuple[np.ndarray, np.ndarray]]) -> Calibration:
    """Logistic regression; every sign may only speak against a face, certainty only for it.

    The score weighs nothing: in films it tells little, and there it had made most of the low
    qualities of faces that are right.
    """
    sets = [(weighed(faces), np.array([one["error"] for one in faces]) <= FAR, CAUTION)]
    sets += [(values, errors <= FAR, FILM_CAUTION) for values, errors in films]
    values = np.concatenate([one[0] for one in sets])
    good = np.concatenate([one[1] for one in sets]).astype(float)
    share = np.concatenate([np.full(len(one[1]), 1 / len(one[1]) / len(sets)) for one in sets])

    def loss(weights: np.ndarray) -> float:
        odds = weights[0] + values @ weights[1:]
        fit = (share * (np.logaddexp(0, odds) - good * odds)).sum()
        return float(fit + 1e-3 * (weights[1:] ** 2).sum())

    bounds = [(None, None), *[(None, 0)] * len(SIGNS), (0, None), (0, None), (0, 0)]
    start = np.zeros(values.shape[1] + 1)
    best = minimize(loss, start, bounds=bounds, method="L-BFGS-B").x
    best[1 + SIGNS.index("jumped")] = JUMP
    # Rather too careful than too trusting: few that look good may be far.
    while True:
        cautious = Calibration(float(best[0]), best[1:])
        high = [cautious.quality(one[0]) > 0.9 for one in sets]
        if all(1 - one[1][h].mean() <= one[2] for one, h in zip(sets, high, strict=True)):
            return cautious
        best[0] -= 0.05


def check(faces: list[dict[str, Any]], calibration: Calibration) -> dict[str, Any]:
    quality = calibration.quality(weighed(faces))
    far = np.array([one["error"] > FAR for one in faces])
    low, high = quality < 0.5, quality > 0.9
    kinds = np.array([one["kind"] for one in faces])
    return {
        "faces": len(faces),
        "far": int(far.sum()),
        "below_0.5": int(low.sum()),
        "below_0.5_far_share": round(float(far[low].mean()), 4) if low.any() else None,
        "above_0.9": int(high.sum()),
        "above_0.9_far_share": round(float(far[high].mean()), 4) if high.any() else None,
        "mean_quality_by_kind": {
            kind: round(float(quality[kinds == kind].mean()), 3) for kind in sorted(set(kinds))
        },
        "far_share_by_kind": {
            kind: round(float(far[kinds == kind].mean()), 3) for kind in sorted(set(kinds))
        },
        "bins": {
            f"{edge:.1f}": [
                int(inside.sum()),
                round(float(far[inside].mean()), 3) if inside.any() else None,
            ]
            for edge in np.arange(0, 1, 0.1)
            for inside in [(quality >= edge) & (quality < edge + 0.1)]
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faces", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--learn", action="store_true")
    parser.add_argument("--model", default="fast")
    parser.add_argument("--train", type=int, default=150, help="Photos of each train source.")
    parser.add_argument("--val", type=int, default=60, help="Photos of each val source.")
    parser.add_argument("--keep", type=Path, help="Folder of what was collected; read if there.")
    parser.add_argument("--film", type=Path, nargs=2, action="append", default=[])
    given = parser.parse_args()

    def gathered(split: str, most: int, seed: int) -> list[dict[str, Any]]:
        place = given.keep / f"{given.model}-{split}.npz" if given.keep else None
        if place is not None and place.is_file():
            return kept(place, None)
        if place is not None:  # a folder that cannot be made is known before the long work
            place.parent.mkdir(parents=True, exist_ok=True)
        faces = collect(given.faces, split, most, given.model, seed)
        return kept(place, faces) if place is not None else faces

    told: dict[str, Any] = {"command": command()}
    told |= {"model": given.model, "networks": weights_of(given.model)}
    if given.learn:
        train = gathered("train", given.train, 0)
        learned = learn(train, [film_faces(clips, table) for clips, table in given.film])
        weights = [round(float(one), 4) for one in learned.weights]
        HOME.write_text(
            json.dumps(
                {
                    "bias": round(learned.bias, 4),
                    "weights": weights,
                    "signs": SIGNS,
                    "networks": weights_of(given.model),
                }
            )
            + "\n"
        )
        told["train"] = check(train, learned)
    calibration = json.loads(HOME.read_text())
    shipped = Calibration(calibration["bias"], np.array(calibration["weights"]))
    val = gathered("val", given.val, 1)
    told |= {"weights": calibration, "val": check(val, shipped)}
    given.out.write_text(json.dumps(told, indent=1) + "\n")
    print(json.dumps(told["val"], indent=1))


if __name__ == "__main__":
    main()
