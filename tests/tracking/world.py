"""A world of scripted faces: what a detector and a network would say of it, countable by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from mien.geometry import Similarity
from mien.markup import load_markup
from mien.types import Box, Detection, Frame, Landmarks, Prediction

MEAN = load_markup(68).mean_shape
SIDE = 256
HEIGHT, WIDTH = 240, 640
FPS = 25.0


@dataclass(frozen=True)
class ScriptedFace:
    """Where a face is in each frame: centre x, y and size; ``None`` while it cannot be seen."""

    place: Callable[[int], tuple[float, float, float] | None]
    score: Callable[[int], float] = field(default=lambda frame: 0.95)
    confidence: Callable[[int], float] = field(default=lambda frame: 0.9)
    """Of every point."""

    def points(self, frame: int) -> np.ndarray | None:
        where = self.place(frame)
        return None if where is None else points_at(*where)


def points_at(x: float, y: float, size: float) -> np.ndarray:
    return MEAN * size + np.array([x, y, 0.0])


def frame_at(index: int, time_secs: float | None = None) -> Frame:
    """A black frame that carries its number in its first pixel."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[0, 0, 0], image[0, 0, 1] = index // 256, index % 256
    return Frame(image, index, index / FPS if time_secs is None else time_secs)


class World:
    """Serves as the detector and as both networks, and counts what it is asked."""

    side = SIDE
    mean_shape = MEAN

    def __init__(self, *faces: ScriptedFace) -> None:
        self.faces = faces
        self.searched: list[int] = []
        self.false_alarms: list[Detection] = []

    def find(self, frame: Frame) -> list[Detection]:
        self.searched.append(frame.index)
        seen = [face.points(frame.index) for face in self.faces]
        found = [Detection(Box.around(points), 0.9) for points in seen if points is not None]
        return found + self.false_alarms

    def predict(
        self, image_rgb: np.ndarray, image_from_crops: Sequence[Similarity]
    ) -> list[Prediction]:
        index = int(image_rgb[0, 0, 0]) * 256 + int(image_rgb[0, 0, 1])
        return [self._look(index, crop) for crop in image_from_crops]

    def _look(self, index: int, crop: Similarity) -> Prediction:
        """The face nearest to the crop's middle, if the crop holds it; else a poor guess."""
        centre = crop.apply(np.full(2, (SIDE - 1) / 2))
        size = 0.58 * SIDE * crop.scale
        best: tuple[float, ScriptedFace, np.ndarray] | None = None
        for face in self.faces:
            points = face.points(index)
            if points is None:
                continue
            far = float(np.linalg.norm(points[:, :2].mean(axis=0) - centre)) / size
            if far < 0.6 and (best is None or far < best[0]):
                best = far, face, points
        if best is None:
            guess = points_at(float(centre[0]), float(centre[1]), size)
            return Prediction(Landmarks(guess, np.full(68, 0.1)), 0.02)
        sure = np.full(68, best[1].confidence(index))
        return Prediction(Landmarks(best[2], sure), best[1].score(index))
