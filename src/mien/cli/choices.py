"""Choices and defaults that the help shows: known without loading what they belong to.

A network's runtime takes a second to load; ``mien track --help`` must not wait for it. A test holds
the defaults to the originals.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

__all__ = ["DEFAULT_MODEL", "MAX_FACES", "SEARCH_SECS", "Points", "PointsPlace", "TableFormat"]

DEFAULT_MODEL: Final = "fast"
MAX_FACES: Final = 8
SEARCH_SECS: Final = 1.0


class TableFormat(StrEnum):
    """Formats of the table, and of files of one face each."""

    CSV = "csv"
    PARQUET = "parquet"
    JSONL = "jsonl"
    OPENFACE = "openface"
    LIVELINK = "livelink"
    BVH = "bvh"
    GLB = "glb"
    RRD = "rrd"


class Points(StrEnum):
    """Markups by their number of points."""

    P68 = "68"
    P84 = "84"


class PointsPlace(StrEnum):
    """Where the points of a study go."""

    BESIDE = "beside"
    INSIDE = "inside"
    NONE = "none"
