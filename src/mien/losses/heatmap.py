"""Section 3.1: heatmaps against Gaussians, pixel by pixel.

Sigmoid cross entropy is the paper's (change 5); l2 is that of the stacked hourglass before it.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from mien.models.decoding import pixel_centres

__all__ = ["GAUSSIAN_RADIUS", "gaussian_heatmaps", "heatmap_l2_loss", "heatmap_loss"]

GAUSSIAN_RADIUS = 5.0 / 64
"""The paper's radius of 5 px on 64, as a share of the side."""


def gaussian_heatmaps(
    points: Float[Tensor, "n points 2"],
    side: int,
    dtype: torch.dtype = torch.float32,
    radius: float = GAUSSIAN_RADIUS,
) -> Float[Tensor, "n points side side"]:
    """Targets: 1 at each point, a Gaussian around it whose three sigmas are the radius.

    Points and radius are shares of the side; centres lie below the pixel. A point outside the crop
    has whatever of its Gaussian reaches in. The memory lies channels last, as the network's does.
    """
    sigma = radius / 3
    distance = (pixel_centres(side, points)[:, None] - points.permute(2, 0, 1).unsqueeze(2)) / sigma
    # Each (n, side, points), and laid out so: a product lies in memory as its factors do.
    x, y = torch.exp(-0.5 * distance**2).to(dtype, memory_format=torch.contiguous_format)
    targets: Tensor = (y.unsqueeze(2) * x.unsqueeze(1)).permute(0, 3, 1, 2)
    return targets


def heatmap_loss(
    logits: Float[Tensor, "n points h w"],
    targets: Float[Tensor, "n points h w"],
    weights: Float[Tensor, "n points"],
    radius: float = GAUSSIAN_RADIUS,
) -> Float[Tensor, ""]:
    """Mean over trusted points of the cross entropy summed over a heatmap.

    Divided by the pixels that a Gaussian of ``radius``, that of the targets, covers
    (2 pi sigma^2), so that the value means the same at every resolution.
    """
    summed: Tensor = _SigmoidCrossEntropy.apply(logits, targets)  # type: ignore[no-untyped-call]
    return _mean_of_points(summed, weights, radius * logits.shape[-1])


def heatmap_l2_loss(
    heatmaps: Float[Tensor, "n points h w"],
    targets: Float[Tensor, "n points h w"],
    weights: Float[Tensor, "n points"],
    radius: float = GAUSSIAN_RADIUS,
) -> Float[Tensor, ""]:
    """Mean over trusted points of the squared difference summed over a heatmap ([30]).

    Divided as :func:`heatmap_loss` is; an empty heatmap costs 1/2 at every resolution.
    """
    summed = (heatmaps - targets).square().sum(dim=(2, 3), dtype=torch.float32)
    return _mean_of_points(summed, weights, radius * heatmaps.shape[-1])


def _mean_of_points(
    summed: Float[Tensor, "n points"], weights: Float[Tensor, "n points"], radius_px: float
) -> Float[Tensor, ""]:
    covered = 2 * torch.pi * (radius_px / 3) ** 2
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
