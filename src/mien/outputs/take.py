"""What one face did over a whole clip."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

from mien.expression import SHAPES
from mien.geometry.metric_head import Axes, MetricHead
from mien.types import Face

__all__ = ["Clip", "Take"]

_POSE = 7
"""Position and quaternion."""


@dataclass
class Clip:
    """What all faces of a clip share."""

    rate: float
    """Frames a second that the source promises."""
    times_secs: array[float] = field(default_factory=lambda: array("d"))
    """Of every frame."""
    size: tuple[int, int] = (0, 0)
    """Width and height of the first picture, px."""
    focal_px: float = 0.0
    """Of the camera that heads were placed with."""


class Take:
    """One face: where it was seen, and what it did there."""

    def __init__(self, track_id: int) -> None:
        self.track_id = track_id
        self._frames = array("q")
        self._poses = array("d")
        self._strengths = array("f")

    def add(self, place: int, face: Face) -> None:
        """The face in the frame of that place in ``Clip.times_secs``, if it was seen there."""
        if face.head_matrix is None or not face.is_seen:
            return
        head = MetricHead.from_matrix(face.head_matrix)
        self._frames.append(place)
        self._poses.extend(head.matrix(Axes.ARKIT)[:3, 3].tolist())
        self._poses.extend(head.quaternion(Axes.ARKIT).tolist())
        read = face.expression.to_dict() if face.expression is not None else {}
        self._strengths.extend(read.get(name, 0.0) for name in SHAPES)

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def frames(self) -> Int[np.ndarray, " seen"]:
        """Places of the frames that show it."""
        return np.array(self._frames, np.int64)

    @property
    def position_m(self) -> Float[np.ndarray, "seen 3"]:
        """Of the head in the camera's frame, x right, y up, z towards the camera."""
        return np.array(self._poses).reshape(-1, _POSE)[:, :3]

    @property
    def quaternion(self) -> Float[np.ndarray, "seen 4"]:
        """x, y, z, w in the same axes; neighbours have no sudden change of sign."""
        turns = np.array(self._poses).reshape(-1, _POSE)[:, 3:]
        flips = np.where((turns[1:] * turns[:-1]).sum(axis=1) < 0, -1.0, 1.0)
        signs: Float[np.ndarray, " seen"] = np.cumprod(np.concatenate([[1.0], flips]))
        steady: Float[np.ndarray, "seen 4"] = turns * signs[: len(turns), None]
        return steady

    @property
    def strengths(self) -> Float[np.ndarray, "seen shapes"]:
        """Of ``SHAPES``."""
        return np.array(self._strengths).reshape(-1, len(SHAPES))
