"""The application's fixtures, shared by name."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from conftest_web import limits, page, parts

__all__ = ["limits", "page", "parts"]
