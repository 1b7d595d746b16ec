"""A finder's set of made-up pictures: discs with two eyes and a mouth, in colour on grey noise."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from mien.datasets.ours.finder_set import (
    CROP,
    EMPTY,
    SCENE,
    FinderSetWriter,
    LabelledPicture,
    PictureFaces,
)
from mien.geometry import Similarity

UPRIGHT = np.array([[-0.22, -0.15], [0.22, -0.15], [0.0, 0.05], [-0.15, 0.25], [0.15, 0.25]])
"""Five points of a drawn face from its centre, in sizes."""


def grey_noise(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    return rng.integers(60, 120, (height, width, 1), dtype=np.uint8).repeat(3, axis=2)


def draw_face(
    image: np.ndarray, centre: tuple[float, float], size: float, angle_rad: float = 0.0
) -> PictureFaces:
    """Draw one, and say where it is."""
    place = Similarity(size, angle_rad, centre)
    points = place.apply(UPRIGHT)
    middle = tuple(round(v) for v in centre)
    cv2.circle(image, middle, round(size / 2), (230, 170, 140), -1)
    for point in points[:2]:
        cv2.circle(
            image, tuple(round(float(v)) for v in point), max(round(size / 14), 1), (20,) * 3, -1
        )
    ends = [tuple(round(float(v)) for v in point) for point in points[3:]]
    cv2.line(image, ends[0], ends[1], (160, 20, 30), max(round(size / 12), 1))
    return PictureFaces(np.array([centre]), np.array([size]), points[None], np.ones(1, bool))


def write_finder_set(root: Path, pictures: int = 4) -> Path:
    """Train and val pictures of every kind."""
    rng = np.random.default_rng(0)
    writer = FinderSetWriter(root)
    for split in ("train", "val"):
        for number in range(pictures):
            crop = grey_noise(96, 96, rng)
            face = draw_face(crop, (47.0 + number, 46.0), 40.0)
            writer.add(LabelledPicture(crop, face, 0), kind=CROP, source="drawn", split=split)
            scene = grey_noise(120, 160, rng)
            faces = [draw_face(scene, (40.0 + 60 * i, 60.0), 20.0 + 8 * i) for i in range(2)]
            table = PictureFaces.joined(*faces)
            writer.add(LabelledPicture(scene, table, -1), kind=SCENE, source="scenes", split=split)
            blank = LabelledPicture(grey_noise(100, 140, rng), PictureFaces.empty(), -1)
            writer.add(blank, kind=EMPTY, source="none", split=split)
    writer.close()
    return root
