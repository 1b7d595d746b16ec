"""Section 3.1: the hourglass and the preprocessing before it (fig. 2).

Newell, Yang, Deng, "Stacked hourglass networks for human pose estimation" ([30]), changed as the
paper says: identity residuals, learnable deconvolution for the way up, no dropout.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from mien.models.residual import Residual

__all__ = ["Hourglass", "Preprocessing"]


class Preprocessing(nn.Module):
    """A crop of 256 px to features of 64: 3x3 stride 2, residual, max pool, two residuals.

    Half the width until the pooling, as [30] has it: at 128 px every channel is dear.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        half = max(width // 2, 8)
        self.layers = nn.Sequential(
            nn.Conv2d(3, half, 3, stride=2, padding=1),
            Residual(half, half),
            nn.MaxPool2d(2),
            Residual(half, width),
            Residual(width, width),
        )

    def forward(self, crops: Float[Tensor, "n 3 s s"]) -> Float[Tensor, "n c h h"]:
        features: Tensor = self.layers(crops)
        return features


class Hourglass(nn.Module):
    """Down ``depth`` times by pooling, up again by deconvolution, with a residual skip a level."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.skip = Residual(width, width)
        self.down = nn.Sequential(nn.MaxPool2d(2), Residual(width, width))
        self.inner = Hourglass(width, depth - 1) if depth > 1 else Residual(width, width)
        self.up = nn.Sequential(
            Residual(width, width),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(width, width, 2, stride=2),
        )

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        result: Tensor = self.skip(x) + self.up(self.inner(self.down(x)))
        return result
