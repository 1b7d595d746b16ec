"""Samples of more than 8 bits as shares of white."""

from __future__ import annotations

from typing import Final

import numpy as np
from jaxtyping import Float32, Shaped

__all__ = ["unit"]

_WHITES: Final = (255, 65_535, 2**32 - 1)
"""Of 8, 16 and 32 bits."""


def unit(values: Shaped[np.ndarray, "*shape"]) -> Float32[np.ndarray, "*shape"]:
    """0 for black, 1 for white; what lies outside stays so.

    White is the largest number of integers with 8 or 16 bits. Wider ones and floats are containers:
    programs put numbers of fewer bits into them as they are, and floats hold 0 to 1 as well. There
    white is the least of 1 (floats), 8, 16 and 32 bits that holds every value.
    """
    kind = values.dtype
    if kind.kind in "iu" and kind.itemsize <= 2:
        return np.asarray(values / np.float32(np.iinfo(kind).max), np.float32)
    if kind.kind == "f":
        values = np.nan_to_num(values, nan=0.0, posinf=1.0, neginf=0.0)
    largest = values.max(initial=0)
    whites: tuple[float, ...] = (1, *_WHITES) if kind.kind == "f" else _WHITES
    if kind.kind == "i":
        whites = (*_WHITES[:2], np.iinfo(kind).max)
    white = next((one for one in whites if largest <= one), largest)
    return np.asarray(values / np.float64(white), np.float32)
