"""A run over a corpus: what stands is not tracked again; ``run.json`` sums up the facts."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mien.corpus.clip import FACTS, CorpusJob, CorpusTask, Fact
from mien.corpus.place import Place, token_of
from mien.errors import ConfigError, InputError
from mien.media import Input
from mien.study import (
    RECORD_NAME,
    FileResult,
    RunRecord,
    clip_name,
    parse_record,
    record_bytes,
)
from mien.study.record import FileRecord, FileState

__all__ = ["CorpusPlan", "CorpusRun", "digest_of", "plan_corpus"]

_RECORD_EVERY_SECS = 60.0

Runner = Callable[[CorpusJob, Sequence[CorpusTask]], Iterator[FileResult]]


@dataclass
class CorpusPlan:
    """What there is to do, and what to say of it before."""

    record: RunRecord
    tasks: list[CorpusTask] = field(default_factory=list)
    """The largest first: none is left over at the end that one node does alone."""
    said: list[str] = field(default_factory=list)

    @property
    def done_before(self) -> int:
        return sum(one.state is FileState.DONE for one in self.record.files)


def digest_of(record: RunRecord) -> str:
    """Of everything that decides the rows."""
    told = [record.settings, record.model, record.versions]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode("utf-8")).hexdigest()


def plan_corpus(
    fresh: RunRecord, inputs: Sequence[Input], out: Place, *, resume: bool = True
) -> CorpusPlan:
    """Compare what is asked for with the facts that stand.

    Files of the corpus that are not among the inputs stay: a corpus can be added to.

    Raises:
        ConfigError: the corpus was begun with other options, or has another file of that name, or
            without ``resume`` rows of other options would stay.
        InputError: an input or ``run.json`` cannot be read.
    """
    old = out.read(RECORD_NAME)
    if old is not None and resume:
        differences = fresh.differences(parse_record(old, out.of(RECORD_NAME)))
        if differences:
            shown = "; ".join(differences[:3]) + ("; ..." if len(differences) > 3 else "")
            raise ConfigError(
                f"{out}: the corpus there was begun with other options ({shown}); give the same "
                "ones, name another folder, or start anew with --no-resume"
            )
    digest = digest_of(fresh)
    stand = [fact for data in out.read_all(FACTS, ".json") if (fact := Fact.from_bytes(data))]
    facts = {one.record.clip: one for one in stand if one.made_with == digest}
    inputs = _as_named_before(inputs, facts)
    _refuse_two_kinds(out, stand, digest, inputs)
    paths = {item.where for item in inputs}
    plan = CorpusPlan(fresh)
    files: dict[str, FileRecord] = {clip: one.record for clip, one in facts.items()}
    for item in inputs:
        clip = clip_name(item.stem)
        known = facts.get(clip)
        is_other = known is not None and known.record.path != item.where
        if known is not None and is_other and (resume or known.record.path in paths):
            raise ConfigError(
                f"{clip}: is {known.record.path} in {out}; another file of this name needs a "
                "corpus of its own, or all files together one run"
            )
        try:
            token, size = token_of(item.where)
        except (InputError, FileNotFoundError):
            token, size = "", 0  # told when it is tracked
        stands = resume and known is not None and known.record.state is FileState.DONE
        if stands and known is not None and known.token == token:
            continue
        if stands:
            plan.said.append(f"{clip}: the file has changed since, and is tracked anew")
        files[clip] = FileRecord(clip, item.where)
        plan.tasks.append(CorpusTask(item, token, size))
    plan.tasks.sort(key=lambda task: (-task.bytes, task.item.stem))
    plan.record = dataclasses.replace(fresh, files=tuple(files[clip] for clip in sorted(files)))
    return plan


def _as_named_before(inputs: Sequence[Input], facts: Mapping[str, Fact]) -> list[Input]:
    """A file keeps its clip's name, also when it is named by another folder, or ``a.mov`` has come
    beside ``a.mp4``: its rows would stand in the corpus twice."""
    clips = {one.record.path: clip for clip, one in facts.items()}
    return [dataclasses.replace(item, stem=clips.get(item.where, item.stem)) for item in inputs]


def _refuse_two_kinds(
    out: Place, stand: Sequence[Fact], digest: str, inputs: Sequence[Input]
) -> None:
    """Rows made with other options that this run would not replace.

    Raises:
        ConfigError: there are some.
    """
    named = {clip_name(item.stem) for item in inputs}
    other = sorted(
        one.record.clip
        for one in stand
        if one.made_with != digest
        and one.record.state is not FileState.FAILED
        and one.record.clip not in named
    )
    if other:
        shown = ", ".join(other[:3]) + (", ..." if len(other) > 3 else "")
        raise ConfigError(
            f"{out}: has rows made with other options of files that are not named ({shown}); name "
            "them as well, or another folder"
        )


class CorpusRun:
    """Goes through a plan; whatever ends it, the facts stand and the next run goes on."""

    def __init__(self, plan: CorpusPlan, job: CorpusJob) -> None:
        self._plan, self._job = plan, job
        self._files = {one.clip: one for one in plan.record.files}
        self.record = plan.record

    def results(self, runner: Runner) -> Generator[FileResult]:
        """A result a file that was left to do, as ``runner`` gives them.

        Raises:
            OutputError: a result or ``run.json`` cannot be written.
            ModelError, ConfigError: nothing can be tracked.
        """
        self._write()
        written_secs = time.monotonic()
        try:
            for result in runner(self._job, self._plan.tasks):
                self._files[result.record.clip] = result.record
                if time.monotonic() - written_secs >= _RECORD_EVERY_SECS:
                    self._write()
                    written_secs = time.monotonic()
                yield result
        finally:
            self._write()

    @property
    def files_done(self) -> int:
        """Whole ones in the corpus, of this run or one before."""
        return sum(one.state is FileState.DONE for one in self._files.values())

    def _write(self) -> None:
        files = tuple(self._files[clip] for clip in sorted(self._files))
        is_complete = all(one.state is FileState.DONE for one in files) and not self.record.refused
        self.record = dataclasses.replace(self.record, files=files, complete=is_complete)
        self._job.out.write(RECORD_NAME, record_bytes(self.record))
