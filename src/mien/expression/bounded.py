"""Bounded least squares for a few dozen unknowns, many times a second."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

__all__ = ["solve_bounded"]

_ROUNDS = 12


def solve_bounded(
    hessian: Float[np.ndarray, "n n"],
    gradient: Float[np.ndarray, " n"],
    start: Float[np.ndarray, " n"],
) -> Float[np.ndarray, " n"]:
    """Minimise ``x' H x / 2 - g' x`` with every x in 0..1, H positive definite.

    The unknowns that stand at a bound are guessed from ``start``, the others solved for, and those
    that break a rule change sides, all at once (Portugal, Judice, Vicente, "A comparison of block
    pivoting and interior-point algorithms for linear least squares problems with nonnegative
    variables", 1994). Successive frames have nearly the same answer: two rounds are usual.
    """
    low, high = start <= 0, start >= 1
    found = np.clip(start, 0.0, 1.0)
    for _ in range(_ROUNDS):
        free = ~(low | high)
        found = high.astype(np.float64)
        if free.any():
            right = gradient[free] - hessian[np.ix_(free, high)].sum(axis=1)
            found[free] = np.linalg.solve(hessian[np.ix_(free, free)], right)
        pull = gradient - hessian @ found
        below, above = free & (found < 0), free & (found > 1)
        released = (low & (pull > 1e-9)) | (high & (pull < -1e-9))
        if not (below.any() or above.any() or released.any()):
            return found
        low, high = (low | below) & ~released, (high | above) & ~released
    return _descend(hessian, gradient, np.clip(found, 0.0, 1.0))


def _descend(
    hessian: Float[np.ndarray, "n n"],
    gradient: Float[np.ndarray, " n"],
    start: Float[np.ndarray, " n"],
) -> Float[np.ndarray, " n"]:
    """One unknown after the other, for the rare case in which the guesses go round in a circle."""
    found = start.copy()
    for _ in range(60):
        before = found.copy()
        for index in range(len(found)):
            pull = gradient[index] - hessian[index] @ found
            found[index] = min(max(found[index] + pull / hessian[index, index], 0.0), 1.0)
        if np.abs(found - before).max() < 1e-6:
            break
    return found
