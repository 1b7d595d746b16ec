"""What a landmark network is punished for, of a batch of crops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mien.losses import LossTerms, LossWeights, total_loss
from mien.training.batches import Batch, normalise

__all__ = ["LandmarkLosses"]


@dataclass(frozen=True)
class LandmarkLosses:
    """Of a batch on the network's device, for ``mien.training.learning.Learner``."""

    weights: LossWeights

    def __call__(self, network: Callable[[Tensor], Any], batch: Batch) -> LossTerms:
        """The terms of section 3 of the paper; the network sees normalised crops."""
        crops = normalise(batch.crops).contiguous(memory_format=torch.channels_last)
        return total_loss(
            network(crops),
            batch.points,
            batch.weights,
            batch.is_face,
            self.weights,
            batch.convention_offset,
            batch.has_depth,
        )
