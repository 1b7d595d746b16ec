"""Section 3.2: the heatmap modules of fig. 4, from the features of an hourglass to heatmaps.

=========  ===============================  =======================================================
module 1   :class:`ConvolutionHeatmaps`     a 1x1 convolution, as in the stacked hourglass
module 2   :class:`AffineHeatmaps`          heatmaps of neighbouring points, moved by learned maps
module 3   :class:`LocalAttention`          an attention map for each landmark
module 4   :class:`GlobalLocalAttention`    one map for the face, then one for each landmark
compared   :class:`SqueezeAttention`        attention to channels instead of places
=========  ===============================  =======================================================

An attention map of modules 3 and 4 has one channel (eq. 1) and multiplies every channel of the
features (eq. 2). A landmark's heatmap is one linear reading of the features so weighed. As a
product with a one-channel map commutes with a reading across channels,
``v_i . (y_i * h) = y_i * (v_i . h)``, all N local modules are two 1x1 convolutions:
``docs/decisions/0002-attention.md``. What the paper leaves open in the others is decided in
``docs/decisions/0007-heatmap-modules.md``.

All take features (n, width, h, w) to values (n, points, h, w) that the sigmoid comes after;
``empty`` is the value of a heatmap pixel before anything is learned.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from mien.models.decoding import pixel_centres

__all__ = [
    "EMPTY_LOGIT",
    "AffineHeatmaps",
    "ConvolutionHeatmaps",
    "GlobalLocalAttention",
    "LocalAttention",
    "SqueezeAttention",
]

EMPTY_LOGIT = -5.0
"""First guess of a heatmap pixel: a landmark covers about 17 of 4096."""
_FIRST_GAIN = 0.1
"""Share of a neighbour's heatmap that a point starts with: its own reading leads."""


class ConvolutionHeatmaps(nn.Module):
    """Module 1: a 1x1 convolution."""

    def __init__(self, width: int, points: int, empty: float = EMPTY_LOGIT) -> None:
        super().__init__()
        self.reading = nn.Conv2d(width, points, 1, bias=False)
        self.bias = nn.Parameter(torch.full((points, 1, 1), empty))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n points h w"]:
        heatmaps: Tensor = _with_bias(self.reading(x), self.bias)
        return heatmaps


class AffineHeatmaps(nn.Module):
    """Module 2: to each heatmap come those of its two neighbours, moved by affine maps.

    The maps are learned, one for each point and neighbour, and start as the step between the two
    points of the mean head. Where they are ``predicted``, a linear reading of the features' mean
    over all places is added to them, picture by picture, which starts at 0.
    """

    neighbours: Tensor

    def __init__(
        self,
        width: int,
        neighbours: Int[np.ndarray, "2 points"],
        places: Float[np.ndarray, "points 2"],
        empty: float = EMPTY_LOGIT,
        *,
        predicted: bool = False,
    ) -> None:
        """``places`` are the mean head's, in shares of the crop's side."""
        super().__init__()
        points = len(places)
        self.reading = nn.Conv2d(width, points, 1, bias=False)
        self.bias = nn.Parameter(torch.full((points, 1, 1), empty))
        self.gain = nn.Parameter(torch.full((2, points, 1, 1), _FIRST_GAIN))
        steps = torch.tensor(places[neighbours] - places, dtype=torch.float32)
        self.affine = nn.Parameter(
            torch.cat([torch.eye(2).expand(2, points, 2, 2), steps.unsqueeze(-1)], dim=-1)
        )
        self.register_buffer("neighbours", torch.tensor(neighbours), persistent=False)
        self.predicting = nn.Linear(width, 2 * points * 6) if predicted else None
        if self.predicting is not None:
            nn.init.zeros_(self.predicting.weight)
            nn.init.zeros_(self.predicting.bias)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n points h w"]:
        if self.predicting is not None:
            return self._by_picture(x, self.predicting(x.mean(dim=(2, 3))).float())
        own: Tensor = self.reading(x)
        rows, columns = pixel_centres(own.shape[2], own), pixel_centres(own.shape[3], own)
        heatmaps = _with_bias(own, self.bias)
        for direction in range(2):
            # The pixel (column, row) of a point shows what its neighbour has at `source`.
            along_x, along_y, step = self.affine[direction][:, :, None, None].unbind(-1)
            source = along_x * columns + along_y * rows[:, None] + step
            neighbour = own.transpose(0, 1)[self.neighbours[direction]]  # the points as a batch
            moved = functional.grid_sample(
                neighbour.float(), 2 * source.permute(0, 2, 3, 1), align_corners=False
            )
            heatmaps = heatmaps + self.gain[direction] * moved.transpose(0, 1).to(own.dtype)
        return heatmaps

    def _by_picture(
        self, x: Float[Tensor, "n c h w"], change: Float[Tensor, "n maps"]
    ) -> Float[Tensor, "n points h w"]:
        """As :meth:`forward`, with maps of each picture's own."""
        own: Tensor = self.reading(x)
        points, height, width = own.shape[1:]
        affine = self.affine + change.view(-1, 2, points, 2, 3)
        columns, rows = pixel_centres(width, own), pixel_centres(height, own)
        pixels = torch.stack(
            [
                columns.expand(height, width),
                rows[:, None].expand(height, width),
                torch.ones_like(own[0, 0], dtype=torch.float32),
            ],
            dim=-1,
        )
        heatmaps = _with_bias(own, self.bias)
        for direction in range(2):
            source = torch.einsum("hwk,npjk->nphwj", pixels, affine[:, direction]).flatten(0, 1)
            neighbour = own[:, self.neighbours[direction]].reshape(-1, 1, height, width).float()
            moved = functional.grid_sample(neighbour, 2 * source, align_corners=False)
            moved = moved.reshape(-1, points, height, width).to(own.dtype)
            heatmaps = heatmaps + self.gain[direction] * moved
        return heatmaps


