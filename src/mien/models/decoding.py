"""Landmarks from heatmaps, below the pixel, inside the graph.

Coordinates are shares of the side: 0 in the middle, -0.5 and 0.5 at the outer edges, so that they
mean the same at every resolution. Pixel i of n has its centre at ``(i + 0.5) / n - 0.5``.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["decode_heatmaps", "pixel_centres", "pixels_from_shares"]


def pixel_centres(count: int, like: Tensor) -> Float[Tensor, " count"]:
    """Shares of the centres of ``count`` pixels."""
    return (torch.arange(count, device=like.device, dtype=torch.float32) + 0.5) / count - 0.5


def pixels_from_shares(shares: Tensor, side: int) -> Tensor:
    """Shares of the side to pixels with centres at integers."""
    return (shares + 0.5) * side - 0.5


def decode_heatmaps(
    heatmaps: Float[Tensor, "n points h w"], window: int = 0
) -> Float[Tensor, "n points 2"]:
    """The centre of mass of the squared probabilities.

    The square of a Gaussian is a Gaussian about the same centre, so a perfect heatmap decodes to
    its landmark exactly, while the faint background weighs next to nothing. Heatmaps that are no
    probabilities (l2) have a background that does weigh: there, and where rows of a table with
    either are compared, only a ``window`` about the highest pixel is read.

    Args:
        window: odd side of the window in pixels of the heatmap; 0 reads the whole of it.
    """
    weights = heatmaps.float().square()
    if window:
        weights = weights * _near_peak(weights, window // 2)
    columns = weights.sum(dim=2)
    rows = weights.sum(dim=3)
    total = rows.sum(dim=2).clamp_min(1e-6)
    x = (columns * pixel_centres(weights.shape[3], weights)).sum(dim=2) / total
    y = (rows * pixel_centres(weights.shape[2], weights)).sum(dim=2) / total
    return torch.stack([x, y], dim=-1)


def _near_peak(values: Float[Tensor, "n points h w"], reach: int) -> Float[Tensor, "n points h w"]:
    """1 in the square of that half side about each map's highest pixel, 0 elsewhere."""
    height, width = values.shape[2:]
    peak = values.flatten(2).argmax(dim=2)
    across = torch.arange(width, device=values.device) - (peak % width).unsqueeze(-1)
    down = torch.arange(height, device=values.device) - (peak // width).unsqueeze(-1)
    near = (down.abs() <= reach).unsqueeze(-1) & (across.abs() <= reach).unsqueeze(-2)
    return near.to(values.dtype)
