"""Files side by side: a process a file, the next file to whoever is free.

The results do not depend on how many there are. A worker that dies takes its file with it and no
other; a parent that dies takes its workers with it, within a second.
"""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from mien.errors import MienError, OutputError
from mien.interrupts import INTERRUPTED, signals_awaited, signals_left_to_the_parent
from mien.media import Input
from mien.study.cells import clip_name
from mien.study.job import FileJob, FileResult, opencv_threads, track_file
from mien.study.record import FileRecord, FileState, Fingerprint

__all__ = ["Progress", "Task", "share_threads", "track_files"]

_TELL_EVERY_SECS = 0.2
_GRACE_SECS = 20.0
"""To close files after Ctrl-C."""
_LEAST_JOIN_SECS = 0.1
"""Each worker is waited for at least so long, however many came before it."""


@dataclass(frozen=True)
class Task:
    """One file to track."""

    item: Input
    known: Fingerprint | None = None
    """What an earlier run knew of it."""


@dataclass(frozen=True)
class Progress:
    """How far one file is."""

    item: Input
    frames_done: int
    frames_expected: int | None


def track_files(
    job: FileJob,
    tasks: Sequence[Task],
    workers: int,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Iterator[FileResult]:
    """Track files in worker processes; a result a file, in the order in which they end.

    Closing the iterator, or an error in who reads it, ends the workers: what they have begun goes
    on from its last checkpoint in another run.

    Raises:
        MienError: a worker cannot write, or cannot open the model.
    """
    pool = _Pool(job, min(workers, len(tasks)), on_progress)
    with pool:
        yield from pool.results(tasks)


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    task: Task | None = None


class _Pool:
    """Workers, each with a pipe and at most one file."""

    def __init__(self, job: FileJob, workers: int, on_progress: Callable[[Progress], None]) -> None:
        self._job, self._on_progress = job, on_progress
        # Forking a process with running threads (OpenCV's, onnxruntime's) can hang it.
        self._context = multiprocessing.get_context("spawn")
        self._workers = [self._start() for _ in range(workers)]

    def __enter__(self) -> _Pool:
        return self

    def __exit__(self, *error: object) -> None:
        for worker in self._workers:
            with contextlib.suppress(OSError):
                worker.pipe.send(None)
            if worker.task is not None:
                worker.process.terminate()
        until_secs = time.monotonic() + _GRACE_SECS
        for worker in self._workers:
            worker.process.join(max(_LEAST_JOIN_SECS, until_secs - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.pipe.close()

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=_work, args=(theirs, self._job, os.getpid()), daemon=True, name="mien-worker"
        )
        with signals_awaited():
            process.start()
        theirs.close()
        return _Worker(process, ours)

    def results(self, tasks: Sequence[Task]) -> Iterator[FileResult]:
        waiting = list(reversed(tasks))
        for worker in self._workers:
            self._give(worker, waiting)
        while busy := [worker for worker in self._workers if worker.task is not None]:
            ready = wait([worker.pipe for worker in busy])
            for worker in [one for one in busy if one.pipe in ready]:
                result = self._hear(worker)
                if result is not None:
                    if not worker.process.is_alive() and waiting:
                        worker = self._replace(worker)
                    self._give(worker, waiting)
                    yield result

    def _give(self, worker: _Worker, waiting: list[Task]) -> None:
        worker.task = waiting.pop() if waiting else None
        if worker.task is not None:
            worker.pipe.send(worker.task)

    def _replace(self, dead: _Worker) -> _Worker:
        fresh = self._start()
        self._workers[self._workers.index(dead)] = fresh
        dead.pipe.close()
        return fresh

    def _hear(self, worker: _Worker) -> FileResult | None:
        """A file's result, also if the worker died of it; ``None`` if it goes on."""
        task = worker.task
        assert task is not None
        try:
            told = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join(5)
            return _died(task, worker.process.exitcode)
        if isinstance(told, Progress):
            self._on_progress(told)
            return None
        if isinstance(told, MienError):
            raise told
        result: FileResult = told
        return result


def _died(task: Task, code: int | None) -> FileResult:
    how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
    if code == -signal.SIGKILL if hasattr(signal, "SIGKILL") else False:
        how += ", which a system short of memory sends"
    because = f"{task.item.where}: the process that tracked it ended by itself ({how})"
    record = FileRecord(
        clip_name(task.item.stem), task.item.where, FileState.FAILED, because=because
    )
    return FileResult(record, errors=(because,))


def _work(pipe: Connection, job: FileJob, parent: int) -> None:
    """A worker's life: one file after the other, until there is none or nobody listens."""
    signals_left_to_the_parent()
    try:
        signal.signal(signal.SIGTERM, _interrupt)
        with opencv_threads(job.parts.threads), contextlib.suppress(EOFError, BrokenPipeError):
            _serve(pipe, job, parent)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception:
        # A native module that is interrupted while it loads makes an error of its own of it.
        if signal.getsignal(signal.SIGTERM) is not signal.SIG_IGN:
            raise
        sys.exit(INTERRUPTED)


def _serve(pipe: Connection, job: FileJob, parent: int) -> None:
    parts = None
    while (task := pipe.recv()) is not None:
        told: Any
        try:
            parts = parts or job.parts.open()
            tell = _Teller(pipe, task.item, parent)
            told = track_file(job, task.item, parts, task.known, tell.expect, tell.show)
        except MienError as error:
            told = error
        except MemoryError:
            told = OutputError(f"{task.item.where}: the memory is full; use fewer --workers")
        pipe.send(told)


def _interrupt(number: int, stack: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once: files are being closed
    raise KeyboardInterrupt


class _Teller:
    """Tells the parent of progress, and sees when it is gone."""

    def __init__(self, pipe: Connection, item: Input, parent: int) -> None:
        self._pipe, self._item, self._parent = pipe, item, parent
        self._expected: int | None = None
        self._told_secs = 0.0

    def expect(self, total: int | None) -> None:
        self._expected = total

    def show(self, done: int) -> None:
        if os.getppid() != self._parent:
            raise KeyboardInterrupt
        if time.monotonic() - self._told_secs >= _TELL_EVERY_SECS:
            self._told_secs = time.monotonic()
            self._pipe.send(Progress(self._item, done, self._expected))


def share_threads(job: FileJob, workers: int) -> FileJob:
    """The same job for one of so many workers: the cores shared out, unless threads were named."""
    if workers == 1 or job.parts.threads is not None:
        return job
    threads = max(1, (os.cpu_count() or 1) // workers)
    return dataclasses.replace(job, parts=dataclasses.replace(job.parts, threads=threads))
