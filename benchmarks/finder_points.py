"""How well landmarks lie that begin at a detection, on val: part of ``benchmarks/finder.py``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from mien.datasets.training_faces import PackFaces
from mien.errors import DataError
from mien.evaluation.sets import Format, read_photo_set
from mien.geometry import crop_from_detection
from mien.runtime import load_landmarkers
from mien.types import Detection, FaceFinder, Frame

PACK_SOURCES = ("helen", "afw", "mebeauty")
MODELS = ("nano", "fast")
BAD = 0.07
"""Mean error of a face, in face sizes, above which its points are of no use."""


def points_from(
    detectors: Mapping[str, tuple[FaceFinder, float]], root: Path, most: int
) -> dict[str, dict[str, dict[str, object]]]:
    """By source, then detector: faces missed, and the error of each model's inner 51 points.

    The errors are of the faces that all detectors find, model 2 after model 1, in face sizes
    (square root of the area of the true points' box).
    """
    pairs = {name: load_landmarkers(name, points=68, threads=1) for name in MODELS}
    results: dict[str, dict[str, dict[str, object]]] = {}
    for source in (*PACK_SOURCES, "cfp"):
        errors = {(one, model): [] for one in detectors for model in MODELS}
        missed, faces = dict.fromkeys(detectors, 0), 0
        for image, truth in _faces(root, source, most):
            faces += 1
            frame = Frame(image, 0, 0.0)
            starts = {
                name: nearest(finder.find(frame), truth, score)
                for name, (finder, score) in detectors.items()
            }
            for name, start in starts.items():
                missed[name] += start is None
            if any(start is None for start in starts.values()):
                continue
            for name, start in starts.items():
                for model, pair in pairs.items():
                    crop = crop_from_detection(start, pair.first.side)
                    (seen,) = pair.refine(image, [crop])
                    errors[name, model].append(_error(seen.landmarks.points_image, truth))
        results[source] = {
            name: {
                "faces": faces,
                "missed": missed[name],
                **{model: _told(errors[name, model]) for model in MODELS},
            }
            for name in detectors
        }
        print(source, results[source], flush=True)
    return results


def nearest(found: Sequence[Detection], truth: np.ndarray, score: float) -> Detection | None:
    """The best detection whose box holds the middle of the face."""
    x, y = np.nanmean(truth, axis=0)
    for one in found:
        box = one.box
        if one.score >= score and box.left < x < box.right and box.top < y < box.bottom:
            return one
    return None


def _faces(root: Path, source: str, most: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pictures and their 68 points, NaN where nobody knows; about ``most``, spread evenly."""
    try:
        if source == "cfp":
            photos = read_photo_set(Format("cfp"), root / "cfp", split="val", sources=()).photos
            for photo in photos[:: max(len(photos) // most, 1)]:
                yield photo.read_rgb(), photo.points_image[:, :2].astype(np.float64)
            return
        faces = PackFaces(root, split="val", source=source)
    except DataError:
        return
    for index in range(0, len(faces), max(len(faces) // most, 1)):
        face = faces.load(index)
        yield face.image_rgb, face.points[:, :2].astype(np.float64)


def _error(points: np.ndarray, truth: np.ndarray) -> float:
    extent = np.nanmax(truth, axis=0) - np.nanmin(truth, axis=0)
    away = np.linalg.norm(points[17:, :2] - truth[17:], axis=1)
    return float(np.nanmean(away) / math.sqrt(extent.prod()))


def _told(errors: Sequence[float]) -> dict[str, float] | None:
    if not errors:
        return None
    return {
        "median": round(float(np.median(errors)), 4),
        "mean": round(float(np.mean(errors)), 4),
        "share_bad": round(float(np.mean(np.array(errors) > BAD)), 4),
    }
