"""A finder's run with several processes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from mien.training.finder.config import FinderConfig
from mien.training.finder.loop import train_finder
from mien.training.run_state import Progress, say_nothing
from mien.training.workers import run_together

__all__ = ["train_finder_together"]


def train_finder_together(
    config: FinderConfig,
    data: Path,
    run: Path,
    *,
    workers: int,
    report: Callable[[Progress], None] = say_nothing,
) -> None:
    """Train with ``workers`` processes, as :func:`mien.training.workers.run_together` does.

    Raises:
        MienError: as :func:`mien.training.finder.loop.train_finder`, whichever process met it.
    """
    run_together(partial(train_finder, config, data, run, report=report), config, workers)
