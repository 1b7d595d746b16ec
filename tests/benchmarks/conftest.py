"""The scripts of ``benchmarks/`` import each other by their bare names; so may their tests."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
