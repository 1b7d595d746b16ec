"""A trained row as the tracker and the measurement want it: places of a picture in, points out."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8

from mien.export import Deployed
from mien.geometry import Similarity, warp_crop
from mien.markup import load_markup
from mien.models import build_network
from mien.models.baselines.sdm import SupervisedDescent, fit_sdm
from mien.training.batches import draw_crop, training_sets
from mien.training.checkpoint import Checkpoint
from mien.training.config import TrainConfig
from mien.types import Landmarks, Prediction

__all__ = ["DescentPredictor", "NetworkPredictor", "fit_descent"]

Image = UInt8[np.ndarray, "height width 3"]
_MARKUP = load_markup(68)


class NetworkPredictor:
    """The averaged weights of a run, in torch, answering as their weight file would."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        network = build_network(checkpoint.config.network)
        network.load_state_dict(checkpoint.averaged)
        self._deployed = Deployed(network).eval()
        self.side = checkpoint.config.network.side
        self.mean_shape = _MARKUP.mean_shape

    def predict(self, image_rgb: Image, image_from_crops: Sequence[Similarity]) -> list[Prediction]:
        """One prediction a crop, in their order."""
        crops = [warp_crop(image_rgb, place, self.side) for place in image_from_crops]
        with torch.inference_mode():
            points, confidence, score = self._deployed(torch.from_numpy(np.stack(crops)))
        return [
            Prediction(
                Landmarks(place.apply(each.double().numpy()), sure.double().numpy()), float(one)
            )
            for place, each, sure, one in zip(
                image_from_crops, points, confidence, score, strict=True
            )
        ]


@dataclass(frozen=True)
class DescentPredictor:
    """Supervised descent; it knows no confidence, so it is sure of everything."""

    model: SupervisedDescent
    side: int
    mean_shape: Float[np.ndarray, "68 3"]

    def predict(self, image_rgb: Image, image_from_crops: Sequence[Similarity]) -> list[Prediction]:
        """One prediction a crop, in their order."""
        crops = [warp_crop(image_rgb, place, self.side) for place in image_from_crops]
        shares = self.model.predict(np.stack(crops))
        half = np.array([0.5, 0.5, 0.0])
        pixels = (shares + half) * self.side - half
        return [
            Prediction(Landmarks(place.apply(points), np.ones(len(points))), 1.0)
            for place, points in zip(image_from_crops, pixels, strict=True)
        ]


def fit_descent(
    config: TrainConfig, data: Path, turned: Sequence[Path], faces: int
) -> DescentPredictor:
    """SDM on as many crops as asked for, drawn and strayed as ``config`` says, unspoilt.

    Raises:
        DataError: the faces are not where they should be.
    """
    sets, shares = training_sets(config, data, turned)
    plain = dataclasses.replace(config, augment=config.augment.unspoilt())
    crops = [
        draw_crop(plain, sets, shares, np.random.default_rng([config.seed, number]))
        for number in range(faces)
    ]
    model = fit_sdm(
        np.stack([crop.crop_rgb for crop in crops]),
        np.stack([crop.points for crop in crops]).astype(np.float64),
    )
    return DescentPredictor(model, config.network.side, _MARKUP.mean_shape)