class LocalAttention(nn.Module):
    """Module 3: an attention map for each landmark, straight from the features."""

    def __init__(self, width: int, points: int, empty: float = EMPTY_LOGIT) -> None:
        super().__init__()
        self.local_attention = nn.Conv2d(width, points, 1)
        self.reading = nn.Conv2d(width, points, 1, bias=False)
        self.bias = nn.Parameter(torch.full((points, 1, 1), empty))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n points h w"]:
        y_local = torch.sigmoid(self.local_attention(x))  # Eq. 1, one map a landmark
        # Eq. 4, with x for h_global
        heatmaps: Tensor = _with_bias(y_local * self.reading(x), self.bias)
        return heatmaps


class GlobalLocalAttention(nn.Module):
    """Module 4: an attention map for the whole face, then one for each landmark."""

    def __init__(self, width: int, points: int, empty: float = EMPTY_LOGIT) -> None:
        super().__init__()
        self.global_attention = nn.Conv2d(width, 1, 1)
        self.local_attention = nn.Conv2d(width, points, 1)
        self.reading = nn.Conv2d(width, points, 1, bias=False)
        self.bias = nn.Parameter(torch.full((points, 1, 1), empty))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n points h w"]:
        y_global = torch.sigmoid(self.global_attention(x))  # Eq. 1
        h_global = y_global * x  # Eq. 2, 3
        y_local = torch.sigmoid(self.local_attention(h_global))  # Eq. 1, one map a landmark
        heatmaps: Tensor = _with_bias(y_local * self.reading(h_global), self.bias)  # Eq. 4
        return heatmaps


class SqueezeAttention(nn.Module):
    """What the paper compares with: one weight a channel (C x 1 x 1), from the mean over places."""

    def __init__(self, width: int, points: int, empty: float = EMPTY_LOGIT) -> None:
        super().__init__()
        self.attention = nn.Conv2d(width, width, 1)
        self.reading = nn.Conv2d(width, points, 1, bias=False)
        self.bias = nn.Parameter(torch.full((points, 1, 1), empty))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n points h w"]:
        y = torch.sigmoid(self.attention(x.mean(dim=(2, 3), keepdim=True)))  # Eq. 1, squeezed
        h = y * x  # Eq. 2
        heatmaps: Tensor = _with_bias(self.reading(h), self.bias)
        return heatmaps


def _with_bias(values: Tensor, bias: Tensor) -> Tensor:
    """In the precision of the values: under autocast a sum with a float32 bias would be float32."""
    return values + bias.to(values.dtype)
