"""What a face finder is punished for: scores, places, sizes and points of its maps."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

__all__ = ["FinderLossTerms", "FinderLossWeights", "finder_loss"]


@dataclass(frozen=True)
class FinderLossWeights:
    """Factors of the terms."""

    heat: float = 1.0
    """Focal loss of the scores, a face."""
    place: float = 4.0
    """Error of the centre, in face sizes."""
    size: float = 2.0
    """Error of the size's logarithm."""
    points: float = 4.0
    """Mean error of the five points, in face sizes."""


@dataclass(frozen=True)
class FinderLossTerms:
    """The weighted terms, and their sum."""

    heat: Float[Tensor, ""]
    place: Float[Tensor, ""]
    size: Float[Tensor, ""]
    points: Float[Tensor, ""]

    @property
    def total(self) -> Float[Tensor, ""]:
        return self.heat + self.place + self.size + self.points


def finder_loss(
    maps: tuple[Float[Tensor, "n 14 _ _"], ...],
    targets: tuple[Float[Tensor, "n 18 _ _"], ...],
    weights: FinderLossWeights,
) -> FinderLossTerms:
    """Over all maps together; ``targets`` are those of ``finder_targets.level_target``.

    Scores: the focal loss of Law and Deng (CornerNet, ECCV 2018), eq. 1, with exponents 2 and 4,
    a wanted face. Places, sizes and points: absolute errors, a cell about a face's centre weighs as
    its heat.
    """
    found = torch.cat([one.float().flatten(2) for one in maps], dim=2).transpose(1, 2)
    wanted = torch.cat([one.flatten(2) for one in targets], dim=2).transpose(1, 2)
    heat, heat_weight, near = wanted[..., 0], wanted[..., 1], wanted[..., 2]
    is_face = (heat >= 1).float()
    faces = (is_face * heat_weight).sum().clamp(min=1)
    logit = found[..., 0]
    score = torch.sigmoid(logit)
    right = is_face * (1 - score) ** 2 * logsigmoid(logit)
    wrong = (1 - is_face) * (1 - heat) ** 4 * score**2 * logsigmoid(-logit)
    heat_term = -((right + wrong) * heat_weight).sum() / faces
    cells = near.sum().clamp(min=1e-3)
    in_sizes = near / wanted[..., 17].clamp(min=1)
    centre = (found[..., 1:3] - wanted[..., 3:5]).abs().sum(dim=-1)
    size = (found[..., 3] - wanted[..., 5]).abs()
    known = near * wanted[..., 16]
    points = (found[..., 4:] - wanted[..., 6:16]).abs().mean(dim=-1)
    return FinderLossTerms(
        weights.heat * heat_term,
        weights.place * (in_sizes * centre).sum() / cells,
        weights.size * (near * size).sum() / cells,
        weights.points * (known * points).sum() / known.sum().clamp(min=1e-3),
    )
