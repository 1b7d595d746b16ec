"""Confidence where the picture's border cuts the face.

A network sees black beyond the border and may take half a face for a turned one, surely. How much
of the face's place in the crop lies outside the picture, and where each point lies against the
border, says how much its confidence is worth: a logistic map, rising with the confidence, fitted to
each shipped model (``border.json``). It is one of each look, before looks are chosen by what they
say (``benchmarks/border_confidence.py``), or one of the answer, after every choice
(``benchmarks/border_answers.py``, as the weights for any use have it). A map belongs to the
weights that it was fitted to, whatever they are called: any other network, one of the same name
included, has none and keeps its confidences, which nobody has measured at a border. So does a face
that lies in the picture whole.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

import numpy as np
from jaxtyping import Float

from mien.geometry import FACE_SHARE, Similarity, crop_from_landmarks
from mien.types import Box, Landmarks

__all__ = [
    "BorderJudge",
    "BorderMap",
    "border_features",
    "border_map",
    "border_maps",
    "lies_inside",
    "recalibrated",
]


@dataclass(frozen=True)
class BorderMap:
    """The map of one model."""

    weights: tuple[float, ...]
    """Of gate, confidence, share outside, outside, near the border."""
    networks: Mapping[str, str]
    """The files that it was fitted to, each with the ``sha256`` of its card."""
    of: Literal["look", "answer"] = "look"
    """Whose confidences it maps: each look's, or the answer's that looks were chosen for."""


_SAMPLES = 24
"""Places a side at which the face's square is asked whether it lies in the picture."""
_NEAR = 0.15
"""Face sizes over which being near the border wears off."""
_FULL_AT = 0.06
"""Share outside from which the map counts in full."""
_LEAST_SLOPE = 0.1


@cache
def border_maps() -> dict[str, BorderMap]:
    """Those that came along, by the names of their models."""
    text = resources.files("mien.runtime").joinpath("border.json").read_text("utf-8")
    return {
        name: BorderMap(tuple(told["weights"]), told["networks"], told["of"])
        for name, told in json.loads(text).items()
    }


def border_map(sha256: str) -> BorderMap | None:
    """The map that was fitted to a network, by its card's ``sha256``; ``None`` for any other."""
    return next((one for one in border_maps().values() if sha256 in one.networks.values()), None)


def border_features(
    points_image: Float[np.ndarray, "points 3"],
    image_from_crop: Similarity,
    side: int,
    size: tuple[int, int],
) -> Float[np.ndarray, "points 5"]:
    """What the map hangs on besides the confidence; all 0 where no part of the face is outside.

    Args:
        size: width and height of the picture, px.
    """
    width, height = size
    features = np.zeros((len(points_image), 5))
    if lies_inside(image_from_crop, side, size):
        return features
    half = FACE_SHARE * side / 2
    line = np.linspace((side - 1) / 2 - half, (side - 1) / 2 + half, _SAMPLES)
    grid = image_from_crop.apply(np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2))
    outside = float((_depth(grid, width, height) < 0).mean())
    face_size = FACE_SHARE * side * image_from_crop.scale
    depth = _depth(points_image[:, :2], width, height) / face_size
    gate = min(outside / _FULL_AT, 1.0)
    features[:, 0] = gate
    features[:, 1] = gate  # of the confidence itself
    features[:, 2] = outside
    features[:, 3] = gate * (depth < 0)
    features[:, 4] = gate * np.exp(-np.maximum(depth, 0) / _NEAR)
    return features


def lies_inside(image_from_crop: Similarity, side: int, size: tuple[int, int]) -> bool:
    """Whether the face's whole square lies in the picture, whose width and height is ``size``."""
    cos = image_from_crop.scale * math.cos(image_from_crop.angle_rad)
    sin = image_from_crop.scale * math.sin(image_from_crop.angle_rad)
    x, y = image_from_crop.translation
    middle, reach = (side - 1) / 2, (abs(cos) + abs(sin)) * FACE_SHARE * side / 2
    centre = x + (cos - sin) * middle, y + (sin + cos) * middle
    return all(
        place - reach >= -0.5 and place + reach <= end - 0.5
        for place, end in zip(centre, size, strict=True)
    )


def _lies_far_inside(points_image: Float[np.ndarray, "points 3"], size: tuple[int, int]) -> bool:
    """Whether even a square three times as large as their box lies in the picture, or they are in
    one place: cheaper to tell than where the head's square lies."""
    box = Box.around(points_image)
    reach = max(box.width, box.height)
    inside_x = reach <= box.left and box.right + reach <= size[0] - 1
    return reach == 0 or (inside_x and reach <= box.top and box.bottom + reach <= size[1] - 1)


def _depth(
    places: Float[np.ndarray, "places 2"], width: int, height: int
) -> Float[np.ndarray, " places"]:
    """How far inside the picture, px; negative outside."""
    x, y = places.T
    nearest: Float[np.ndarray, " places"] = np.minimum(
        np.minimum(x + 0.5, width - 0.5 - x), np.minimum(y + 0.5, height - 0.5 - y)
    )
    return nearest


def recalibrated(
    confidence: Float[np.ndarray, " points"],
    features: Float[np.ndarray, "points 5"],
    weights: Sequence[float],
) -> Float[np.ndarray, " points"]:
    """The confidences as they are worth; untouched where the features are 0."""
    if not features.any():
        return confidence
    sure = np.clip(confidence, 1e-6, 1 - 1e-6)
    logit = np.log(sure / (1 - sure))
    slope = np.maximum(1 + weights[1] * features[:, 1], _LEAST_SLOPE)
    moved = slope * logit + features[:, [0, 2, 3, 4]] @ np.array([weights[i] for i in (0, 2, 3, 4)])
    return np.asarray(1 / (1 + np.exp(-moved)))


@dataclass(frozen=True)
class BorderJudge:
    """A map of answers, of one network. Fulfils ``mien.alignment.AnswerJudge``."""

    weights: Sequence[float]
    mean_shape: Float[np.ndarray, "points 3"]
    """The mean head of the network's points."""
    side: int
    """Of its crops, px."""

    def __call__(self, answer: Landmarks, size: tuple[int, int]) -> Landmarks:
        """The same points, and what their confidences are worth.

        Args:
            size: width and height of the picture, px.
        """
        points = answer.points_image
        if not np.isfinite(points).all() or _lies_far_inside(points, size):
            return answer
        place = crop_from_landmarks(points, self.mean_shape, self.side)
        features = border_features(points, place, self.side, size)
        return Landmarks(points, recalibrated(answer.confidence, features, self.weights))
