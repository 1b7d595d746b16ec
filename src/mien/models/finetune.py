"""Section 3.3: the finetune module (fig. 5), from staged heatmaps and the picture to the shape.

A small VGG reads the heatmaps of every stack beside the RGB crop; two fully connected layers give
the shape. It sees all points at once, so it can move a point that its heatmap alone gets wrong.
The paper's output is the points, N x 2. That of `fast` is a *correction* to the points decoded from
the last heatmaps, with depth. Both come with two things the tracker needs: how far each point is
expected to be off, and whether a face is there (``docs/decisions/0005-finetune.md``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Finetune", "Finetuned", "MeanPool"]

_CROP_PX = 4
"""Side of a heatmap's pixel in the crop."""
_POOLED = 4
_FIRST_LOG_ERROR = -3.0
"""An error of 5 % of the crop's side, before anything is learned."""


@dataclass(frozen=True)
class Finetuned:
    """What the module says of a batch, in shares of the crop's side."""

    plane: Float[Tensor, "n points 2"]
    """x and y: of the points themselves, or of what is added to the decoded ones."""
    depth: Float[Tensor, "n points"]
    """What is added to the mean head's; 0 where the module gives N x 2."""
    log_error: Float[Tensor, "n points"]
    """Logarithm of the expected distance of each point from the truth."""
    score_logit: Float[Tensor, " n"]


class Finetune(nn.Module):
    """Heatmaps of all stacks and the crop to the shape, the expected errors and the score.

    ``places``, if given, are the x and y of the first guess of *absolute* points; without them the
    x and y are a correction and start at 0. ``plane`` and ``depth`` say which are given at all.
    Heatmaps are joined at one ``shrink``-th of their side: they are smooth over 5 px, and 275
    channels are dear.
    """

    def __init__(
        self,
        points: int,
        stacks: int,
        width: int,
        hidden: int,
        *,
        places: Float[np.ndarray, "points 2"] | None = None,
        plane: bool = True,
        depth: bool = True,
        shrink: int = 2,
    ) -> None:
        super().__init__()
        self.points = points
        self.plane, self.depth = plane, depth
        self.shrink_heatmaps = MeanPool(points, shrink)
        self.shrink_crops = MeanPool(3, shrink * _CROP_PX)
        self.vgg = nn.Sequential(
            *_convolution(points * stacks + 3, width),
            *_convolution(width, width),
            nn.MaxPool2d(2),
            *_convolution(width, 2 * width),
            nn.AdaptiveAvgPool2d(_POOLED),
            nn.Flatten(),
        )
        self.hidden = nn.Sequential(
            nn.Linear(2 * width * _POOLED * _POOLED, hidden), nn.ReLU(inplace=True)
        )
        dims = 2 * plane + depth
        self.shape = nn.Linear(hidden, points * dims) if dims else None
        self.quality = nn.Linear(hidden + points, points + 1)
        if self.shape is not None:
            nn.init.zeros_(self.shape.weight)
            nn.init.zeros_(self.shape.bias)
            if places is not None:
                with torch.no_grad():
                    first = torch.tensor(places, dtype=torch.float32)
                    self.shape.bias.view(points, dims)[:, :2] = first
        nn.init.zeros_(self.quality.weight)
        nn.init.zeros_(self.quality.bias)
        nn.init.constant_(self.quality.bias[:points], _FIRST_LOG_ERROR)

    def forward(
        self,
        heatmaps: Sequence[Float[Tensor, "n points h w"]],
        crops: Float[Tensor, "n 3 s s"],
    ) -> Finetuned:
        """``heatmaps`` are probabilities, one tensor a stack, first to last."""
        small = [self.shrink_heatmaps(heatmap) for heatmap in heatmaps]
        small.append(self.shrink_crops(crops))
        hidden = self.hidden(self.vgg(torch.cat(small, dim=1)))
        peaks = heatmaps[-1].amax(dim=(2, 3))
        quality = self.quality(torch.cat([hidden, peaks], dim=1)).float()
        plane, depth = self._shape(hidden)
        return Finetuned(plane, depth, quality[:, :-1], quality[:, -1])

    # shape[0], not len(): len is a number to the exporter, and would fix the batch's size.
    def _shape(self, hidden: Float[Tensor, "n hidden"]) -> tuple[Tensor, Tensor]:
        plane = hidden.new_zeros((hidden.shape[0], self.points, 2), dtype=torch.float32)
        depth = plane[..., 0]
        if self.shape is not None:
            shape = self.shape(hidden).float().reshape(hidden.shape[0], self.points, -1)
            plane = shape[..., :2] if self.plane else plane
            depth = shape[..., -1] if self.depth else depth
        return plane, depth


class MeanPool(nn.Module):
    """Means of blocks; outside training by a convolution of equal weights within each channel.

    That is several times as fast in onnxruntime, and several times slower in training
    (``docs/decisions/0013-nano.md``).
    """

    weights: Tensor

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.side = side
        equal = torch.full((channels, 1, side, side), 1 / side**2)
        self.register_buffer("weights", equal, persistent=False)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c i j"]:
        if self.training:
            return functional.avg_pool2d(x, self.side)
        return functional.conv2d(x, self.weights, stride=self.side, groups=len(self.weights))


def _convolution(channels_in: int, channels_out: int) -> list[nn.Module]:
    return [
        nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    ]
