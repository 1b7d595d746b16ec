"""Several looks at an aligned face, averaged, and their spread as a part of the doubt.

For people who measure: the face is seen through slightly turned and scaled crops and in the mirror,
which cost the network so many looks more. What the looks disagree about is not known well, whatever
each says of itself; confidence follows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float, UInt8

from mien.alignment.predictor import AnswerJudge, LandmarkPredictor, judge_of
from mien.geometry import Similarity, mirror_crop
from mien.markup import load_markup
from mien.types import Box, Landmarks, Prediction

__all__ = ["FITTED_TO", "CarefulPredictor", "Spread"]

_LOOKS = ((0.0, 1.0), (-8.0, 0.94), (8.0, 1.06))
"""Turn in degrees and scale of each crop, about its middle; each is mirrored too."""
_OUTLIER = 0.02
"""Face sizes from the median at which a look counts by half."""

FITTED_TO: Final = {
    "fast-detection.onnx": "00e9b0bdc2ed7ad17c924032b04c063f02f85b6856abbd8e834bc89203d3454a",
    "fast-tracking.onnx": "b710ace776515140a51de88f1099d718473f094ad625c39bdda89fc9450bf28b",
    "nano-detection.onnx": "452acc4959a448b64c69ec23939df2b5534bf39052fbdabcec2932e40fe8b5d3",
    "nano-tracking.onnx": "10481cb54e73e6fe7cc438e9e9c542ad6ab37ccb389f3b257f5e9ac1e757d2c0",
}
"""The networks that :class:`Spread` was fitted to, each with the ``sha256`` of its card."""
_SUREST = 1e-4
"""Confidences keep this far from 0 and 1, whose log odds are infinite."""
_LEAST_WEIGHT = 1e-3
"""Of a look whose confidence is 0: a point that none is sure of still has a mean."""


@dataclass(frozen=True)
class Spread:
    """Confidence of averaged points: a logistic regression on the looks' own and their spread.

    Fitted to the models of ``FITTED_TO`` on val faces, most of them as they are, some cut or
    covered: ``docs/decisions/0018-starts.md``.
    """

    constant: float = 2.5
    own: float = 0.5
    """Of the logit of the looks' mean confidence."""
    spread: float = -1.0
    """Of ``log(1 + (spread / unit)^2)``: looks that agree leave the confidence as it is."""
    unit: float = 0.01
    """Face sizes."""

    def confidence(
        self, own: Float[np.ndarray, " points"], spread: Float[np.ndarray, " points"]
    ) -> Float[np.ndarray, " points"]:
        """The probability that a point lies within the model card's radius of the truth."""
        own = np.clip(own, _SUREST, 1 - _SUREST)
        logit = self.constant + self.own * np.log(own / (1 - own))
        logit = logit + self.spread * np.log1p((spread / self.unit) ** 2)
        return np.asarray(1 / (1 + np.exp(-logit)))


class CarefulPredictor:
    """A landmark network looked through six times. Fulfils ``LandmarkPredictor`` itself."""

    looks = 2 * len(_LOOKS)
    """How often the network runs for one crop."""

    def __init__(self, inner: LandmarkPredictor, spread: Spread | None = None) -> None:
        """Of a network; ``spread`` other than the one fitted to what ships."""
        self._inner = inner
        self._spread = spread or Spread()
        self._mirror = np.array(load_markup(len(inner.mean_shape)).mirror)

    @property
    def side(self) -> int:
        return self._inner.side

    @property
    def mean_shape(self) -> Float[np.ndarray, "points 3"]:
        return self._inner.mean_shape

    @property
    def judge(self) -> AnswerJudge | None:
        return judge_of(self._inner)

    def predict(
        self,
        image_rgb: UInt8[np.ndarray, "height width 3"],
        image_from_crops: Sequence[Similarity],
    ) -> list[Prediction]:
        """One averaged prediction a crop, in their order."""
        if not image_from_crops:
            return []
        width, side = image_rgb.shape[1], self.side
        crops = [_varied(crop, *how, side) for crop in image_from_crops for how in _LOOKS]
        plain = self._inner.predict(image_rgb, crops)
        flipped = np.ascontiguousarray(image_rgb[:, ::-1])
        mirrored = self._inner.predict(flipped, [mirror_crop(crop, width, side) for crop in crops])
        count = len(_LOOKS)
        averaged = []
        for start in range(0, len(crops), count):
            twins = [self._unmirrored(one, width) for one in mirrored[start : start + count]]
            averaged.append(self._average([*plain[start : start + count], *twins]))
        return averaged

    def _unmirrored(self, seen: Prediction, width: int) -> Prediction:
        points = seen.landmarks.points_image[self._mirror].copy()
        points[:, 0] = width - 1 - points[:, 0]
        return Prediction(Landmarks(points, seen.landmarks.confidence[self._mirror]), seen.score)

    def _average(self, looks: Sequence[Prediction]) -> Prediction:
        points = np.stack([look.landmarks.points_image for look in looks])
        own = np.stack([look.landmarks.confidence for look in looks])
        score = float(np.mean([look.score for look in looks]))
        if not np.isfinite(points).all():
            return Prediction(looks[0].landmarks, score)
        mean, spread = average_points(points, own)
        return Prediction(Landmarks(mean, self._spread.confidence(own.mean(axis=0), spread)), score)


def average_points(
    points: Float[np.ndarray, "looks points 3"], confidence: Float[np.ndarray, "looks points"]
) -> tuple[Float[np.ndarray, "points 3"], Float[np.ndarray, " points"]]:
    """A mean that outliers hardly move, and the looks' root mean square distance from it.

    Weights are the confidences, over 1 + (distance from the median)^2 in units of 0.02 face sizes.
    The spread is in face sizes, in the plane of the picture.
    """
    middle = np.median(points, axis=0)
    box = Box.around(middle)
    size = max(math.sqrt(box.width * box.height), 1e-6)
    off = np.linalg.norm((points - middle)[..., :2], axis=-1) / size
    weight = np.maximum(confidence, _LEAST_WEIGHT) / (1 + (off / _OUTLIER) ** 2)
    mean = (weight[..., None] * points).sum(axis=0) / weight.sum(axis=0)[:, None]
    squared = (((points - mean)[..., :2] / size) ** 2).sum(axis=-1)
    return mean, np.sqrt(squared.mean(axis=0))


def _varied(image_from_crop: Similarity, turn_deg: float, scale: float, side: int) -> Similarity:
    middle = ((side - 1) / 2, (side - 1) / 2)
    return image_from_crop @ Similarity.about(middle, scale=scale, angle_rad=math.radians(turn_deg))
