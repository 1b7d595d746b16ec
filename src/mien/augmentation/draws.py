"""Random numbers that several perturbations draw."""

from __future__ import annotations

import math

import numpy as np

__all__ = ["log_uniform"]


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A number whose logarithm is uniform: as often within 10 to 20 as within 20 to 40."""
    return math.exp(rng.uniform(math.log(low), math.log(high)))
