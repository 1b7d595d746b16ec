"""Rotations as quaternions, vectors and angles, one or many at once."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from jaxtyping import Float

__all__ = [
    "angle_between",
    "angles_of",
    "matrix_of_quaternion",
    "matrix_of_vector",
    "quaternion_of",
]

_AXES: Final = "XYZ"
_LOCKED = 1e-7
"""Cosine of the second angle below which the first and the third turn about one axis."""


def matrix_of_quaternion(
    quaternion: Float[np.ndarray, "*many 4"],
) -> Float[np.ndarray, "*many 3 3"]:
    """Of x, y, z, w, whose length does not matter."""
    x, y, z, w = np.moveaxis(quaternion / np.linalg.norm(quaternion, axis=-1, keepdims=True), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def quaternion_of(rotation: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, " 4"]:
    """x, y, z, w, of length 1 and with w not negative."""
    # Of the four squares that the matrix gives, the largest is the safest to divide by.
    diagonal = np.diagonal(rotation)
    trace = float(diagonal.sum())
    largest = int(np.argmax([*diagonal, trace]))
    quaternion = np.empty(4)
    if largest == 3:
        quaternion[3] = 1 + trace
        for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
            quaternion[i] = rotation[k, j] - rotation[j, k]
    else:
        i, j, k = largest, (largest + 1) % 3, (largest + 2) % 3
        quaternion[i] = 1 - trace + 2 * rotation[i, i]
        quaternion[j] = rotation[j, i] + rotation[i, j]
        quaternion[k] = rotation[k, i] + rotation[i, k]
        quaternion[3] = rotation[k, j] - rotation[j, k]
    length = float(np.linalg.norm(quaternion))
    return quaternion / (length if quaternion[3] >= 0 else -length)


def matrix_of_vector(turn_rad: Float[np.ndarray, " 3"]) -> Float[np.ndarray, "3 3"]:
    """About the vector, by its length (Rodrigues)."""
    angle = float(np.linalg.norm(turn_rad))
    if angle == 0:
        return np.eye(3)
    x, y, z = (turn_rad / angle).tolist()
    across = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    turned: Float[np.ndarray, "3 3"] = (
        np.eye(3) + math.sin(angle) * across + (1 - math.cos(angle)) * across @ across
    )
    return turned


def angle_between(one: Float[np.ndarray, "3 3"], other: Float[np.ndarray, "3 3"]) -> float:
    """Of the turn from one rotation to the other, radians, 0 to pi."""
    cosine = (float(np.vdot(one, other)) - 1) / 2
    return math.acos(min(max(cosine, -1.0), 1.0))


def angles_of(rotation: Float[np.ndarray, "*many 3 3"], order: str) -> Float[np.ndarray, "*many 3"]:
    """Three angles, radians, about the axes of ``order`` ("ZXY"), each turning with the last:
    ``rotation = about(order[0]) @ about(order[1]) @ about(order[2])``.

    The second lies within a quarter turn; where it is a quarter turn, the third is 0.
    """
    first, second, third = (_AXES.index(axis) for axis in order)
    sign = 1 if (second - first) % 3 == 1 else -1
    sine = np.clip(sign * rotation[..., first, third], -1, 1)
    locked = np.hypot(rotation[..., first, first], rotation[..., first, second]) < _LOCKED
    one = np.where(
        locked,
        np.arctan2(sign * rotation[..., third, second], rotation[..., second, second]),
        np.arctan2(-sign * rotation[..., second, third], rotation[..., third, third]),
    )
    last = np.arctan2(-sign * rotation[..., first, second], rotation[..., first, first])
    return np.stack([one, np.arcsin(sine), np.where(locked, 0.0, last)], axis=-1)
