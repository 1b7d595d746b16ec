"""From the 17 jaw points of the 68-point markup to the 33 of the 84-point one."""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Bool, Float

from mien.markup import load_markup

__all__ = ["with_dense_jaw", "with_dense_jaw_flags"]


def with_dense_jaw(points68: Float[np.ndarray, "*n 68 3"]) -> Float[np.ndarray, "*n 84 3"]:
    """The 84 points of Menpo 3D: between each two jaw points one more, half way along the jaw.

    The jaw line is the natural cubic spline through the 17 points, which lie evenly on it; the
    17 and the inner points stay as they are. The map is linear and its rows sum to one, so it
    commutes with any similarity: a label may be made denser before or after it is moved.
    """
    points = np.empty((*points68.shape[:-2], 84, 3), points68.dtype)
    points[..., list(load_markup(84).ibug68), :] = points68
    points[..., _BETWEEN, :] = _half_way() @ points68[..., :17, :]
    return points


def with_dense_jaw_flags(flags68: Bool[np.ndarray, "*n 68"]) -> Bool[np.ndarray, "*n 84"]:
    """Flags of the 84 points: a new jaw point has the flag where both its neighbours have it."""
    flags = np.empty((*flags68.shape[:-1], 84), bool)
    flags[..., list(load_markup(84).ibug68)] = flags68
    flags[..., _BETWEEN] = flags68[..., :16] & flags68[..., 1:17]
    return flags


_BETWEEN = slice(1, 32, 2)


@cache
def _half_way() -> Float[np.ndarray, "16 17"]:
    """Weights of the 17 points at the natural cubic spline's half places.

    Its second derivatives m solve m[i-1] + 4 m[i] + m[i+1] = 6 (p[i-1] - 2 p[i] + p[i+1]), 0 at
    both ends; half way between two points the spline is their mean less an eighth of m's mean.
    """
    second = np.zeros((17, 17))
    rows = np.arange(1, 16)
    bend = np.zeros((15, 17))
    bend[rows - 1, rows - 1], bend[rows - 1, rows], bend[rows - 1, rows + 1] = 6, -12, 6
    chain = 4 * np.eye(15) + np.eye(15, k=1) + np.eye(15, k=-1)
    second[1:16] = np.linalg.solve(chain, bend)
    mean = (np.eye(17)[:-1] + np.eye(17)[1:]) / 2
    weights: Float[np.ndarray, "16 17"] = mean - (second[:-1] + second[1:]) / 16
    return weights
