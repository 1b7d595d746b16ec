"""Ranks of values, ties sharing theirs."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

__all__ = ["ranks_of"]


def ranks_of(values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """From 1 up; values that are the same have the mean of their ranks."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2
    ranks: Float[np.ndarray, " n"] = middle[place]
    return ranks
