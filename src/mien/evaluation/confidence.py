"""Does a point's confidence say what it claims: that the point lies within a radius of the truth?

Errors are in face sizes as seen from the front (the unit in which the confidence is a claim), so
that a profile's narrow box does not make them larger.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.stats
from jaxtyping import Bool, Float, Int

from mien.evaluation.metrics import mean_or_none

__all__ = ["ConfidenceScore", "PointGroup", "Reliability", "rank_correlation", "reliability"]

_BINS = 10


def rank_correlation(
    confidence: Float[np.ndarray, " n"], error: Float[np.ndarray, " n"]
) -> float | None:
    """Spearman's correlation of confidence with *small* error: 1 where confidence sorts them.

    ``None`` where all confidences or all errors are the same.
    """
    if len(np.unique(confidence)) < 2 or len(np.unique(error)) < 2:
        return None
    return -float(scipy.stats.spearmanr(confidence, error).statistic)


@dataclass(frozen=True)
class Reliability:
    """Claim and truth in bins of equal width over 0 to 1; NaN in the bins without points."""

    n: Int[np.ndarray, " bins"]
    confidence: Float[np.ndarray, " bins"]
    """Mean of the bin: what is claimed."""
    within: Float[np.ndarray, " bins"]
    """Share of the bin's points that lie within the radius: what is so."""

    @property
    def expected_error(self) -> float:
        """Expected calibration error: |claim - truth|, in the mean over the points."""
        gap = np.nan_to_num(np.abs(self.confidence - self.within))
        return float((gap * self.n).sum() / self.n.sum())


def reliability(
    confidence: Float[np.ndarray, " n"], within: Bool[np.ndarray, " n"], bins: int = _BINS
) -> Reliability:
    """Sort points into bins by their confidence; 1 belongs to the last bin."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    n = np.bincount(place, minlength=bins)
    sums = (np.bincount(place, values, bins) for values in (confidence, within))
    claimed, true = (np.divide(one, n, out=np.full(bins, np.nan), where=n > 0) for one in sums)
    return Reliability(n, claimed, true)


@dataclass(frozen=True)
class PointGroup:
    """The points that are seen, or those that the head hides."""

    n: int
    confidence: float | None
    error: float | None
    """In face sizes seen from the front."""


@dataclass(frozen=True)
class ConfidenceScore:
    """All points of all faces found."""

    radius: float
    """A confidence claims that the error is at most this."""
    spearman: float | None
    seen: PointGroup
    hidden: PointGroup
    reliability: Reliability

    @classmethod
    def of(
        cls,
        confidence: Float[np.ndarray, " n"],
        error: Float[np.ndarray, " n"],
        hidden: Bool[np.ndarray, " n"],
        radius: float,
    ) -> ConfidenceScore:
        """Measure points given as flat arrays."""
        seen, covered = (
            PointGroup(
                int(chosen.sum()), mean_or_none(confidence[chosen]), mean_or_none(error[chosen])
            )
            for chosen in (~hidden, hidden)
        )
        spearman = rank_correlation(confidence, error)
        return cls(radius, spearman, seen, covered, reliability(confidence, error <= radius))
