"""A finder's run with several processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mien.training.finder.config import FinderConfig
from mien.training.finder.loop import FinderProgress, train_finder
from mien.training.workers import run_together

__all__ = ["train_finder_together"]


def _say_nothing(progress: FinderProgress) -> None:
    """The default report; a function with a name, so that it can be sent to another process."""


@dataclass(frozen=True)
class _FinderJob:
    config: FinderConfig
    data: Path
    run: Path
    report: Callable[[FinderProgress], None]

    def __call__(self, rank: int, workers: int) -> None:
        train_finder(
            self.config, self.data, self.run, rank=rank, workers=workers, report=self.report
        )


def train_finder_together(
    config: FinderConfig,
    data: Path,
    run: Path,
    *,
    workers: int,
    report: Callable[[FinderProgress], None] = _say_nothing,
) -> None:
    """Train with ``workers`` processes, as :func:`mien.training.workers.run_together` does.

    Raises:
        MienError: as :func:`mien.training.finder.loop.train_finder`, whichever process met it.
    """
    job = _FinderJob(config, data, run, report)
    run_together(job, batch=config.schedule.batch, workers=workers)
