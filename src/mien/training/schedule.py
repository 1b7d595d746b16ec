"""Learning rate and averaged weights, step by step."""

from __future__ import annotations

import math

import torch
from torch import nn

from mien.training.config import Schedule

__all__ = ["average_into", "learning_rate"]

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


@torch.no_grad()
def average_into(averaged: nn.Module, model: nn.Module, step: int, decay: float) -> None:
    """Move the averaged weights towards the model's; faster in the first steps.

    The statistics of batch normalisation are averaged like weights, as they belong to them.
    """
    decay = min(decay, (1 + step) / (10 + step))
    for mean, value in zip(
        averaged.state_dict().values(), model.state_dict().values(), strict=True
    ):
        if mean.dtype.is_floating_point:
            mean.lerp_(value, 1 - decay)
        else:
            mean.copy_(value)
