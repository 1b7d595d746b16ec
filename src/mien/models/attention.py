"""Section 3.2: the heatmap module with global, then local attention (module 4 of fig. 4).

An attention map has one channel (eq. 1) and multiplies every channel of the features (eq. 2).
A global map first weighs the features (eq. 3); then each landmark has a map of its own (eq. 4),
and its heatmap is one linear reading of the features so weighed. As a product with a one-channel
map commutes with a reading across channels, ``v_i . (y_i * h) = y_i * (v_i . h)``, all N local
modules are two 1x1 convolutions: ``docs/decisions/0002-attention.md``.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["GlobalLocalAttention"]

_EMPTY_LOGIT = -5.0
"""First guess of a heatmap pixel: a landmark covers about 17 of 4096."""


class GlobalLocalAttention(nn.Module):
    """Module 4: features (n, c, h, w) to heatmap logits (n, points, h, w)."""

    def __init__(self, width: int, points: int) -> None:
        super().__init__()
        self.global_attention = nn.Conv2d(width, 1, 1)
        self.local_attention = nn.Conv2d(width, points, 1)
        self.reading = nn.Conv2d(width, points, 1, bias=False)
        self.bias = nn.Parameter(torch.full((points, 1, 1), _EMPTY_LOGIT))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n points h w"]:
        y_global = torch.sigmoid(self.global_attention(x))  # Eq. 1
        h_global = y_global * x  # Eq. 2, 3
        y_local = torch.sigmoid(self.local_attention(h_global))  # Eq. 1, one map a landmark
        heatmaps: Tensor = y_local * self.reading(h_global) + self.bias  # Eq. 4
        return heatmaps
