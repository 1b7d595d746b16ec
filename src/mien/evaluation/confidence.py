"""Does a point's confidence say what it claims: that the point lies within a radius of the truth?

Errors are in face sizes as seen from the front (the unit in which the confidence is a claim), so
that a profile's narrow box does not make them larger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from mien.evaluation.metrics import mean_or_none
from mien.evaluation.predictions import Predictions
from mien.evaluation.ranks import ranks_of
from mien.geometry import pose_head

__all__ = ["ConfidenceScore", "PointGroup", "Reliability", "rank_correlation", "reliability",
           "score_confidence"]  # fmt: skip

_BINS = 10


def rank_correlation(
    confidence: Float[np.ndarray, " n"], error: Float[np.ndarray, " n"]
) -> float | None:
    """Spearman's correlation of confidence with *small* error: 1 where confidence sorts them.

    ``None`` where all confidences or all errors are the same.
    """
    if len(np.unique(confidence)) < 2 or len(np.unique(error)) < 2:
        return None
    return -float(np.corrcoef(ranks_of(confidence), ranks_of(error))[0, 1])


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


def score_confidence(
    truths: Sequence[Float[np.ndarray, "68 dims"]],
    hidden: Sequence[Bool[np.ndarray, " 68"]],
    predictions: Predictions,
    mean_shape: Float[np.ndarray, "68 3"],
    radius: float,
) -> ConfidenceScore | None:
    """All labelled points of the faces found; ``None`` where no face was found."""
    errors, sure, covered = list[np.ndarray](), list[np.ndarray](), list[np.ndarray]()
    for row in np.flatnonzero(np.isfinite(predictions.points_image).all(axis=(1, 2))).tolist():
        truth, known = truths[row], np.isfinite(truths[row]).all(axis=1)
        size = pose_head(truth[known], mean_shape[known]).scale
        off = predictions.points_image[row][known, :2] - truth[known, :2]
        errors.append(np.linalg.norm(off, axis=1) / size)
        sure.append(predictions.confidence[row][known])
        covered.append(hidden[row][known])
    if not errors:
        return None
    return ConfidenceScore.of(
        np.concatenate(sure), np.concatenate(errors), np.concatenate(covered), radius
    )
