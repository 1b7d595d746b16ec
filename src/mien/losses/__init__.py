"""Training losses, one file a section of the paper."""

from mien.losses.total import LossTerms, LossWeights, total_loss

__all__ = ["LossTerms", "LossWeights", "total_loss"]
