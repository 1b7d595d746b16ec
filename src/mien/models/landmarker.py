"""Sections 3.1 to 3.3 joined (fig. 2): crop -> stacked hourglasses -> heatmaps -> finetune."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mien.errors import ConfigError
from mien.geometry import FACE_SHARE
from mien.markup import load_markup
from mien.models.attention import GlobalLocalAttention
from mien.models.decoding import decode_heatmaps
from mien.models.finetune import Finetune
from mien.models.hourglass import Hourglass, Preprocessing
from mien.models.residual import Residual

__all__ = ["Landmarker", "NetworkConfig", "Prediction"]


@dataclass(frozen=True)
class NetworkConfig:
    """The shape of a network."""

    points: int = 68
    """Points of the markup: 68 or 84."""
    side: int = 256
    """Side of the crop, px; heatmaps have a quarter of it."""
    width: int = 64
    """Channels of the hourglasses (the paper's size: 256)."""
    stacks: int = 4
    """Hourglasses one after the other, each with heatmaps of its own."""
    depth: int = 4
    """Halvings inside an hourglass."""
    finetune_width: int = 48
    """Channels of the finetune module's first convolutions."""
    finetune_hidden: int = 256
    """Size of its first fully connected layer."""

    def __post_init__(self) -> None:
        sizes = (self.stacks, self.depth, self.finetune_width, self.finetune_hidden)
        if min(sizes) < 1 or self.width < 2:
            raise ConfigError(
                "stacks, depth, finetune_width and finetune_hidden are at least 1, width at least 2"
            )
        if self.side < 1 or self.side % (4 * 2**self.depth):
            raise ConfigError(
                f"side {self.side} cannot be halved {self.depth + 2} times: "
                f"take a multiple of {4 * 2**self.depth}"
            )


@dataclass(frozen=True)
class Prediction:
    """What a network says of a batch of crops; places are shares of the crop's side."""

    heatmap_logits: tuple[Float[Tensor, "n points h w"], ...]
    """One a stack, first to last."""
    points: Float[Tensor, "n points 3"]
    log_error: Float[Tensor, "n points"]
    score_logit: Float[Tensor, " n"]


class Stage(nn.Module):
    """One hourglass with its heatmaps, and the features it hands on (fig. 3)."""

    def __init__(self, config: NetworkConfig, *, last: bool) -> None:
        super().__init__()
        width, points = config.width, config.points
        self.hourglass = Hourglass(width, config.depth)
        self.after = nn.Sequential(
            Residual(width, width), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
        )
        self.heatmaps = GlobalLocalAttention(width, points)
        self.hand_on = None
        if not last:
            self.hand_on = nn.ModuleList([nn.Conv2d(width, width, 1), nn.Conv2d(points, width, 1)])

    def forward(self, x: Float[Tensor, "n c h w"]) -> tuple[Tensor, Tensor, Tensor]:
        """Heatmap logits, heatmaps, and the features for the next stage."""
        features = self.after(self.hourglass(x))
        logits = self.heatmaps(features)
        heatmaps = torch.sigmoid(logits)
        if self.hand_on is None:
            return logits, heatmaps, x
        from_features, from_heatmaps = self.hand_on
        return logits, heatmaps, x + from_features(features) + from_heatmaps(heatmaps)


class Landmarker(nn.Module):
    """The whole network: normalised crops (n, 3, side, side), values in -1..1, to a Prediction."""

    mean_depth: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.preprocessing = Preprocessing(config.width)
        self.stages = nn.ModuleList(
            Stage(config, last=index == config.stacks - 1) for index in range(config.stacks)
        )
        self.finetune = Finetune(
            config.points, config.stacks, config.finetune_width, config.finetune_hidden
        )
        depth = load_markup(config.points).mean_shape[:, 2] * FACE_SHARE
        self.register_buffer("mean_depth", torch.tensor(depth, dtype=torch.float32))

    def forward(self, crops: Float[Tensor, "n 3 s s"]) -> Prediction:
        x = self.preprocessing(crops)
        logits: list[Tensor] = []
        heatmaps: list[Tensor] = []
        for stage in self.stages:
            stage_logits, stage_heatmaps, x = stage(x)
            logits.append(stage_logits)
            heatmaps.append(stage_heatmaps)
        finetuned = self.finetune(heatmaps, crops)
        decoded = decode_heatmaps(torch.sigmoid(logits[-1].float()))
        points = torch.cat(
            [
                decoded + finetuned.correction,
                (self.mean_depth + finetuned.depth).unsqueeze(-1),
            ],
            dim=-1,
        )
        return Prediction(tuple(logits), points, finetuned.log_error, finetuned.score_logit)
