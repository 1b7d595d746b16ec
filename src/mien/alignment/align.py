"""Model 1 on a rough crop, aligned anew, model 2: the first look at a face (paper 3.4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import UInt8

from mien.alignment.predictor import LandmarkPredictor
from mien.geometry import Similarity, crop_from_landmarks
from mien.types import Prediction

__all__ = ["align"]


def align(
    first: LandmarkPredictor,
    following: LandmarkPredictor,
    image_rgb: UInt8[np.ndarray, "height width 3"],
    rough: Sequence[Similarity],
    accepts: Callable[[Prediction], bool] = lambda seen: True,
) -> list[Prediction | None]:
    """What model 2 sees on the crops that model 1's landmarks give.

    Args:
        first: model 1, which looks at the rough crops.
        following: model 2.
        rough: ``image_from_crop`` of each face, of model 1's side.
        accepts: whether what a model sees is a face; model 2 does not look where model 1 saw none.

    Returns:
        One a rough crop, in their order; ``None`` where either saw no face.
    """
    guesses = first.predict(image_rgb, rough) if rough else []
    passed = [i for i, guess in enumerate(guesses) if accepts(guess)]
    places = [
        crop_from_landmarks(guesses[i].landmarks.points_image, following.mean_shape, following.side)
        for i in passed
    ]
    result: list[Prediction | None] = [None] * len(rough)
    seen_all = following.predict(image_rgb, places) if places else []
    for i, seen in zip(passed, seen_all, strict=True):
        if accepts(seen):
            result[i] = seen
    return result
