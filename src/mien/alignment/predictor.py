"""What aligning and tracking ask of a landmark network, which they do not know themselves.

What they ask of a detector is ``mien.types.FaceFinder``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

from mien.geometry import Similarity
from mien.types import Landmarks, Prediction

__all__ = ["AnswerJudge", "JudgedPredictor", "LandmarkPredictor", "judge_of"]


@runtime_checkable
class LandmarkPredictor(Protocol):
    """Reads landmarks from places in a picture."""

    @property
    def side(self) -> int:
        """Side of its crops, px."""
        ...

    @property
    def mean_shape(self) -> Float[np.ndarray, "points 3"]:
        """The mean head that its crops are aligned by."""
        ...

    def predict(
        self,
        image_rgb: UInt8[np.ndarray, "height width 3"],
        image_from_crops: Sequence[Similarity],
    ) -> Sequence[Prediction]:
        """One prediction a crop, in their order."""
        ...


class AnswerJudge(Protocol):
    """What an answer's confidences are worth where the picture's border cuts the face."""

    def __call__(self, answer: Landmarks, size: tuple[int, int]) -> Landmarks:
        """The same points; ``size`` is the picture's width and height, px."""
        ...


@runtime_checkable
class JudgedPredictor(LandmarkPredictor, Protocol):
    """A network that may have a judge of answers, and what stands for one."""

    @property
    def judge(self) -> AnswerJudge | None:
        """Who comes after every choice between looks, which are told by what the network says
        itself; ``None``: its confidences are worth what they say, or it corrects each look."""
        ...


def judge_of(model: LandmarkPredictor) -> AnswerJudge | None:
    """A network's judge; ``None`` of one that knows of none."""
    return model.judge if isinstance(model, JudgedPredictor) else None
