"""The networks of a row, trained where they are not yet."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from mien.reproduction.jobs import Job, Reproduction, Training
from mien.reproduction.predictors import NetworkPredictor, fit_descent
from mien.reproduction.progress import Listener
from mien.reproduction.rows import Kind
from mien.tracking import LandmarkPredictor
from mien.training.workers import train_together

__all__ = ["trained_models"]

_LOOK_EVERY_SECS = 0.5


def trained_models(
    job: Job, work: Reproduction, listener: Listener, label: str
) -> tuple[LandmarkPredictor, LandmarkPredictor]:
    """Model 1 and model 2 of a row; one network may be both.

    Raises:
        MienError: data that cannot be read, or a file that cannot be written.
    """
    if job.row.kind is Kind.SDM:
        listener.begin(f"fitting {label}", 1)
        material, (only,) = work.material, job.trainings
        fitted = fit_descent(only.config, material.folder, material.turned, work.scale.sdm_faces)
        return fitted, fitted
    models = []
    for training in job.trainings:
        role = f", {training.config.role}" if len(job.trainings) > 1 else ""
        models.append(_trained(training, work, listener, f"training {label}{role}"))
    return models[0], models[-1]


def _trained(
    training: Training, work: Reproduction, listener: Listener, what: str
) -> NetworkPredictor:
    config, run, material = training.config, training.run, work.material
    if training.finished() is None:
        run.mkdir(parents=True, exist_ok=True)
        listener.begin(what, config.schedule.steps)
        with _watching(run / "train.csv", listener.advance):
            train_together(
                config, material.folder, run, workers=work.workers, turned=material.turned
            )
    last = training.finished()
    assert last is not None
    return NetworkPredictor(last)


@contextlib.contextmanager
def _watching(log: Path, advance: Callable[[int], None]) -> Iterator[None]:
    """Tell the last step in a run's log, whichever process writes it."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(_LOOK_EVERY_SECS):
            with contextlib.suppress(OSError, ValueError):
                advance(int(log.read_text().splitlines()[-1].split(",")[0]))

    watcher = threading.Thread(target=look, name="watching", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
