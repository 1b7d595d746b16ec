"""Table 3, "[7]": hierarchical, parallel and multi-scale blocks, real-valued and binary.

Bulat, Tzimiropoulos, "Binarized convolutional landmark localizers for human pose estimation and
face alignment with limited resources", ICCV 2017 ([7]). The bottleneck of a residual is replaced
by a chain of three 3x3 convolutions, each half as wide as the block, a quarter and a quarter, whose
outputs stand side by side: paths of several receptive fields and a short way for the gradient. The
network is the hourglass ([30]) with these blocks: ``residual = "hierarchical"`` or
``"hierarchical-binary"``.

The binary convolution is that of Rastegari et al., "XNOR-Net", ECCV 2016: signs of activations and
weights, and one real scale a filter, the mean size of its weights. The gradient passes a sign where
its input is within -1..1. First and last layers of the network stay real, and so do the
projections of skips, as [7] keeps all 1x1 convolutions out of the block.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["BinaryConvolution", "BinaryHierarchicalBlock", "HierarchicalBlock"]


def _sign(x: Tensor) -> Tensor:
    """-1 or 1; its gradient is that of ``clamp(x, -1, 1)``."""
    signs = torch.where(x >= 0, 1.0, -1.0).to(x.dtype)
    if not torch.is_grad_enabled():
        return signs
    passed = x.clamp(-1, 1)
    return passed + (signs - passed).detach()


class BinaryConvolution(nn.Conv2d):
    """A 3x3 convolution of signs with signs, scaled filter by filter."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(channels_in, channels_out, 3, padding=1, bias=False)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h w"]:
        scale = self.weight.abs().mean(dim=(1, 2, 3))
        summed = functional.conv2d(_sign(x), _sign(self.weight), padding=1)
        return summed * scale[:, None, None]


def _real(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.BatchNorm2d(channels_in),
        nn.ReLU(inplace=True),
        nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False),
    )


def _binary(channels_in: int, channels_out: int) -> nn.Sequential:
    # No ReLU: what comes before a sign must have both signs.
    return nn.Sequential(nn.BatchNorm2d(channels_in), BinaryConvolution(channels_in, channels_out))


class HierarchicalBlock(nn.Module):
    """``x + [a, b, c]`` with ``a`` from x, ``b`` from a and ``c`` from b, each by a convolution."""

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        convolution: Callable[[int, int], nn.Module] = _real,
    ) -> None:
        super().__init__()
        quarter = channels_out // 4
        half = channels_out - 2 * quarter
        self.first = convolution(channels_in, half)
        self.second = convolution(half, quarter)
        self.third = convolution(quarter, quarter)
        self.skip = (
            nn.Identity()
            if channels_in == channels_out
            else nn.Conv2d(channels_in, channels_out, 1)
        )

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h w"]:
        first = self.first(x)
        second = self.second(first)
        result: Tensor = self.skip(x) + torch.cat([first, second, self.third(second)], dim=1)
        return result


class BinaryHierarchicalBlock(HierarchicalBlock):
    """The same with binary convolutions."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(channels_in, channels_out, _binary)
