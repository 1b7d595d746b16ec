"""Row after row: train what is not trained, measure what is not measured, write the table anew."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from mien.reproduction.jobs import Job, Reproduction, Training
from mien.reproduction.measuring import (
    Film,
    Measurement,
    TruthFinder,
    measure_films,
    measure_stills,
)
from mien.reproduction.predictors import DescentPredictor, NetworkPredictor, fit_descent
from mien.reproduction.results import RowResult, write_result
from mien.reproduction.rows import Kind
from mien.runtime import open_detector
from mien.training.workers import train_together
from mien.types import FaceFinder
from mien.version import __version__

__all__ = ["Listener", "run_job"]

_LOOK_EVERY_SECS = 0.5


class Listener(Protocol):
    """Who is told how far the work is."""

    def begin(self, what: str, total: int) -> None:
        """A stretch of work of ``total`` steps, faces or films begins."""
        ...

    def advance(self, done: int) -> None:
        """So many of them are done."""
        ...


def run_job(job: Job, work: Reproduction, listener: Listener) -> RowResult:
    """Train, measure and write one row; whatever stands of it already is kept.

    Raises:
        MienError: data that cannot be read, or a file that cannot be written.
    """
    finished = job.result()
    if finished is not None:
        return finished
    label = f"{job.row.name}, seed {job.seed}"
    measurements = tuple(
        _measure_descent(job, work, listener, label)
        if job.row.kind is Kind.SDM
        else _measure_networks(job, work, listener, label)
    )
    networks = () if job.row.kind is Kind.SDM else job.trainings
    result = RowResult(
        row=job.row.name,
        seed=job.seed,
        fingerprint=job.fingerprint,
        networks=tuple(training.run.name for training in networks),
        steps=job.trainings[0].config.schedule.steps if networks else 0,
        version=__version__,
        measurements=measurements,
    )
    write_result(result, job.file)
    return result


def _measure_networks(
    job: Job, work: Reproduction, listener: Listener, label: str
) -> Sequence[Measurement]:
    models = []
    for training in job.trainings:
        role = f", {training.config.role}" if len(job.trainings) > 1 else ""
        models.append(_trained(training, work, listener, f"training {label}{role}"))
    if not work.target.on_video:
        return _measure_stills(models[-1], work, listener, label)
    films = work.material.films
    listener.begin(f"tracking with {label}", len(films))
    opened = _Finders(work.detector)
    return [
        measure_films(
            models[0], models[-1], films, opened.finder, work.scale.tracker, listener.advance
        )
    ]


def _measure_descent(
    job: Job, work: Reproduction, listener: Listener, label: str
) -> Sequence[Measurement]:
    material = work.material
    listener.begin(f"fitting {label}", 1)
    model = fit_descent(
        job.trainings[0].config, material.folder, material.turned, work.scale.sdm_faces
    )
    return _measure_stills(model, work, listener, label)


def _measure_stills(
    model: NetworkPredictor | DescentPredictor, work: Reproduction, listener: Listener, label: str
) -> list[Measurement]:
    measured: list[Measurement] = []
    for name, stills in work.material.stills:
        listener.begin(f"measuring {label} on {name}", len(stills))
        measured += measure_stills(model, name, stills, listener.advance)
    return measured


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


class _Finders:
    """Opens the detector once; one that is told the truth is new for each film."""

    def __init__(self, name: str) -> None:
        self._detector = None if name == "truth" else open_detector(name)

    def finder(self, film: Film) -> FaceFinder:
        return TruthFinder(film) if self._detector is None else self._detector
