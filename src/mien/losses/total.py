"""All losses of a batch, each under its own name, and their weighted sum."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from mien.errors import ConfigError
from mien.losses.heatmap import (
    GAUSSIAN_RADIUS,
    gaussian_heatmaps,
    heatmap_l2_loss,
    heatmap_loss,
)
from mien.losses.shape import (
    aperture_loss,
    depth_loss,
    error_loss,
    mouth_loss,
    score_loss,
    shape_loss,
)
from mien.models import Prediction

__all__ = ["LossTerms", "LossWeights", "total_loss"]


@dataclass(frozen=True)
class LossWeights:
    """Weights of the terms in the sum."""

    heatmap: float = 1.0
    """Sigmoid cross entropy, for each stack (section 3.1)."""
    shape: float = 10.0
    """l2 of the finetune output, in face sizes (section 3.3)."""
    aperture: float = 0.0
    """Steps between lids and between lips, in face sizes; not computed at 0."""
    mouth: float = 0.0
    """Steps across the mouth, corners and rims of its lips, in face sizes; not computed at 0."""
    depth: float = 5.0
    """Absolute error of z, in face sizes."""
    error: float = 0.05
    """Likelihood of the expected error of each point."""
    score: float = 0.2
    """Cross entropy of the score."""
    shape_size: str = "head"
    """What distances of the finetune output are shares of: ``head``, the size of a head seen from
    the front, or ``box``, the root of width times height of the face's own points (eq. 5)."""
    heatmap_loss: str = "cross-entropy"
    """``cross-entropy`` (change 5 of section 3.1) or ``l2`` of the stacked hourglass, which goes
    with ``heatmap_values = "linear"``."""
    gaussian_radius: float = GAUSSIAN_RADIUS
    """Three sigmas of the heatmaps' Gaussians, as a share of the crop's side."""

    def __post_init__(self) -> None:
        if self.shape_size not in ("head", "box"):
            raise ConfigError(f"shape_size is 'head' or 'box', not {self.shape_size!r}")
        if self.heatmap_loss not in ("cross-entropy", "l2"):
            raise ConfigError(f"heatmap_loss is 'cross-entropy' or 'l2', not '{self.heatmap_loss}'")
        if not self.gaussian_radius > 0:
            raise ConfigError(f"gaussian_radius is above 0, not {self.gaussian_radius}")


@dataclass(frozen=True)
class LossTerms:
    """Unweighted terms of one batch, and their weighted ``total``."""

    total: Float[Tensor, ""]
    heatmap: Float[Tensor, ""]
    shape: Float[Tensor, ""]
    aperture: Float[Tensor, ""]
    mouth: Float[Tensor, ""]
    depth: Float[Tensor, ""]
    error: Float[Tensor, ""]
    score: Float[Tensor, ""]


def total_loss(
    prediction: Prediction,
    truth: Float[Tensor, "n points 3"],
    weights: Float[Tensor, "n points"],
    is_face: Float[Tensor, " n"],
    loss_weights: LossWeights,
    convention_offset: Float[Tensor, "n points 3"] | None = None,
    has_depth: Float[Tensor, " n"] | None = None,
) -> LossTerms:
    """Losses of a batch; ``truth`` is in shares of the side, as is ``convention_offset``.

    The latter is that of :func:`error_loss`.

    ``has_depth`` is 0 for faces whose z is not known. A counter-example (``is_face`` 0) has weight
    0 for all its points: it teaches the score alone.

    Raises:
        ConfigError: cross entropy is asked of heatmaps that are no probabilities.
    """
    weights = weights * is_face.unsqueeze(-1)
    heatmap = _heatmaps(prediction, truth, weights, loss_weights)
    by_box = loss_weights.shape_size == "box"
    shape = shape_loss(prediction.points, truth, weights, by_box=by_box)
    aperture, mouth = truth.new_zeros(()), truth.new_zeros(())
    if loss_weights.aperture > 0:
        aperture = aperture_loss(prediction.points, truth, weights)
    if loss_weights.mouth > 0:
        mouth = mouth_loss(prediction.points, truth, weights)
    known = weights if has_depth is None else weights * has_depth.unsqueeze(-1)
    depth = depth_loss(prediction.points, truth, known)
    error = error_loss(prediction.log_error, prediction.points, truth, weights, convention_offset)
    score = score_loss(prediction.score_logit, is_face)
    total = (
        loss_weights.heatmap * heatmap
        + loss_weights.shape * shape
        + loss_weights.aperture * aperture
        + loss_weights.mouth * mouth
        + loss_weights.depth * depth
        + loss_weights.error * error
        + loss_weights.score * score
    )
    return LossTerms(total, heatmap, shape, aperture, mouth, depth, error, score)


def _heatmaps(
    prediction: Prediction,
    truth: Float[Tensor, "n points 3"],
    weights: Float[Tensor, "n points"],
    loss_weights: LossWeights,
) -> Float[Tensor, ""]:
    """The mean over the stacks."""
    kind, radius = loss_weights.heatmap_loss, loss_weights.gaussian_radius
    if kind == "cross-entropy" and prediction.linear:
        raise ConfigError(
            "cross entropy needs heatmap_values = 'probability'; "
            "'linear' heatmaps are for heatmap_loss = 'l2'"
        )
    if not prediction.heatmap_logits:  # a network that regresses points at once
        return truth.new_zeros(())
    first = prediction.heatmap_logits[0]
    targets = gaussian_heatmaps(truth[..., :2], first.shape[-1], first.dtype, radius)
    if kind == "l2":
        stacks = [heatmap_l2_loss(each, targets, weights, radius) for each in prediction.heatmaps()]
    else:
        stacks = [
            heatmap_loss(each, targets, weights, radius) for each in prediction.heatmap_logits
        ]
    return torch.stack(stacks).mean()
