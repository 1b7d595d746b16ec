"""What every network of ours says of a crop, whatever stands inside."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from mien.models.config import NetworkConfig

__all__ = ["Network", "Prediction"]


@dataclass(frozen=True)
class Prediction:
    """What a network says of a batch of crops; places are shares of the crop's side."""

    heatmap_logits: tuple[Float[Tensor, "n points h w"], ...]
    """One a stack, first to last; heatmaps themselves where the network is ``linear``; none where
    it regresses the points at once."""
    points: Float[Tensor, "n points 3"]
    log_error: Float[Tensor, "n points"]
    score_logit: Float[Tensor, " n"]
    linear: bool = False
    """Whether no sigmoid stands between ``heatmap_logits`` and heatmaps."""

    def heatmaps(self) -> tuple[Float[Tensor, "n points h w"], ...]:
        """One a stack; a landmark lies where its own is 1."""
        if self.linear:
            return self.heatmap_logits
        return tuple(torch.sigmoid(logits) for logits in self.heatmap_logits)


class Network(nn.Module):
    """Normalised crops (n, 3, side, side), values in -1..1, to a :class:`Prediction`."""

    config: NetworkConfig
