"""Section 3.1: the hourglass and the preprocessing before it (fig. 2).

Newell, Yang, Deng, "Stacked hourglass networks for human pose estimation" ([30]). :class:`Parts`
holds what the paper changes: identity residuals or the original ones, learnable deconvolution or
nearest neighbour for the way up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from mien.models.residual import Residual

__all__ = ["CHANGED", "BlockDeconvolution", "Hourglass", "Parts", "Preprocessing"]


@dataclass(frozen=True)
class Parts:
    """What an hourglass is put together from."""

    block: Callable[[int, int], nn.Module] = Residual
    """Makes a block from its channels in and out."""
    activated: bool = False
    """Whether a block's output has been through its activation."""
    upsampling: str = "deconvolution"
    """Or ``nearest``."""
    deconvolution_kernel: int = 2
    """2 or 4."""

    def activation(self, width: int) -> list[nn.Module]:
        """What has to come between a block and a convolution."""
        return [] if self.activated else [nn.BatchNorm2d(width), nn.ReLU(inplace=True)]

    def upsample(self, width: int) -> list[nn.Module]:
        """Twice the side, after a block."""
        if self.upsampling == "nearest":
            return [nn.Upsample(scale_factor=2.0, mode="nearest")]
        kernel = self.deconvolution_kernel
        if kernel == 2:
            return [*self.activation(width), BlockDeconvolution(width, width, 2, stride=2)]
        deconvolution = nn.ConvTranspose2d(
            width, width, kernel, stride=2, padding=(kernel - 2) // 2
        )
        return [*self.activation(width), deconvolution]


class BlockDeconvolution(nn.ConvTranspose2d):
    """A deconvolution of kernel 2 and stride 2: every pixel becomes a block of its own, 2x2.

    So it is a 1x1 convolution to the four pixels of the block, and is trained as one: the general
    way back through a deconvolution takes four times as long on a processor.
    """

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        if not self.training:
            return super().forward(x, output_size)
        kernel = self.weight.permute(2, 3, 1, 0).reshape(-1, self.in_channels, 1, 1)
        bias = None if self.bias is None else self.bias.repeat(4)
        n, _, h, w = x.shape
        # Channels last, (row, column, channel) of a block: whole pixels move, not single values.
        blocks = functional.conv2d(x, kernel, bias).permute(0, 2, 3, 1).reshape(n, h, w, 2, 2, -1)
        return blocks.transpose(2, 3).reshape(n, 2 * h, 2 * w, -1).permute(0, 3, 1, 2)


CHANGED = Parts()
"""As section 3.1 changes it."""


class Preprocessing(nn.Module):
    """A crop of 256 px to features of 64: 3x3 stride 2, residual, max pool, two residuals.

    Half the width until the pooling, as [30] has it: at 128 px every channel is dear.
    """

    def __init__(self, width: int, parts: Parts = CHANGED) -> None:
        super().__init__()
        half = max(width // 2, 8)
        self.layers = nn.Sequential(
            nn.Conv2d(3, half, 3, stride=2, padding=1),
            parts.block(half, half),
            nn.MaxPool2d(2),
            parts.block(half, width),
            parts.block(width, width),
        )

    def forward(self, crops: Float[Tensor, "n 3 s s"]) -> Float[Tensor, "n c h h"]:
        features: Tensor = self.layers(crops)
        return features


class Hourglass(nn.Module):
    """Down ``depth`` times by pooling, up again, with a residual skip a level."""

    def __init__(self, width: int, depth: int, parts: Parts = CHANGED) -> None:
        super().__init__()
        self.skip = parts.block(width, width)
        self.down = nn.Sequential(nn.MaxPool2d(2), parts.block(width, width))
        self.inner = Hourglass(width, depth - 1, parts) if depth > 1 else parts.block(width, width)
        self.up = nn.Sequential(parts.block(width, width), *parts.upsample(width))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        result: Tensor = self.skip(x) + self.up(self.inner(self.down(x)))
        return result
