"""A head of known place, turn and expression, frame by frame, as a tracker would hand it out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mien.expression import SHAPES
from mien.geometry import rotation_from_angles
from mien.types import Face, Frame, HeadPose

RATE, FRAMES, HIDDEN = 25.0, 30, range(10, 14)
"""Frames that do not show face 3."""
SIZE = (640, 480)


@dataclass(frozen=True)
class Played:
    """What face 3 does."""

    frames: list[tuple[Frame, list[Face]]]

    def pose(self, index: int) -> HeadPose:
        return HeadPose(yaw_deg=30.0, pitch_deg=-10.0 + index / 2, roll_deg=5.0)

    def rotation(self, index: int) -> np.ndarray:
        return rotation_from_angles(self.pose(index))

    def place_cm(self, index: int) -> np.ndarray:
        return np.array([4.0 + index / 10, -2.0, 60.0])

    def strengths(self, index: int) -> np.ndarray:
        return np.array([0.9 * index / FRAMES * (name == "jawOpen") for name in SHAPES])
