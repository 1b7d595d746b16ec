"""A run over many files: track what is left, keep ``run.json`` true, join the table at the end."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from mien.files import told_as_output_error
from mien.outputs import Sink
from mien.study.job import FileJob, FileResult, opencv_threads, track_file
from mien.study.join import join
from mien.study.plan import Plan, StudyPaths
from mien.study.record import FileState, RunRecord, sha256_of, write_record
from mien.study.shard import held
from mien.study.workers import Progress, Task, share_threads, track_files

__all__ = ["StudyRun"]


def _no_streams() -> AbstractContextManager[Sequence[Sink]]:
    return nullcontext(())


class StudyRun:
    """Goes through a plan; Ctrl-C joins what is whole, and the next run goes on from there."""

    def __init__(
        self,
        plan: Plan,
        job: FileJob,
        record_path: Path | None,
        study: StudyPaths | None,
        workers: int = 1,
    ) -> None:
        self._plan, self._job, self._workers = plan, job, workers
        self._record_path, self._study = record_path, study
        self.record: RunRecord = plan.record
        self._lock: int | None = None

    def results(
        self,
        on_progress: Callable[[Progress], None] = lambda progress: None,
        on_broken: Callable[[FileResult], None] = lambda result: None,
        streams: Callable[[], AbstractContextManager[Sequence[Sink]]] = _no_streams,
    ) -> Generator[FileResult]:
        """A result a file that was left to do; each is a fact in ``run.json`` before it is told.

        ``on_broken`` hears of a file in whose middle the run is broken off. ``streams`` opens
        further sinks for a file; in this process alone, not in workers.

        Raises:
            OutputError: a result, a part or ``run.json`` cannot be written.
            ModelError, ConfigError: the model or detector cannot be opened.
        """
        self._begin()
        try:
            for result in self._track(self._plan.tasks, on_progress, on_broken, streams):
                self.record = self.record.with_file(result.record)
                self._write_record()
                yield result
            self._end(whole=True)
        except (KeyboardInterrupt, GeneratorExit):
            self._end(whole=False)
            raise
        finally:
            if self._lock is not None:
                os.close(self._lock)

    @property
    def files_done(self) -> int:
        """Whole ones, of this run or the one before."""
        return sum(one.state is FileState.DONE for one in self.record.files)

    @property
    def nothing_to_do(self) -> bool:
        """Every file was done before and the tables stand."""
        standing = self._study is None or all(path.is_file() for path, _ in self._study.tables)
        no_parts = self._study is None or not self._study.parts.is_dir()
        return not self._plan.tasks and standing and no_parts and bool(self.record.tables)

    def _track(
        self,
        tasks: Sequence[Task],
        on_progress: Callable[[Progress], None],
        on_broken: Callable[[FileResult], None],
        streams: Callable[[], AbstractContextManager[Sequence[Sink]]],
    ) -> Iterator[FileResult]:
        if self._workers > 1 and len(tasks) > 1:
            workers = min(self._workers, len(tasks))
            yield from track_files(share_threads(self._job, workers), tasks, workers, on_progress)
        elif tasks:
            with opencv_threads(self._job.parts.threads):
                yield from _track_here(self._job, tasks, on_progress, on_broken, streams)

    def _begin(self) -> None:
        if self._study is not None:
            with told_as_output_error(self._study.parts):
                self._study.parts.mkdir(parents=True, exist_ok=True)
            self._lock = held(self._study.parts / "lock", wait_secs=2.0)
        self._write_record()

    def _write_record(self) -> None:
        if self._record_path is not None:
            write_record(self._record_path, self.record)

    def _end(self, *, whole: bool) -> None:
        """Join what is there; after Ctrl-C the parts stay for the next run."""
        files = self.record.files
        if self._study is not None:
            clips = [
                one.clip for one in files if one.state in (FileState.DONE, FileState.INCOMPLETE)
            ]
            tables = []
            for number, (path, columns) in enumerate(self._study.tables):
                join(path, columns, (self._study.shards(clip).tables[number] for clip in clips))
                tables.append(
                    {"name": path.name, "bytes": path.stat().st_size, "sha256": sha256_of(path)}
                )
            self.record = dataclasses.replace(self.record, tables=tuple(tables))
        is_complete = whole and all(one.state is FileState.DONE for one in files)
        self.record = dataclasses.replace(
            self.record, complete=is_complete and not self.record.refused
        )
        self._write_record()
        if whole and self._study is not None:
            shutil.rmtree(self._study.parts, ignore_errors=True)


def _track_here(
    job: FileJob,
    tasks: Sequence[Task],
    on_progress: Callable[[Progress], None],
    on_broken: Callable[[FileResult], None],
    streams: Callable[[], AbstractContextManager[Sequence[Sink]]],
) -> Iterator[FileResult]:
    parts = job.parts.open()
    for task in tasks:
        expected: list[int | None] = [None]

        def expect(total: int | None, expected: list[int | None] = expected) -> None:
            expected[0] = total

        def show(done: int, task: Task = task, expected: list[int | None] = expected) -> None:
            on_progress(Progress(task.item, done, expected[0]))

        with streams() as sinks:
            result = track_file(job, task.item, parts, task.known, expect, show, on_broken, sinks)
        yield result
