"""Many tasks on several processes, each with one thread: numpy's own threads would only collide."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from typing import TypeVar

import cv2

from mien.interrupts import signals_awaited, signals_left_to_the_parent

__all__ = ["run_tasks"]

Task = TypeVar("Task")
Done = TypeVar("Done")

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def run_tasks(
    function: Callable[[Task], Done], tasks: Sequence[Task], workers: int
) -> Iterator[Done]:
    """Results as they come, in any order; an error of any task ends the run.

    With one worker the tasks are done here. Results must not depend on which process did what.
    """
    if workers == 1 or len(tasks) < 2:
        yield from map(function, tasks)
        return
    spawn = multiprocessing.get_context("spawn")
    with (
        _one_thread_each(),
        ProcessPoolExecutor(min(workers, len(tasks)), spawn, initializer=_begin) as pool,
    ):
        others = set(multiprocessing.active_children())
        try:
            with signals_awaited():  # a Ctrl-C of meanwhile is raised at its end
                waiting = [pool.submit(function, task) for task in tasks]
            for future in as_completed(waiting):
                yield future.result()
        except BaseException:
            # Not only errors: Ctrl-C, or the reader of the results stops. Nobody needs the rest.
            pool.shutdown(wait=False, cancel_futures=True)
            for child in set(multiprocessing.active_children()) - others:
                child.terminate()
            raise


def _begin() -> None:
    signals_left_to_the_parent()
    cv2.setNumThreads(1)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Spawned processes read these when they import numpy; this one has read them already."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
