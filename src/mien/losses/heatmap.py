"""Section 3.1: sigmoid cross entropy of heatmaps against Gaussians, pixel by pixel."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from mien.models.decoding import pixel_centres

__all__ = ["gaussian_heatmaps", "heatmap_loss"]

GAUSSIAN_RADIUS = 5.0 / 64
"""The paper's radius of 5 px on 64, as a share of the side."""


def gaussian_heatmaps(
    points: Float[Tensor, "n points 2"], side: int
) -> Float[Tensor, "n points side side"]:
    """Targets: 1 at each point, a Gaussian around it whose three sigmas are the radius.

    Points are shares of the side; centres lie below the pixel. A point outside the crop has
    whatever of its Gaussian reaches in.
    """
    sigma = GAUSSIAN_RADIUS / 3
    centres = pixel_centres(side, points)
    x = torch.exp(-0.5 * ((centres - points[..., :1]) / sigma) ** 2)
    y = torch.exp(-0.5 * ((centres - points[..., 1:]) / sigma) ** 2)
    return y.unsqueeze(-1) * x.unsqueeze(-2)


def heatmap_loss(
    logits: Float[Tensor, "n points h w"],
    targets: Float[Tensor, "n points h w"],
    weights: Float[Tensor, "n points"],
) -> Float[Tensor, ""]:
    """Mean over trusted points of the cross entropy summed over a heatmap.

    Divided by the pixels that a Gaussian covers (2 pi sigma^2), so that the value means the same
    at every resolution.
    """
    covered = 2 * torch.pi * (GAUSSIAN_RADIUS / 3 * logits.shape[-1]) ** 2
    entropy = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    summed = entropy.float().sum(dim=(2, 3)) / covered
    return (summed * weights).sum() / weights.sum().clamp_min(1)
