"""A head of known place, turn and expression, frame by frame, as a tracker would hand it out."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from played import FRAMES, HIDDEN, RATE, SIZE, Played

from mien.expression import SHAPES
from mien.geometry.convention import Convention, mean_head_cm
from mien.geometry.metric_head import Camera
from mien.types import Expression, Face, Frame, Landmarks


@pytest.fixture
def played() -> Played:
    """Face 3 in all frames but a few; face 5 in the last two alone."""
    made = Played([])
    camera = Camera.of_picture(*SIZE)
    head_cm = mean_head_cm(Convention.MIDDLE)
    head_cm = head_cm - head_cm.mean(axis=0)
    for index in range(FRAMES):
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = made.rotation(index), made.place_cm(index)
        space = head_cm @ matrix[:3, :3].T + matrix[:3, 3]
        points = np.column_stack([camera.project(space), space[:, 2] - space[:, 2].mean()])
        face = Face(
            3,
            0.9,
            Landmarks(points, np.full(68, 0.9)),
            made.pose(index),
            Expression(SHAPES, made.strengths(index)),
            matrix,
        )
        other = Face(5, 0.8, face.landmarks, face.pose, face.expression, matrix)
        faces = [] if index in HIDDEN else [face]
        faces += [other] if index >= FRAMES - 2 else []
        picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
        made.frames.append((Frame(picture, index, index / RATE), faces))
    return made
