"""Table 3, "3DDFA [45]": parameters of a morphable head regressed from the picture, in a cascade.

Zhu, Lei, Liu, Shi, Li, "Face alignment across large poses: a 3D solution", CVPR 2016 ([45]). Each
stage of the cascade sees the crop beside a picture of the head that it believes in so far, coloured
by where on the mean head each spot lies (the paper's projected normalised coordinate code), and
gives a change of the parameters: scale, rotation as a quaternion, place, and the coefficients of
identity and expression. Here the head is known at its landmarks alone, so the code is drawn as a
spot a landmark, and the loss is that of the projected landmarks (their vertex distance cost).

The basis comes as arrays, from whatever head the caller has (:mod:`mien.synthesis` has ours).
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from mien.errors import DataError, reason_of
from mien.geometry import FACE_SHARE
from mien.models.baselines.resnet import resnet18_features
from mien.models.config import NetworkConfig
from mien.models.decoding import pixel_centres
from mien.models.prediction import Network, Prediction

__all__ = ["LandmarkBasis", "MorphableRegression"]

_SPOT = 0.03
"""Sigma of a landmark's spot in the code, as a share of the side."""
_POSE = 7
"""Logarithm of the scale, four numbers of the quaternion, x and y."""
_CODE_STRIDE = 4
"""Px of the crop a cell of the code."""
_QUALITY_START = -3.0
"""The bias from which confidences are learned: an untrained network is hardly sure of a point."""


@dataclass(frozen=True)
class LandmarkBasis:
    """A linear head at its landmarks: x right, y down, z away; the mean's box has size 1."""

    mean: Float[np.ndarray, "points 3"]
    modes: Float[np.ndarray, "modes points 3"]
    """What one standard deviation, or the full strength of an expression, adds."""

    @classmethod
    def of_head(
        cls, mean: Float[np.ndarray, "points 3"], modes: Float[np.ndarray, "modes points 3"]
    ) -> LandmarkBasis:
        """From landmarks of a head in any unit, facing the camera in the image's frame."""
        size = float(np.sqrt(np.prod(np.ptp(mean[:, :2], axis=0))))
        return cls((mean - mean.mean(axis=0)) / size, modes / size)

    @classmethod
    def load(cls, file: Path) -> LandmarkBasis:
        """From an ``.npz`` with ``mean`` and ``modes``.

        Raises:
            DataError: no such file, or not such a basis.
        """
        try:
            with file.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
                mean, modes = (np.asarray(stored[key], np.float64) for key in ("mean", "modes"))
            if mean.ndim != 2 or mean.shape[1] != 3 or modes.shape[1:] != mean.shape:
                raise ValueError(f"shapes {mean.shape} and {modes.shape}")
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(
                f"{file} is no landmark basis ({reason_of(error)}): expected an .npz with mean "
                "(points, 3) and modes (n, points, 3)"
            ) from error
        return cls(mean, modes)


class MorphableRegression(Network):
    """``stages`` networks one after the other, each correcting the parameters of the one before."""

    mean: Tensor
    modes: Tensor
    colours: Tensor

    def __init__(self, config: NetworkConfig, basis: LandmarkBasis, stages: int = 2) -> None:
        super().__init__()
        self.config = config
        points, count = len(basis.mean), _POSE + len(basis.modes)
        self.stages = nn.ModuleList(resnet18_features(config.width, 6) for _ in range(stages))
        self.steps = nn.ModuleList(nn.Linear(8 * config.width, count) for _ in range(stages))
        self.quality = nn.Linear(8 * config.width, points + 1)
        for step in [*self.steps, self.quality]:
            assert isinstance(step, nn.Linear)
            nn.init.zeros_(step.weight)
            nn.init.zeros_(step.bias)
        nn.init.constant_(self.quality.bias[:points], _QUALITY_START)
        low, high = basis.mean.min(axis=0), basis.mean.max(axis=0)
        self.register_buffer("mean", torch.tensor(basis.mean, dtype=torch.float32))
        self.register_buffer("modes", torch.tensor(basis.modes, dtype=torch.float32))
        colours = (basis.mean - low) / (high - low)
        self.register_buffer("colours", torch.tensor(colours, dtype=torch.float32))

    def forward(self, crops: Float[Tensor, "n 3 s s"]) -> Prediction:
        start = torch.zeros(_POSE + len(self.modes), device=crops.device)
        start[1] = 1.0  # the quaternion of no rotation
        parameters = start.expand(crops.shape[0], -1)
        for features, step in zip(self.stages, self.steps, strict=True):
            code = self.code(self.points(parameters).detach(), crops.shape[-1] // _CODE_STRIDE)
            code = functional.interpolate(code, scale_factor=float(_CODE_STRIDE), mode="nearest")
            hidden = features(torch.cat([crops, code.to(crops.dtype)], dim=1))
            parameters = parameters + step(hidden).float()
        quality = self.quality(hidden).float()
        return Prediction((), self.points(parameters), quality[:, :-1], quality[:, -1])

    def points(self, parameters: Float[Tensor, "n parameters"]) -> Float[Tensor, "n points 3"]:
        """The head's landmarks in shares of the crop's side."""
        modes = self.modes.flatten(1)
        offsets = (parameters[:, _POSE:, None] * modes).sum(dim=1)
        shape = self.mean + offsets.reshape(-1, *self.mean.shape)
        rotation = _rotation(parameters[:, 1:5])
        turned = (shape.unsqueeze(2) * rotation.unsqueeze(1)).sum(dim=-1)
        scale = FACE_SHARE * torch.exp(parameters[:, :1, None])
        place = functional.pad(parameters[:, 5:7], (0, 1))
        return scale * turned + place.unsqueeze(1)

    def code(self, points: Float[Tensor, "n points 3"], side: int) -> Float[Tensor, "n 3 k k"]:
        """A spot a landmark, coloured by its place on the mean head."""
        steps = (pixel_centres(side, points) - points[..., :2].unsqueeze(-1)) / _SPOT
        x, y = torch.exp(-0.5 * steps.square()).unbind(2)  # each (n, points, side)
        rows = self.colours.t()[:, :, None] * y.unsqueeze(1)  # (n, 3, points, side)
        return torch.einsum("ncpy,npx->ncyx", rows, x)


def _rotation(quaternion: Float[Tensor, "n 4"]) -> Float[Tensor, "n 3 3"]:
    w, x, y, z = functional.normalize(quaternion, dim=-1).unbind(-1)
    entries = [
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    ]  # fmt: skip
    return torch.stack(entries, dim=-1).reshape(-1, 3, 3)
