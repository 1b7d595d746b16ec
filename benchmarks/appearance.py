"""How a face looks: learn ``tracking/appearance.npz``, and measure what it can tell.

Learned on YouTube-Faces frames of train persons, measured on val persons, whom it never saw:

    python benchmarks/appearance.py /path/to/data --write src/mien/tracking/appearance.npz

writes the map and ``benchmarks/results/appearance.json``; without ``--write`` it measures what
ships. Landmarks are those of ``nano`` from a box that is a little off, as a tracker has them.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

import cv2
import numpy as np

from mien.geometry import crop_from_box
from mien.runtime import load_landmarkers
from mien.tracking.appearance import (
    Appearance,
    cut_face,
    describe_crop,
    is_clear,
    load_appearance,
)
from mien.tracking.settings import TrackerSettings
from mien.types import Box

RESULT = Path(__file__).parent / "results" / "appearance.json"
NAME = re.compile(r"ytf/([a-z]?)_?(.*)_(\d)(\d)\.jpg")
COMPONENTS, NUMBERS, RIDGE = 300, 48, 0.1


def read_faces(data: Path, split: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Crops, person and video of the frames of a split."""
    labels = np.load(data / "faces.npz")
    pair = load_landmarkers("nano", points=68, threads=1)
    crops, people, videos = [], [], []
    rows = np.flatnonzero((labels["source"] == "ytf") & (labels["split"] == split))
    for row in rows:
        path = str(labels["path"][row])
        image = np.ascontiguousarray(cv2.imread(str(data / "faces" / path))[..., ::-1])
        rng = np.random.default_rng(row)
        middle, half = (image.shape[0] - 1) / 2, image.shape[0] / 4.4 * np.exp(rng.normal(0, 0.08))
        x, y = middle + rng.normal(0, 0.1 * half, 2)
        rough = Box(x - half, y - half, x + half, y + half)
        (seen,) = pair.refine(image, [crop_from_box(rough, pair.first.side)])
        if seen.score < 0.5:
            continue
        crops.append(cut_face(image, seen.landmarks.points_image))
        take, person, video, _ = NAME.fullmatch(path).groups()  # type: ignore[union-attr]
        people.append(person)
        videos.append(take + video)
    return np.array(crops), np.array(people), np.array(videos)


def learn(crops: np.ndarray, people: np.ndarray) -> Appearance:
    """Principal components, then linear discriminants; each frame counts mirrored too."""
    both = np.concatenate([crops, crops[:, :, ::-1]])
    described = np.array([describe_crop(np.ascontiguousarray(crop)) for crop in both], np.float64)
    mean = described.mean(axis=0)
    off = described - mean
    axes = np.linalg.eigh(off.T @ off / len(off))[1][:, ::-1][:, :COMPONENTS]
    place = off @ axes
    _, person = np.unique(np.concatenate([people, people]), return_inverse=True)
    centres = np.zeros((person.max() + 1, COMPONENTS))
    np.add.at(centres, person, place)
    centres /= np.bincount(person)[:, None]
    within = place - centres[person]
    scatter = within.T @ within / len(within)
    scatter += RIDGE * np.trace(scatter) / COMPONENTS * np.eye(COMPONENTS)
    size, turn = np.linalg.eigh(scatter)
    whiten = turn / np.sqrt(size)
    between = centres @ whiten
    between -= between.mean(axis=0)
    best = np.linalg.eigh(between.T @ between)[1][:, ::-1][:, :NUMBERS]
    weights = (axes @ whiten @ best).T
    return Appearance(mean, weights / np.abs(weights).max())


def measure(
    appearance: Appearance, crops: np.ndarray, people: np.ndarray, videos: np.ndarray
) -> dict[str, object]:
    """Error rates over all pairs of frames; unclear ones are left out, as the tracker does."""
    clear = np.array([is_clear(crop) for crop in crops])
    crops, people, videos = crops[clear], people[clear], videos[clear]
    if len(crops) < 2:
        return {"clear": float(clear.mean())}
    numbers = (np.array([describe_crop(crop) for crop in crops]) - appearance.mean) @ (
        appearance.weights.T
    )
    small = [
        cv2.resize(crop, (24, 24), interpolation=cv2.INTER_AREA).mean(axis=2) for crop in crops
    ]
    glances = np.array([(one - one.mean()).ravel() for one in small])
    for vectors in (numbers, glances):
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    likeness, resemblance = numbers @ numbers.T, numbers @ numbers.T + 0.5 * glances @ glances.T
    once = np.triu(np.ones_like(likeness, bool), 1)
    same = people[:, None] == people
    same_video = same & (videos[:, None] == videos)
    least = TrackerSettings().same_likeness
    figures: dict[str, object] = {"clear": round(float(clear.mean()), 4)}
    for name, pairs in (("same_video", same_video), ("other_video", same & ~same_video)):
        if (once & pairs).any():
            rate = equal_error(likeness[once & pairs], likeness[once & ~same])
            figures[f"equal_error_rate_{name}"] = round(rate, 4)
            recalled = float((resemblance[once & pairs] >= least).mean())
            figures[f"recalled_{name}"] = round(recalled, 4)
    figures["taken_for_another"] = round(float((resemblance[once & ~same] >= least).mean()), 5)
    return figures


def equal_error(alike: np.ndarray, others: np.ndarray) -> float:
    """The rate at which as many pairs of one person are refused as pairs of two are accepted."""
    bounds = np.sort(np.concatenate([alike, others]))
    refused = np.searchsorted(np.sort(alike), bounds) / len(alike)
    accepted = 1 - np.searchsorted(np.sort(others), bounds) / len(others)
    at = int(np.argmin(np.abs(refused - accepted)))
    return float(refused[at] + accepted[at]) / 2


def degraded(crops: np.ndarray, gain: float, blur: float) -> np.ndarray:
    """Dark, noisy, out of focus."""
    rng = np.random.default_rng(0)
    soft = [cv2.GaussianBlur(crop, (0, 0), blur) if blur else crop for crop in crops]
    noisy = [crop * gain + 8 * (gain < 1) + rng.normal(0, 1, crop.shape) for crop in soft]
    return np.clip(np.array(noisy), 0, 255).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    val, people, videos = read_faces(options.data, "val")
    if options.write:
        train, train_people, _ = read_faces(options.data, "train")
        learned = learn(train, train_people)
        half = {
            "mean": learned.mean.astype(np.float16),
            "weights": learned.weights.astype(np.float16),
        }
        np.savez_compressed(options.write, **half)
    load_appearance.cache_clear()
    appearance = load_appearance()
    figures = {
        "command": "python benchmarks/appearance.py DATA",
        "learned_on": "YouTube-Faces frames, train persons",
        "measured_on": f"{len(val)} YouTube-Faces frames of {len(set(people))} val persons",
        "as_is": measure(appearance, val, people, videos),
        "quarter_of_the_light": measure(appearance, degraded(val, 0.25, 0), people, videos),
        "blurred_2px": measure(appearance, degraded(val, 1, 2), people, videos),
        "blurred_4px": measure(appearance, degraded(val, 1, 4), people, videos),
        "dark_and_blurred": measure(appearance, degraded(val, 0.15, 2), people, videos),
    }
    RESULT.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
