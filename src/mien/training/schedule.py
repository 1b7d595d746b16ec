"""Learning rate and averaged weights, step by step."""

from __future__ import annotations

import math

import torch
from torch import nn

from mien.training.config import Schedule

__all__ = ["WeightAverage", "learning_rate"]

_FLOOR = 0.02


def learning_rate(step: int, schedule: Schedule) -> float:
    """Linear warm-up, then a cosine from the peak to 2 % of it."""
    if step < schedule.warmup:
        return schedule.learning_rate * (step + 1) / schedule.warmup
    span = max(schedule.steps - schedule.warmup, 1)
    progress = min((step - schedule.warmup) / span, 1.0)
    return schedule.learning_rate * (
        _FLOOR + (1 - _FLOOR) * 0.5 * (1 + math.cos(math.pi * progress))
    )


class WeightAverage:
    """The averaged weights of a model, moved towards it step by step.

    The statistics of batch normalisation are averaged like weights, as they belong to them.
    """

    def __init__(self, averaged: nn.Module, model: nn.Module) -> None:
        """Both keep their tensors for good: loading weights into one of them changes these."""
        pairs = list(zip(averaged.state_dict().values(), model.state_dict().values(), strict=True))
        self._means = [mean for mean, _ in pairs if mean.dtype.is_floating_point]
        self._values = [value for mean, value in pairs if mean.dtype.is_floating_point]
        self._counts = [pair for pair in pairs if not pair[0].dtype.is_floating_point]

    @torch.no_grad()
    def update(self, step: int, decay: float) -> None:
        """Move by the share ``1 - decay``; faster in the first steps."""
        decay = min(decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self._means, self._values, 1 - decay)
        for mean, value in self._counts:
            mean.copy_(value)
