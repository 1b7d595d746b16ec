"""Table 1, "Resnet18 [17]": the shape straight from the picture, without heatmaps.

He, Zhang, Ren, Sun, "Deep residual learning for image recognition", CVPR 2016 ([17]): the network
of 18 layers, its classifier replaced by the coordinates. As in every network of ours the head also
gives the expected error of each point and the score, so that it is trained, exported and tracked
with as the paper's own.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mien.geometry import FACE_SHARE
from mien.markup import load_markup
from mien.models.config import NetworkConfig
from mien.models.prediction import Network, Prediction

__all__ = ["BasicBlock", "ResNet18", "resnet18_features"]

_FIRST_LOG_ERROR = -3.0


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a skip, which is projected where shape or channels change."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.path = nn.Sequential(
            nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels_out, channels_out, 3, 1, 1, bias=False),
            nn.BatchNorm2d(channels_out),
        )
        self.skip: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels_out:
            self.skip = nn.Sequential(
                nn.Conv2d(channels_in, channels_out, 1, stride, bias=False),
                nn.BatchNorm2d(channels_out),
            )

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d k l"]:
        result: Tensor = (self.skip(x) + self.path(x)).relu()
        return result


def resnet18_features(width: int, channels_in: int = 3) -> nn.Sequential:
    """Pictures to (n, 8 width) features; ``width`` is 64 in the original."""
    layers: list[nn.Module] = [
        nn.Conv2d(channels_in, width, 7, 2, 3, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, 1),
    ]
    channels = width
    for stage in range(4):
        wider = width * 2**stage
        layers += [
            BasicBlock(channels, wider, 1 if stage == 0 else 2),
            BasicBlock(wider, wider, 1),
        ]
        channels = wider
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


class ResNet18(Network):
    """ResNet-18 and one linear layer: x, y, z of the points, their expected errors, the score.

    ``config.width`` is that of the first stage.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        points = config.points
        self.features = resnet18_features(config.width)
        self.head = nn.Linear(8 * config.width, 4 * points + 1)
        mean_head = torch.tensor(load_markup(points).mean_shape * FACE_SHARE, dtype=torch.float32)
        nn.init.zeros_(self.head.weight)
        with torch.no_grad():
            self.head.bias[: 3 * points] = mean_head.flatten()
            self.head.bias[3 * points : -1] = _FIRST_LOG_ERROR
            self.head.bias[-1] = 0.0

    def forward(self, crops: Float[Tensor, "n 3 s s"]) -> Prediction:
        points = self.config.points
        answer = self.head(self.features(crops)).float()
        shape, errors = answer[:, : 3 * points], answer[:, 3 * points : -1]
        return Prediction((), shape.reshape(-1, points, 3), errors, answer[:, -1])
