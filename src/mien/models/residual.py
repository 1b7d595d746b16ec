"""Section 3.1: the residual module, in its identity (pre-activation) version and the original.

He, Zhang, Ren, Sun, "Identity mappings in deep residual networks", ECCV 2016 ([18] of the paper),
and "Deep residual learning for image recognition", CVPR 2016 ([17]), both with the bottleneck of
the stacked hourglass ([30]): 1x1 to half the channels, 3x3, 1x1 back.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["OriginalResidual", "Residual"]


class Residual(nn.Module):
    """``x + f(x)``; the path of x holds no activation, so the sum passes through untouched."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        middle = channels_out // 2
        self.path = nn.Sequential(
            nn.BatchNorm2d(channels_in),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels_in, middle, 1, bias=False),
            nn.BatchNorm2d(middle),
            nn.ReLU(inplace=True),
            nn.Conv2d(middle, middle, 3, padding=1, bias=False),
            nn.BatchNorm2d(middle),
            nn.ReLU(inplace=True),
            nn.Conv2d(middle, channels_out, 1),
        )
        self.skip = (
            nn.Identity()
            if channels_in == channels_out
            else nn.Conv2d(channels_in, channels_out, 1)
        )

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h w"]:
        result: Tensor = self.skip(x) + self.path(x)
        return result


class OriginalResidual(nn.Module):
    """``relu(x + f(x))``, as [17] has it: every sum goes through an activation."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        middle = channels_out // 2
        self.path = nn.Sequential(
            nn.Conv2d(channels_in, middle, 1, bias=False),
            nn.BatchNorm2d(middle),
            nn.ReLU(inplace=True),
            nn.Conv2d(middle, middle, 3, padding=1, bias=False),
            nn.BatchNorm2d(middle),
            nn.ReLU(inplace=True),
            nn.Conv2d(middle, channels_out, 1, bias=False),
            nn.BatchNorm2d(channels_out),
        )
        self.skip = (
            nn.Identity()
            if channels_in == channels_out
            else nn.Sequential(
                nn.Conv2d(channels_in, channels_out, 1, bias=False), nn.BatchNorm2d(channels_out)
            )
        )

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h w"]:
        result: Tensor = (self.skip(x) + self.path(x)).relu()
        return result
