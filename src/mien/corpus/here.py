"""The corpus in this process, one file after the other: what a cluster's result must equal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mien.corpus.clip import CorpusJob, CorpusTask, UnreachableError, failed, track_clip
from mien.study import FileResult

__all__ = ["track_here"]


def track_here(
    job: CorpusJob, tasks: Sequence[CorpusTask], retries: int = 0
) -> Iterator[FileResult]:
    """A result a file, in the order given.

    Raises:
        MienError: nothing more can be tracked or written.
    """
    for task in tasks:
        for attempt in range(retries + 1):
            try:
                result = track_clip(job, task)
                break
            except UnreachableError as error:
                if attempt == retries:
                    result = failed(task, str(error))
        yield result
