"""Points in ``.ljson``, the format of the Menpo project, versions 2 and 3."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from jaxtyping import Float

from mien.errors import DataError

__all__ = ["parse_ljson"]


def parse_ljson(path: Path, *, points: int, dims: int) -> Float[np.ndarray, "points dims"]:
    """The points of one file in the axes it stores, NaN where it has ``null``.

    Version 2 holds ``{"landmarks": {"points": [[a, b], ...]}, "labels": ..., "version": 2}``;
    version 3 holds the same within ``groups``, of which there must be one. Menpo counts pixels
    from 0 and writes the row before the column (its LJSON exporter: "The first axis of the format
    represents the image y-axis"), but not everybody who writes the format does.

    Raises:
        DataError: not such a file, cut off, or with another number of points or axes.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise DataError(f"{path} is no .ljson file, or is cut off ({error})") from error
    try:
        group = content
        if "groups" in content:
            (group,) = content["groups"].values()
        rows = group["landmarks"]["points"]
        stored = np.array(
            [[np.nan if number is None else number for number in row] for row in rows],
            dtype=np.float64,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{path} is no .ljson file of version 2 or 3: expected landmarks with points"
        ) from error
    if stored.shape != (points, dims):
        raise DataError(f"{path} should hold ({points}, {dims}) points, but holds {stored.shape}")
    return stored
