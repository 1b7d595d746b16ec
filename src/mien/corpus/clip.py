"""One file of a corpus, on whatever node: fetched, tracked as a study tracks it, its rows put away.

The fact that it is done is written last: rows without one are not believed and made anew.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from mien.corpus.place import Place, fetch, is_elsewhere
from mien.errors import ConfigError, InputError, MienError, reason_of
from mien.files import told_as_output_error
from mien.media import Input
from mien.outputs.summary import PROGRAM
from mien.pipeline import TrackerParts
from mien.study import (
    FileJob,
    FileResult,
    PartsSpec,
    ShardSpec,
    StudyPaths,
    clip_name,
    join_shards,
    shard_key,
    track_file,
    versions,
)
from mien.study.job import opencv_threads
from mien.study.record import FileRecord, FileState

__all__ = ["CorpusJob", "CorpusTask", "Fact", "UnreachableError", "failed", "track_clip"]

FACTS = "files"
"""Folder of the facts within a corpus."""
_TABLES = ("rows", "points")
_KIND = "file of a corpus"


class UnreachableError(Exception):
    """A file could not be fetched; another attempt may."""


@dataclass(frozen=True)
class CorpusJob:
    """What is done with every file; it travels to the nodes."""

    file: FileJob
    out: Place
    count: int
    """Points a face."""
    made_with: str
    """Digest of what decides the rows."""
    versions: Mapping[str, str]
    """Of the libraries that decide the rows: a node with others is refused."""
    scratch: Path | None = None
    """Folder on each node for what is not done yet; the system's for such things if ``None``."""

    def scratch_of(self, clip: str) -> Path:
        """Where one file's rows gather; the next attempt on the same node goes on there."""
        top = self.scratch or Path(tempfile.gettempdir())
        key = shard_key(f"{self.made_with} {self.out.address}")
        return top / f"mien-corpus-{key}-{shard_key(clip)}"


@dataclass(frozen=True)
class CorpusTask:
    """One file to track."""

    item: Input
    token: str
    """By which a change of the file is seen."""
    bytes: int


@dataclass(frozen=True)
class Fact:
    """What stands of one file in the corpus."""

    record: FileRecord
    token: str
    made_with: str

    @staticmethod
    def name(clip: str) -> str:
        """Its place in the corpus: 256 folders, so that none holds too many."""
        return _name(FACTS, clip, "json")

    def to_bytes(self) -> bytes:
        told = {"program": PROGRAM, "kind": _KIND, "token": self.token, "made_with": self.made_with}
        whole = told | {"file": self.record.to_json()}
        text = json.dumps(whole, indent=1, ensure_ascii=False)
        return (text + "\n").encode("utf-8", "backslashreplace")

    @classmethod
    def from_bytes(cls, data: bytes) -> Fact | None:
        """``None`` for what is no fact, or a damaged one."""
        try:
            told: dict[str, Any] = json.loads(data)
            if (told["program"], told["kind"]) != (PROGRAM, _KIND):
                return None
            return cls(FileRecord.from_json(told["file"]), told["token"], told["made_with"])
        except (ValueError, KeyError, TypeError, AttributeError):
            return None


def track_clip(job: CorpusJob, task: CorpusTask) -> FileResult:
    """Track one file into the corpus. A file that cannot be read is a result, no error.

    Raises:
        UnreachableError: it could not be fetched, and another attempt may succeed.
        OutputError: its rows cannot be written.
        ConfigError, ModelError: this node cannot track anything.
    """
    _refuse_other_versions(job)
    clip = clip_name(task.item.stem)
    folder = job.scratch_of(clip)
    with told_as_output_error(folder):
        folder.mkdir(parents=True, exist_ok=True)
    spec = job.file.parts
    with opencv_threads(spec.threads):
        try:
            item = dataclasses.replace(task.item, where=_brought_here(task, folder))
        except InputError as gone:
            result = failed(task, str(gone))
        else:
            paths = _paths(job, folder)
            result = track_file(_with_shards(job.file, paths), item, _parts_of(spec))
            result = _told_of(result, item.where, task.item.where)
            _put_tables(job, paths, result.record)
    job.out.write(Fact.name(clip), Fact(result.record, task.token, job.made_with).to_bytes())
    shutil.rmtree(folder, ignore_errors=True)
    return result


def failed(task: CorpusTask, because: str) -> FileResult:
    """The result of a file of which nothing came."""
    because = " ".join(because.split())
    clip = clip_name(task.item.stem)
    record = FileRecord(clip, task.item.where, FileState.FAILED, because=because)
    return FileResult(record, errors=(because,))


def _refuse_other_versions(job: CorpusJob) -> None:
    own = versions()
    other = [
        f"{name} {own.get(name)}, not {theirs}"
        for name, theirs in job.versions.items()
        if own.get(name) != theirs
    ]
    if other:
        raise ConfigError(
            f"a node has other versions than the run is made with ({'; '.join(other)}), and would "
            "mix two kinds of rows; install the same on every node"
        )


@functools.lru_cache(maxsize=1)
def _parts_of(spec: PartsSpec) -> TrackerParts:
    """Opened once a process, which tracks one file after the other."""
    return spec.open()


def _brought_here(task: CorpusTask, folder: Path) -> str:
    where = task.item.where
    if not is_elsewhere(where):
        return where
    # Its ending says what a file is where its bytes do not.
    file = folder / f"input{PurePosixPath(where).suffix}"
    try:
        fetch(where, file)
    except MienError:
        raise
    except Exception as error:  # each store has errors of its own
        raise UnreachableError(f"{where}: could not be fetched ({reason_of(error)})") from error
    return str(file)


def _paths(job: CorpusJob, folder: Path) -> StudyPaths:
    shards = job.file.shards
    assert shards is not None
    return StudyPaths(folder / "rows.parquet", shards.points, job.count, shards.details)


def _with_shards(job: FileJob, paths: StudyPaths) -> FileJob:
    assert job.shards is not None
    with told_as_output_error(paths.parts):
        paths.parts.mkdir(exist_ok=True)
    shards: ShardSpec = dataclasses.replace(job.shards, folder=paths.parts)
    return dataclasses.replace(job, shards=shards)


def _put_tables(job: CorpusJob, paths: StudyPaths, record: FileRecord) -> None:
    shards = paths.shards(record.clip).tables
    made = dict(zip(_TABLES, zip(paths.tables, shards, strict=True), strict=False))
    for kind in _TABLES:
        name = _name(kind, record.clip, "parquet")
        if kind not in made or record.state is FileState.FAILED:
            job.out.remove(name)  # of a run before
        else:
            (table, columns), shard = made[kind]
            join_shards(table, columns, [shard])
            job.out.put(table, name)


def _told_of(result: FileResult, here: str, where: str) -> FileResult:
    """The same, of the file by its own address."""
    record = result.record
    because = record.because.replace(here, where) if record.because else None
    return FileResult(
        dataclasses.replace(record, path=where, because=because),
        result.lines,
        tuple(error.replace(here, where) for error in result.errors),
    )


def _name(kind: str, clip: str, ending: str) -> str:
    key = shard_key(clip)
    return f"{kind}/{key[:2]}/{key}.{ending}"
