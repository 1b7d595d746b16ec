"""Cells of a line of CSV: one way to write them, so that equal rows are equal bytes."""

from __future__ import annotations

import math

from mien.files import csv_text
from mien.outputs.rows import Value

__all__ = ["cell", "clip_name", "quoted"]


def cell(value: Value) -> str:
    """A number exactly; nothing for what is not there or no number."""
    return "" if value is None or not math.isfinite(value) else repr(value)


def quoted(text: str) -> str:
    """A text, in quotes where it holds a comma, a quote or a line end."""
    return csv_text([[text]]).removesuffix("\n")


def clip_name(stem: str) -> str:
    """What a clip is called in the table: its stem, whose bytes a table must be able to hold."""
    return stem.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\0", "?")
