"""Section 3.1: sigmoid cross entropy of heatmaps against Gaussians, pixel by pixel."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from mien.models.decoding import pixel_centres

__all__ = ["GAUSSIAN_RADIUS", "gaussian_heatmaps", "heatmap_loss"]

GAUSSIAN_RADIUS = 5.0 / 64
"""The paper's radius of 5 px on 64, as a share of the side."""


def gaussian_heatmaps(
    points: Float[Tensor, "n points 2"], side: int, dtype: torch.dtype = torch.float32
) -> Float[Tensor, "n points side side"]:
    """Targets: 1 at each point, a Gaussian around it whose three sigmas are the radius.

    Points are shares of the side; centres lie below the pixel. A point outside the crop has
    whatever of its Gaussian reaches in. The memory lies channels last, as the network's does.
    """
    sigma = GAUSSIAN_RADIUS / 3
    distance = (pixel_centres(side, points)[:, None] - points.permute(2, 0, 1).unsqueeze(2)) / sigma
    x, y = torch.exp(-0.5 * distance**2).to(dtype)  # each (n, side, points)
    targets: Tensor = (y.unsqueeze(2) * x.unsqueeze(1)).permute(0, 3, 1, 2)
    return targets


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
    summed: Tensor = _SigmoidCrossEntropy.apply(logits, targets)  # type: ignore[no-untyped-call]
    loss: Tensor = (summed / covered * weights).sum() / weights.sum().clamp_min(1)
    return loss


class _SigmoidCrossEntropy(torch.autograd.Function):
    """Cross entropy summed over each heatmap, in the precision of the logits.

    Written out because its gradient is ``sigmoid(logit) - target``: torch's own makes five
    passes in single precision over the largest tensors of the network, a fifth of a step.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, targets: Tensor) -> Tensor:
        ctx.save_for_backward(logits, targets)
        entropy = functional.softplus(logits) - logits * targets
        return entropy.sum(dim=(2, 3), dtype=torch.float32)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        logits, targets = ctx.saved_tensors
        (gradient,) = gradients
        difference = torch.sigmoid(logits).sub_(targets)
        return difference.mul_(gradient[..., None, None].to(logits.dtype)), None
