"""Weights of a network of 68 points for the same network with 84.

The 84 points are the 68 and 16 more on the jaw, which in every label of ours are one linear map of
the 68 (`mien.geometry.jaw`). So what a layer gives for the points (heatmaps, corrections, depths,
expected errors) is made denser by that map, and what it reads of them keeps its place, the new
points weighing nothing at first: the widened network says of the 68 points just what the old one
said.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mien.geometry.jaw import with_dense_jaw
from mien.markup import load_markup

__all__ = ["with_84_points"]

_OLD, _NEW = 68, 84


def with_84_points(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The state of a `Landmarker` of 68 points (modules 1, 3, 4 or squeeze), widened to 84.

    ``mean_depth`` is left out: it belongs to the markup, and a new network has its own.
    """
    return {name: _widened(name, value) for name, value in weights.items() if name != "mean_depth"}


def _widened(name: str, value: Tensor) -> Tensor:
    if ".heatmaps." in name and value.shape[0] == _OLD:
        return _given(value)
    if ".hand_on.1." in name and value.dim() == 4:
        return _read(value)
    if name == "finetune.vgg.0.weight":  # the heatmaps of every stack, then the crop
        colours = value.shape[1] % _OLD
        heatmaps, crop = torch.tensor_split(value, [value.shape[1] - colours], dim=1)
        return torch.cat(
            [*(_read(stack) for stack in torch.split(heatmaps, _OLD, dim=1)), crop], dim=1
        )
    if name.startswith("finetune.shape."):  # x, y, z of the first point, of the second, ...
        return _given(value.reshape(_OLD, -1, *value.shape[1:])).flatten(0, 1)
    if name.startswith("finetune.quality."):  # an expected error a point, then the score
        errors, score = torch.tensor_split(value, [_OLD])
        both = torch.cat([_given(errors), score])
        if both.dim() == 1:
            return both
        hidden, peaks = torch.tensor_split(both, [both.shape[1] - _OLD], dim=1)
        return torch.cat([hidden, _read(peaks)], dim=1)
    return value


def _given(value: Tensor) -> Tensor:
    """Rows of the 68 points to rows of the 84."""
    rows = _dense().to(value.dtype) @ value.flatten(1) if value.dim() > 1 else _dense() @ value
    return rows.reshape(_NEW, *value.shape[1:])


def _read(value: Tensor) -> Tensor:
    """Columns (second axis) of the 68 points to those of the 84."""
    wide = value.new_zeros((value.shape[0], _NEW, *value.shape[2:]))
    wide[:, list(load_markup(_NEW).ibug68)] = value
    return wide


def _dense() -> Tensor:
    unit = np.zeros((_OLD, _OLD, 3))
    unit[..., 0] = np.eye(_OLD)  # the k-th face has its k-th point at 1
    return torch.tensor(with_dense_jaw(unit)[..., 0].T, dtype=torch.float32)
