"""Sections 3.1 to 3.3 joined (fig. 2): crop -> stacked hourglasses -> heatmaps -> finetune."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from mien.geometry import FACE_SHARE
from mien.markup import Markup, load_markup
from mien.models.attention import (
    EMPTY_LOGIT,
    AffineHeatmaps,
    ConvolutionHeatmaps,
    GlobalLocalAttention,
    LocalAttention,
    SqueezeAttention,
)
from mien.models.baselines.hierarchical import BinaryHierarchicalBlock, HierarchicalBlock
from mien.models.config import NetworkConfig
from mien.models.decoding import decode_heatmaps
from mien.models.finetune import Finetune
from mien.models.hourglass import Hourglass, Parts, Preprocessing
from mien.models.prediction import Network, Prediction
from mien.models.residual import OriginalResidual, Residual

__all__ = ["Landmarker", "Stage", "heatmap_module", "hourglass_parts"]


class Stage(nn.Module):
    """One hourglass with its heatmaps, and the features it hands on (fig. 3)."""

    def __init__(self, config: NetworkConfig, *, last: bool) -> None:
        super().__init__()
        width, points = config.width, config.points
        parts = hourglass_parts(config)
        self.linear = config.heatmap_values == "linear"
        self.hourglass = Hourglass(width, config.depth, parts)
        self.after = nn.Sequential(
            *_after_hourglass(config, parts), *([nn.Dropout(config.dropout)] * (config.dropout > 0))
        )
        self.heatmaps = heatmap_module(config)
        self.hand_on = None
        if not last:
            self.hand_on = nn.ModuleList([nn.Conv2d(width, width, 1), nn.Conv2d(points, width, 1)])

    def forward(self, x: Float[Tensor, "n c h w"]) -> tuple[Tensor, Tensor, Tensor]:
        """Heatmap logits, heatmaps, and the features for the next stage."""
        features = self.after(self.hourglass(x))
        logits = self.heatmaps(features)
        heatmaps = _heatmaps(logits, self.linear)
        if self.hand_on is None:
            return logits, heatmaps, x
        from_features, from_heatmaps = self.hand_on
        return logits, heatmaps, x + from_features(features) + from_heatmaps(heatmaps)


def hourglass_parts(config: NetworkConfig) -> Parts:
    """What the switches of section 3.1 put into every hourglass."""
    blocks: dict[str, Callable[[int, int], nn.Module]] = {
        "identity": Residual,
        "original": OriginalResidual,
        "hierarchical": HierarchicalBlock,
        "hierarchical-binary": BinaryHierarchicalBlock,
    }
    return Parts(
        blocks[config.residual],
        activated=config.residual == "original",
        upsampling=config.upsampling,
        deconvolution_kernel=config.deconvolution_kernel,
    )


def _after_hourglass(config: NetworkConfig, parts: Parts) -> list[nn.Module]:
    width = config.width
    if config.after_hourglass == "convolution":
        convolution = nn.Conv2d(width, width, 1, bias=False)
        return [convolution, nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
    return [parts.block(width, width), *parts.activation(width)]


def heatmap_module(config: NetworkConfig) -> nn.Module:
    """The module of fig. 4 that the configuration names."""
    empty = EMPTY_LOGIT if config.heatmap_values == "probability" else 0.0
    if config.heatmap_module.startswith("affine"):
        markup = load_markup(config.points)
        places = markup.mean_shape[:, :2] * FACE_SHARE
        predicted = config.heatmap_module == "affine-predicted"
        return AffineHeatmaps(config.width, _neighbours(markup), places, empty, predicted=predicted)
    modules = {
        "convolution": ConvolutionHeatmaps,
        "local": LocalAttention,
        "global-local": GlobalLocalAttention,
        "squeeze": SqueezeAttention,
    }
    return modules[config.heatmap_module](config.width, config.points, empty)


def _neighbours(markup: Markup) -> Int[np.ndarray, "2 points"]:
    """The points before and after each along its part; an end has its one neighbour twice."""
    neighbours = np.zeros((2, len(markup)), np.int64)
    for part in markup.parts:
        line = part.indices
        first, last = (line[-1], line[0]) if part.closed else (line[1], line[-2])
        neighbours[0, list(line)] = [first, *line[:-1]]
        neighbours[1, list(line)] = [*line[1:], last]
    return neighbours


def _heatmaps(logits: Tensor, linear: bool) -> Tensor:
    return logits if linear else torch.sigmoid(logits)


class Landmarker(Network):
    """The whole network: normalised crops (n, 3, side, side), values in -1..1, to a Prediction."""

    mean_depth: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.preprocessing = Preprocessing(config.width, hourglass_parts(config))
        self.stages = nn.ModuleList(
            Stage(config, last=index == config.stacks - 1) for index in range(config.stacks)
        )
        mean_head = load_markup(config.points).mean_shape * FACE_SHARE
        self.finetune = Finetune(
            config.points,
            config.stacks,
            config.finetune_width,
            config.finetune_hidden,
            places=mean_head[:, :2] if config.finetune_output == "absolute" else None,
            plane=config.finetune_output != "none",
            depth=config.finetune_dims == 3,
            shrink=config.finetune_shrink,
        )
        self.register_buffer("mean_depth", torch.tensor(mean_head[:, 2], dtype=torch.float32))

    def forward(self, crops: Float[Tensor, "n 3 s s"]) -> Prediction:
        x = self.preprocessing(crops)
        logits: list[Tensor] = []
        heatmaps: list[Tensor] = []
        for stage in self.stages:
            stage_logits, stage_heatmaps, x = stage(x)
            logits.append(stage_logits)
            heatmaps.append(stage_heatmaps)
        linear = self.config.heatmap_values == "linear"
        last = logits[-1].float()
        # Below 0 a linear heatmap says no more than empty, and its square would say face.
        decoded = decode_heatmaps(
            last.relu() if linear else torch.sigmoid(last), self.config.decoding_window
        )
        if not self.config.end_to_end:
            heatmaps = [heatmap.detach() for heatmap in heatmaps]
        if not (self.config.end_to_end and self.config.decoded_gradient):
            decoded = decoded.detach()
        finetuned = self.finetune(heatmaps, crops)
        plane = finetuned.plane
        if self.config.finetune_output != "absolute":
            plane = decoded + plane
        depth = (self.mean_depth + finetuned.depth).unsqueeze(-1)
        points = torch.cat([plane, depth], dim=-1)
        return Prediction(tuple(logits), points, finetuned.log_error, finetuned.score_logit, linear)
