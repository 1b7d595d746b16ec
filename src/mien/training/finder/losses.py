"""What a face finder is punished for, of a batch of pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from mien.losses.finder import FinderLossTerms, FinderLossWeights, finder_loss
from mien.training.finder.batches import FinderBatch

__all__ = ["FinderLosses"]


@dataclass(frozen=True)
class FinderLosses:
    """Of a batch on the network's device, for ``mien.training.learning.Learner``."""

    weights: FinderLossWeights

    def __call__(self, network: Callable[[Tensor], Any], batch: FinderBatch) -> FinderLossTerms:
        """The terms of all maps; the network sees pictures as they are stored."""
        return finder_loss(network(batch.pictures), batch.targets, self.weights)
