"""A made-up world for measuring: photos with known faces, and a landmarker that answers by rote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.datasets.photo import LabelledPhoto, OtherTruth
from mien.geometry import Similarity
from mien.geometry.convention import Convention
from mien.markup import load_markup
from mien.types import Box, Frame, Landmarks, Prediction

WIDTH, HEIGHT = 200, 160


@dataclass
class RoteLandmarker:
    """Answers with fixed faces and remembers what it was asked."""

    faces: Sequence[Prediction] = ()
    crops: list[Similarity] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    side: int = 64

    def align_crop(self, image_rgb: np.ndarray, image_from_crop: Similarity) -> Prediction:
        self.crops.append(image_from_crop)
        return self.faces[0]

    def align_box(self, image_rgb: np.ndarray, box: Box) -> Prediction:
        self.boxes.append(box)
        return self.faces[0]

    def find(self, frame: Frame) -> Sequence[Prediction]:
        return self.faces


@dataclass(frozen=True)
class World:
    folder: Path
    mean_shape: np.ndarray = field(default_factory=lambda: load_markup(68).mean_shape)
    width: int = WIDTH
    height: int = HEIGHT

    def face_at(self, x: float, y: float, size: float = 50.0) -> np.ndarray:
        """(68, 2): the mean head seen from the front, centred there."""
        return self.mean_shape[:, :2] * size + [x, y]

    def photo(
        self,
        name: str,
        points: np.ndarray,
        *,
        yaw_deg: float | None = None,
        second: np.ndarray | None = None,
        convention: Convention | None = None,
    ) -> LabelledPhoto:
        path = self.folder / f"{name}.png"
        cv2.imwrite(str(path), np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
        others = () if second is None else (OtherTruth("second", second),)
        return LabelledPhoto(name, path, points, yaw_deg, others, convention)

    def seen(self, points: np.ndarray, score: float = 0.9) -> Prediction:
        depth = points[:, 2:] if points.shape[1] == 3 else np.zeros((68, 1))
        landmarks = Landmarks(np.hstack([points[:, :2], depth]), np.linspace(0, 1, 68))
        return Prediction(landmarks, score)

    def landmarker(self, *faces: np.ndarray) -> RoteLandmarker:
        return RoteLandmarker([self.seen(points) for points in faces])


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)
