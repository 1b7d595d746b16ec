"""One row after the other: train what is not trained, measure it, write its file."""

from __future__ import annotations

from mien.reproduction.jobs import Job, Reproduction
from mien.reproduction.measuring import measure_row
from mien.reproduction.progress import Listener
from mien.reproduction.results import RowResult, write_result
from mien.reproduction.rows import Kind
from mien.reproduction.trained import trained_models
from mien.version import __version__

__all__ = ["run_job"]


def run_job(job: Job, work: Reproduction, listener: Listener) -> RowResult:
    """Train, measure and write one row; whatever stands of it already is kept.

    Raises:
        MienError: data that cannot be read, or a file that cannot be written.
    """
    finished = job.result()
    if finished is not None:
        return finished
    label = f"{job.row.name}, seed {job.seed}"
    first, following = trained_models(job, work, listener, label)
    measurements = measure_row(first, following, work, listener, label)
    networks = () if job.row.kind is Kind.SDM else job.trainings
    result = RowResult(
        row=job.row.name,
        seed=job.seed,
        fingerprint=job.fingerprint,
        networks=tuple(training.run.name for training in networks),
        steps=job.trainings[0].config.schedule.steps if networks else 0,
        version=__version__,
        measurements=tuple(measurements),
    )
    write_result(result, job.file)
    return result
