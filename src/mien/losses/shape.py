"""Section 3.3: the l2 loss of the finetune output, and what the tracker asks of it besides.

Distances are shares of the crop's side; divided by ``FACE_SHARE`` they are NME (eq. 5) of a head
seen from the front.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from mien.geometry import FACE_SHARE
from mien.markup import load_markup

__all__ = [
    "aperture_loss",
    "depth_loss",
    "error_loss",
    "mouth_loss",
    "score_loss",
    "shape_loss",
]

_LEAST_BOX = 0.05
"""Of the crop's side: labels of a smaller face are no face's."""


def shape_loss(
    points: Float[Tensor, "n points dims"],
    truth: Float[Tensor, "n points dims"],
    weights: Float[Tensor, "n points"],
    *,
    by_box: bool = False,
) -> Float[Tensor, ""]:
    """Mean Euclidean distance in the image plane over trusted points.

    In face sizes: of a head seen from the front or, ``by_box``, of the face itself, the root of
    width times height of its points' box, as eq. 5 has it. A turned head's box is narrower, so
    that the same distance weighs more there.
    """
    distance = (points[..., :2] - truth[..., :2]).norm(dim=-1)
    return _mean(distance / (_box_sizes(truth) if by_box else FACE_SHARE), weights)


def _box_sizes(truth: Float[Tensor, "n points dims"]) -> Float[Tensor, "n 1"]:
    extent = truth[..., :2].amax(dim=1) - truth[..., :2].amin(dim=1)
    return extent.prod(dim=-1, keepdim=True).sqrt().clamp_min(_LEAST_BOX)


def aperture_loss(
    points: Float[Tensor, "n points dims"],
    truth: Float[Tensor, "n points dims"],
    weights: Float[Tensor, "n points"],
) -> Float[Tensor, ""]:
    """How wide eyes and mouth are open: mean error of the steps between lids, and between lips.

    In face sizes, in the image plane. A blink moves two points by a hundredth of a face each, which
    the mean over all points hardly sees; their step says shut or open, wherever the eye is put.
    """
    return _steps_loss(points, truth, weights, load_markup(truth.shape[1]).apertures)


def mouth_loss(
    points: Float[Tensor, "n points dims"],
    truth: Float[Tensor, "n points dims"],
    weights: Float[Tensor, "n points"],
) -> Float[Tensor, ""]:
    """How wide and how full the mouth is: mean error of the steps between its corners and between
    the outer rims of its lips.

    As :func:`aperture_loss`, for puckers: a network that has seen few leaves the corners where
    mouths have them most often.
    """
    return _steps_loss(points, truth, weights, load_markup(truth.shape[1]).mouth_spans)


def _steps_loss(
    points: Float[Tensor, "n points dims"],
    truth: Float[Tensor, "n points dims"],
    weights: Float[Tensor, "n points"],
    pairs: tuple[tuple[int, int], ...],
) -> Float[Tensor, ""]:
    one, other = torch.tensor(pairs, device=truth.device).T
    step = points[:, one, :2] - points[:, other, :2]
    true_step = truth[:, one, :2] - truth[:, other, :2]
    distance = (step - true_step).norm(dim=-1) / FACE_SHARE
    return _mean(distance, weights[:, one] * weights[:, other])


def depth_loss(
    points: Float[Tensor, "n points 3"],
    truth: Float[Tensor, "n points 3"],
    weights: Float[Tensor, "n points"],
) -> Float[Tensor, ""]:
    """Mean absolute error of z over trusted points, in face sizes."""
    distance = (points[..., 2] - truth[..., 2]).abs() / FACE_SHARE
    return _mean(distance, weights)


def error_loss(
    log_error: Float[Tensor, "n points"],
    points: Float[Tensor, "n points dims"],
    truth: Float[Tensor, "n points dims"],
    weights: Float[Tensor, "n points"],
    convention_offset: Float[Tensor, "n points dims"] | None = None,
) -> Float[Tensor, ""]:
    """Negative log likelihood of the distances under an exponential law of the expected error.

    Where the truth lies half way between two conventions, ``convention_offset`` leads from it to
    the one, and its opposite to the other: the mean of the distances to both is what is to be
    expected, for a user's points are of either. The distances themselves get no gradient from it:
    expecting an error must not make one.
    """
    error = (points[..., :2] - truth[..., :2]).detach()
    way = torch.zeros_like(error) if convention_offset is None else convention_offset[..., :2]
    distance = ((error - way).norm(dim=-1) + (error + way).norm(dim=-1)) / 2
    likelihood = log_error + distance * torch.exp(-log_error)
    return _mean(likelihood, weights)


def score_loss(score_logit: Float[Tensor, " n"], is_face: Float[Tensor, " n"]) -> Float[Tensor, ""]:
    """Cross entropy of the score: 1 for an aligned face, 0 for background or a bad crop."""
    return functional.binary_cross_entropy_with_logits(score_logit, is_face)


def _mean(
    values: Float[Tensor, "n points"], weights: Float[Tensor, "n points"]
) -> Float[Tensor, ""]:
    mean: Tensor = (values * weights).sum() / weights.sum().clamp_min(1)
    return mean
