"""How far head poses lie from published ones: the field's figure on AFLW2000-3D.

The usual protocol (Ruiz et al., Hopenet, CVPRW 2018, and those after it): the mean absolute error
of pitch, yaw and roll as Euler angles in the order of 300W-LP's ``Pose_Para``, over the photos of
which no published angle lies beyond 99 degrees.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from mien.datasets.photo import LabelledPhoto
from mien.evaluation.metrics import mean_or_none
from mien.geometry import pose_head

__all__ = ["PoseScore", "euler_300w_lp_deg", "score_pose"]

_LARGEST_DEG = 99.0


@dataclass(frozen=True)
class PoseScore:
    """Mean absolute errors in degrees, over the faces found; ``None`` where none was."""

    n: int
    """Faces whose published angles all lie within 99 degrees."""
    excluded: int
    """Those with one beyond."""
    missed: int
    """Of ``n``, not found."""
    pitch_deg: float | None
    yaw_deg: float | None
    roll_deg: float | None

    @property
    def mean_deg(self) -> float | None:
        """Of the three angles."""
        if self.pitch_deg is None or self.yaw_deg is None or self.roll_deg is None:
            return None
        return (self.pitch_deg + self.yaw_deg + self.roll_deg) / 3


def score_pose(
    photos: Sequence[LabelledPhoto],
    points_image: Float[np.ndarray, "faces 68 3"],
    mean_shape: Float[np.ndarray, "68 3"],
) -> PoseScore | None:
    """Poses of predicted points (rows of NaN: not found) against the published angles.

    ``None`` where the set publishes none.
    """
    known = [
        (points, photo.euler_300w_lp_deg)
        for photo, points in zip(photos, points_image, strict=True)
        if photo.euler_300w_lp_deg is not None
    ]
    if not known:
        return None
    usual = [(points, euler) for points, euler in known if max(map(abs, euler)) <= _LARGEST_DEG]
    found = [(points, euler) for points, euler in usual if np.isfinite(points).all()]
    errors = np.array([_errors_deg(points, euler, mean_shape) for points, euler in found])
    pitch, yaw, roll = (mean_or_none(of_angle) for of_angle in errors.reshape(-1, 3).T)
    excluded, missed = len(known) - len(usual), len(usual) - len(found)
    return PoseScore(len(usual), excluded, missed, pitch, yaw, roll)


def _errors_deg(
    points: Float[np.ndarray, "68 3"],
    euler_deg: tuple[float, float, float],
    mean_shape: Float[np.ndarray, "68 3"],
) -> Float[np.ndarray, " 3"]:
    off = np.subtract(euler_300w_lp_deg(pose_head(points, mean_shape).rotation), euler_deg)
    errors: Float[np.ndarray, " 3"] = np.abs((off + 180) % 360 - 180)
    return errors


def euler_300w_lp_deg(rotation: Float[np.ndarray, "3 3"]) -> tuple[float, float, float]:
    """Pitch, yaw and roll as ``Pose_Para`` has them, of a rotation of ours (``pose_head``).

    Theirs is ``R = pitch(x) @ yaw(y) @ roll(z)`` with y up and z towards the camera, each factor
    the transpose of the usual one; ours has y down and z away.
    """
    flip = np.diag([1.0, -1.0, -1.0])
    theirs = flip @ rotation @ flip
    pitch = math.atan2(theirs[1, 2], theirs[2, 2])
    yaw = math.asin(float(np.clip(-theirs[0, 2], -1, 1)))
    roll = math.atan2(theirs[0, 1], theirs[0, 0])
    return math.degrees(pitch), math.degrees(yaw), math.degrees(roll)
