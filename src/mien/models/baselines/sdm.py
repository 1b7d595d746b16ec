"""Table 3, "SDM [39]": supervised descent, a cascade of linear regressions on local features.

Xiong, De la Torre, "Supervised descent method and its applications to face alignment", CVPR 2013
([39]). From the mean shape, each stage describes the picture around every point of its guess and
adds a linear reading of all descriptions. The description is SIFT in the original; ours is written
out here: histograms of gradient directions over 4x4 cells, normalised, clipped and normalised
again, upright and at one scale, as crops are. Truths need depth no more than they have it:
shapes of any number of dimensions are regressed together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

__all__ = ["SupervisedDescent", "describe", "fit_sdm"]

_CELLS = 4
_DIRECTIONS = 8
_CLIP = 0.2
Crops = UInt8[np.ndarray, "n side side 3"]


@dataclass(frozen=True)
class SupervisedDescent:
    """A fitted cascade; places are shares of the crop's side."""

    mean: Float[np.ndarray, "points dims"]
    stages: tuple[Float[np.ndarray, "features values"], ...]
    """What each stage multiplies its descriptions by; the last row is the constant."""
    radius: float
    """Half the side of the described square, as a share of the crop's side."""

    def predict(self, crops: Crops) -> Float[np.ndarray, "n points dims"]:
        """The points of each crop."""
        shapes = np.repeat(self.mean[None], len(crops), axis=0)
        for stage in self.stages:
            shapes = shapes + _step(crops, shapes, stage, self.radius)
        return shapes


def fit_sdm(
    crops: Crops,
    truth: Float[np.ndarray, "n points dims"],
    *,
    stages: int = 4,
    radius: float = 0.1,
    ridge: float = 1.0,
) -> SupervisedDescent:
    """Fit stage after stage, each to what the ones before leave over.

    Args:
        truth: points in shares of the side, (0, 0) in the middle.
        ridge: weight of the squared coefficients, by the mean square of a feature.
    """
    mean = truth.mean(axis=0)
    shapes = np.repeat(mean[None], len(crops), axis=0)
    fitted: list[Float[np.ndarray, "features values"]] = []
    for _ in range(stages):
        features = _features(crops, shapes, radius)
        fitted.append(_ridge(features, (truth - shapes).reshape(len(crops), -1), ridge))
        shapes = shapes + (features @ fitted[-1]).reshape(truth.shape)
    return SupervisedDescent(mean, tuple(fitted), radius)


def describe(
    crop_rgb: UInt8[np.ndarray, "side side 3"],
    points: Float[np.ndarray, "points dims"],
    radius: float,
) -> Float[np.ndarray, "points 128"]:
    """Gradient histograms around each point; beyond the crop its rim goes on."""
    side = crop_rgb.shape[0]
    reach = max(round(radius * side), _CELLS // 2)
    reach -= reach % (_CELLS // 2)
    grey = np.pad(crop_rgb.mean(axis=2), reach + 1, mode="edge")
    down, right = np.gradient(grey)
    size = np.hypot(right, down)
    turn = np.arctan2(down, right) / (2 * np.pi) * _DIRECTIONS
    lower = np.floor(turn)
    share = turn - lower
    votes = np.zeros((*grey.shape, _DIRECTIONS))
    rows, columns = np.indices(grey.shape)
    votes[rows, columns, lower.astype(int) % _DIRECTIONS] = size * (1 - share)
    votes[rows, columns, (lower.astype(int) + 1) % _DIRECTIONS] += size * share
    pixels = (points[:, :2] + 0.5) * side - 0.5
    corners = np.clip(np.round(pixels).astype(int), 0, side - 1) + 1  # of the padded picture
    cell = 2 * reach // _CELLS
    squares = np.stack([votes[y : y + 2 * reach, x : x + 2 * reach] for x, y in corners])
    cells = squares.reshape(len(points), _CELLS, cell, _CELLS, cell, _DIRECTIONS).sum(axis=(2, 4))
    histograms = cells.reshape(len(points), -1)
    return _normalised(np.minimum(_normalised(histograms), _CLIP))


def _normalised(values: Float[np.ndarray, "n features"]) -> Float[np.ndarray, "n features"]:
    return np.asarray(values / (np.linalg.norm(values, axis=1, keepdims=True) + 1e-9))


def _features(
    crops: Crops, shapes: Float[np.ndarray, "n points dims"], radius: float
) -> Float[np.ndarray, "n features"]:
    rows: Sequence[Float[np.ndarray, " features"]] = [
        np.append(describe(crop, shape, radius).ravel(), 1.0)
        for crop, shape in zip(crops, shapes, strict=True)
    ]
    return np.stack(rows)


def _step(
    crops: Crops,
    shapes: Float[np.ndarray, "n points dims"],
    stage: Float[np.ndarray, "features values"],
    radius: float,
) -> Float[np.ndarray, "n points dims"]:
    return np.asarray((_features(crops, shapes, radius) @ stage).reshape(shapes.shape))


def _ridge(
    features: Float[np.ndarray, "n features"],
    wanted: Float[np.ndarray, "n values"],
    ridge: float,
) -> Float[np.ndarray, "features values"]:
    """Least squares with a penalty; solved among the faces, which are fewer than the features."""
    gram = features @ features.T
    penalty = ridge * float(np.square(features).mean())
    weights = np.linalg.solve(gram + penalty * np.eye(len(gram)), wanted)
    return np.asarray(features.T @ weights)
