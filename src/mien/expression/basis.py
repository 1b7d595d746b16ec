"""The landmark rows of a morphable head: what identity and expression do to the 68 points.

``basis.npz`` is cut out of the ICT FaceKit head (MIT) by ``benchmarks/expression_basis.py``, which
also learns what the shipped networks show of each shape.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib import resources

import numpy as np
from jaxtyping import Float

from mien.expression.shapes import SHAPES

__all__ = ["LandmarkBasis", "load_basis", "similarity_moves", "without_pose"]


@dataclass(frozen=True)
class LandmarkBasis:
    """A linear head at its landmarks: cm, x right, y down, z backwards, facing the camera."""

    mean_cm: Float[np.ndarray, "68 3"]
    identity_cm: Float[np.ndarray, "identities 68 3"]
    """Offsets of one standard deviation each."""
    expression_cm: Float[np.ndarray, "shapes 68 3"]
    """Offsets of the head at full strength, in the order of ``SHAPES``."""
    shown_cm: Float[np.ndarray, "shapes 68 3"]
    """Offsets that the points of mien's networks show of it, without pose: of a pucker, half."""
    noise_cm: Float[np.ndarray, "directions 68 3"]
    """Errors that the points of mien's networks share, pose taken out: one standard deviation."""
    eyeballs_cm: Float[np.ndarray, "2 3"]
    """Centres of the person's right and left eyeball."""


@functools.cache
def load_basis() -> LandmarkBasis:
    """The basis that ships with mien."""
    file = resources.files("mien.expression").joinpath("basis.npz")
    with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        if tuple(arrays["shapes"]) != SHAPES:
            raise RuntimeError(
                "basis.npz was made for other shapes: benchmarks/expression_basis.py"
            )
        names = ("mean_cm", "identity_cm", "expression_cm", "shown_cm", "noise_cm", "eyeballs_cm")
        read = [arrays[name].astype(np.float64) for name in names]
    for array in read:
        array.setflags(write=False)
    return LandmarkBasis(*read)


def similarity_moves(points: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, "points 3 7"]:
    """What a small turn about each axis, a shift along each, and growth do to points."""
    moves = np.zeros((len(points), 3, 7))
    x, y, z = points.T
    moves[:, 1, 0], moves[:, 2, 0] = -z, y
    moves[:, 0, 1], moves[:, 2, 1] = z, -x
    moves[:, 0, 2], moves[:, 1, 2] = -y, x
    moves[:, [0, 1, 2], [3, 4, 5]] = 1
    moves[:, :, 6] = points
    return moves


def without_pose(
    points: Float[np.ndarray, "points 3"],
) -> Float[np.ndarray, "coordinates coordinates"]:
    """Takes out of a displacement of the points what a similarity would do to them."""
    moves, _ = np.linalg.qr(similarity_moves(points).reshape(-1, 7))
    still: Float[np.ndarray, "coordinates coordinates"] = np.eye(len(moves)) - moves @ moves.T
    return still
