"""The face finder: a small, fully convolutional network with maps at strides 8, 16 and 32.

A picture is halved five times by depthwise separable blocks (Howard et al., MobileNets, 2017); a
top-down path (Lin et al., Feature pyramid networks, CVPR 2017) carries what the coarse maps know to
the fine ones. Every cell of a map says how likely a face is centred there, where its centre and
five points lie, and how large it is (Zhou et al., Objects as points, 2019). Each map is for faces
of one range of sizes. Every normalisation follows a convolution, so that all fold away.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torch.utils.flop_counter import FlopCounterMode

from mien.errors import ConfigError

__all__ = [
    "CHANNELS",
    "FACE_RANGES",
    "STRIDES",
    "FinderNetwork",
    "FinderNetworkConfig",
    "FinderSize",
    "finder_size",
]

STRIDES = (8, 16, 32)
FACE_RANGES = ((1.0, 4.5), (1.75, 5.0), (2.0, 16.0))
"""Sizes of the faces of each map, in its strides; neighbours share a band."""
CHANNELS = 14
"""Logit of the score, centre (x, y) from the cell's middle in strides, logarithm of the size in
strides, and the five points (x, y each) from the centre in sizes."""

_PRIOR = -4.6
"""Logit of a score of 0.01: at the start nearly nothing is a face (Lin et al., Focal loss)."""


@dataclass(frozen=True)
class FinderNetworkConfig:
    """The shape of the finder's network."""

    widths: tuple[int, ...] = (16, 24, 64, 96, 128)
    """Channels at strides 2, 4, 8, 16 and 32."""
    blocks: tuple[int, ...] = (1, 2, 3, 3)
    """Blocks at strides 4, 8, 16 and 32 after the one that halves."""
    neck: int = 64
    """Channels of the top-down path."""

    def __post_init__(self) -> None:
        if len(self.widths) != 5 or len(self.blocks) != 4:
            raise ConfigError("a finder has five widths and four numbers of blocks")
        if min(self.widths) < 1 or min(self.blocks) < 0 or self.neck < 1:
            raise ConfigError("a finder's widths and neck are at least 1, its blocks at least 0")


class FinderNetwork(nn.Module):
    """RGB pictures, whose sides are multiples of 32, to one map a stride."""

    def __init__(self, config: FinderNetworkConfig) -> None:
        super().__init__()
        self.config = config
        two, four, eight, sixteen, last = config.widths
        at4, at8, at16, at32 = config.blocks
        self.stem = nn.Sequential(
            _convolution(3, two, 3, stride=2),
            _convolution(two, four, 3, stride=2),
            *(_Separable(four, four) for _ in range(at4)),
        )
        self.stage8 = _stage(four, eight, at8)
        self.stage16 = _stage(eight, sixteen, at16)
        self.stage32 = _stage(sixteen, last, at32, kernel=5)
        self.lateral = nn.ModuleList(
            _convolution(width, config.neck, 1) for width in (eight, sixteen, last)
        )
        self.merged = nn.ModuleList(_Separable(config.neck, config.neck) for _ in STRIDES)
        self.head = nn.ModuleList(_head(config.neck) for _ in STRIDES)

    def forward(
        self, pictures: UInt8[Tensor, "n height width 3"]
    ) -> tuple[Float[Tensor, "n 14 _ _"], ...]:
        """The maps, finest first, with ``CHANNELS`` channels each."""
        return self.maps(pictures.permute(0, 3, 1, 2).float() / 255)

    def maps(
        self, values: Float[Tensor, "n 3 height width"]
    ) -> tuple[Float[Tensor, "n 14 _ _"], ...]:
        """The same of pictures whose values were brought to 0..1, channels first."""
        fine = self.stage8(self.stem(values))
        middle = self.stage16(fine)
        coarse = self.stage32(middle)
        path: Tensor | None = None
        maps: list[Tensor] = []
        for level in (2, 1, 0):
            own = self.lateral[level]((fine, middle, coarse)[level])
            if path is not None:
                own = own + interpolate(path, scale_factor=2.0, mode="nearest")
            path = self.merged[level](own)
            maps.insert(0, self.head[level](path))
        return tuple(maps)


@dataclass(frozen=True)
class FinderSize:
    """How large a finder is."""

    parameters: int
    gflops: float
    """For one picture of ``side`` x ``side`` px, two for a multiply-add of a convolution."""
    side: int = 320


def finder_size(config: FinderNetworkConfig) -> FinderSize:
    """Count parameters and operations on tensors that have a shape and no memory."""
    side = FinderSize.side
    with torch.device("meta"):
        network = FinderNetwork(config).eval()
        pictures = torch.zeros(1, side, side, 3, dtype=torch.uint8)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(pictures)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return FinderSize(parameters, counter.get_total_flops() / 1e9)


class _Separable(nn.Module):
    """A convolution in the plane, then one across channels; a shortcut where shapes allow."""

    def __init__(self, width: int, out: int, *, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.plane = _convolution(width, width, kernel, stride=stride, groups=width)
        self.across = nn.Sequential(
            nn.Conv2d(width, out, 1, bias=False),
            nn.BatchNorm2d(out),
        )
        self.has_shortcut = stride == 1 and width == out

    def forward(self, values: Tensor) -> Tensor:
        change = self.across(self.plane(values))
        return torch.relu(values + change if self.has_shortcut else change)


def _stage(width: int, out: int, blocks: int, *, kernel: int = 3) -> nn.Sequential:
    more = (_Separable(out, out, kernel=kernel) for _ in range(blocks))
    return nn.Sequential(_Separable(width, out, stride=2), *more)


def _convolution(
    width: int, out: int, kernel: int, *, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width, out, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(out),
        nn.ReLU(),
    )


def _head(width: int) -> nn.Sequential:
    last = nn.Conv2d(width, CHANNELS, 1)
    nn.init.normal_(last.weight, std=0.01)
    nn.init.zeros_(last.bias)  # type: ignore[arg-type]
    with torch.no_grad():
        last.bias[0] = _PRIOR  # type: ignore[index]
    return nn.Sequential(_Separable(width, width), last)
