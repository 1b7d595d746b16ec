"""Several processes that train one model together: a thread each on a processor, a card each.

Two processes with one thread each train faster on two cores than one with two threads, and do not
stall when something else takes a core (``docs/training-diary.md`` has the figures).
"""

from __future__ import annotations

import os
import pickle
import tempfile
import threading
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing import parent_process
from pathlib import Path
from typing import Protocol

import torch
from torch import distributed, multiprocessing

from mien.errors import ConfigError, MienError
from mien.training.config import RunConfig, TrainConfig
from mien.training.device import choose_device
from mien.training.loop import train
from mien.training.run_state import Progress, say_nothing

__all__ = ["Job", "is_started_by_torchrun", "run_together", "train_together"]

_MISTAKE = "mistake"


class Job(Protocol):
    """A part of a training run; it can be sent to another process."""

    def __call__(self, *, rank: int, workers: int) -> None: ...


def train_together(
    config: TrainConfig,
    data: Path,
    run: Path,
    *,
    workers: int,
    turned: Sequence[Path] = (),
    initial: Path | None = None,
    report: Callable[[Progress], None] = say_nothing,
) -> None:
    """Train with ``workers`` processes, as :func:`run_together` does.

    ``report`` is called in another process where there are several.

    Raises:
        MienError: as :func:`mien.training.loop.train`, whichever process met it.
    """
    job = partial(train, config, data, run, turned=turned, initial=initial, report=report)
    run_together(job, config, workers)


def run_together(job: Job, config: RunConfig, workers: int) -> None:
    """Run a job with ``workers`` processes on this machine, or as one of torchrun's where it asks.

    Under ``torchrun`` (``RANK`` and ``WORLD_SIZE`` set) this process takes its own part, and
    ``workers`` is what torchrun says.

    Raises:
        ConfigError: the batch does not divide by the processes.
        MienError: as the job, whichever process met it.
    """
    batch, device = config.schedule.batch, config.compute.device
    if is_started_by_torchrun():
        _meet(device, int(os.environ["RANK"]))
        rank, workers = distributed.get_rank(), distributed.get_world_size()
        _check_batch(batch, workers)
        _part(job, rank, workers)
        distributed.destroy_process_group()
        return
    _check_batch(batch, workers)
    if workers == 1:
        _part(job, 0, 1)
        return
    with tempfile.TemporaryDirectory() as folder:
        try:
            multiprocessing.spawn(  # type: ignore[no-untyped-call,attr-defined]
                _spawned,
                (job, workers, device, Path(folder)),
                nprocs=workers,
                daemon=True,  # they end with an interrupted parent
            )
        except multiprocessing.ProcessRaisedException:  # type: ignore[attr-defined]
            if (mistake := Path(folder) / _MISTAKE).exists():
                raise pickle.loads(mistake.read_bytes()) from None
            raise


def is_started_by_torchrun() -> bool:
    """Whether this process is one of torchrun's; other launchers set ``WORLD_SIZE`` alone."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def _check_batch(batch: int, workers: int) -> None:
    if batch % workers:
        raise ConfigError(f"a batch of {batch} does not divide by {workers}")


def _spawned(rank: int, job: Job, workers: int, device: str, folder: Path) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _meet(device, rank, workers, (folder / "meet").as_uri())
        _part(job, rank, workers)
    except MienError as error:
        # A spawned process hands on its traceback alone: the error itself goes through a file.
        partial = folder / f"{_MISTAKE}-{rank}"
        partial.write_bytes(pickle.dumps(error))
        partial.rename(folder / _MISTAKE)
        raise
    distributed.destroy_process_group()


def _meet(device: str, rank: int, workers: int = -1, address: str | None = None) -> None:
    """Join the run's other processes, on this one's device; torchrun says where, if not given."""
    chosen = choose_device(device, rank)
    if chosen.kind == "cuda":
        torch.cuda.set_device(chosen.place)
    if address is None:
        distributed.init_process_group(chosen.backend)
    else:
        distributed.init_process_group(
            chosen.backend, init_method=address, rank=rank, world_size=workers
        )


def _end_with_parent() -> None:
    """A killed parent ends no children by itself: they would train on, and write, unseen."""
    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)


def _part(job: Job, rank: int, workers: int) -> None:
    share = max(1, (os.cpu_count() or 1) // workers)
    torch.set_num_threads(min(share, torch.get_num_threads()))  # OMP_NUM_THREADS may ask for fewer
    job(rank=rank, workers=workers)
