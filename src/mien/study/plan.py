"""What is left to do of a run: what an earlier one has done stands, if nothing has changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mien.errors import ConfigError, InputError
from mien.expression import Details
from mien.files import told_as_output_error
from mien.media import Input
from mien.outputs import NO_DETAILS
from mien.study.cells import clip_name
from mien.study.clip_outputs import Outputs
from mien.study.join import split
from mien.study.record import (
    RECORD_NAME,
    FileRecord,
    FileState,
    RunRecord,
    fingerprint,
    read_record,
    sha256_of,
)
from mien.study.tables import PointsIn, ShardPaths, points_columns, study_columns
from mien.study.workers import Task

__all__ = ["Plan", "StudyPaths", "plan_run"]


@dataclass(frozen=True)
class StudyPaths:
    """Everything a study writes, by its table's path."""

    table: Path
    points: PointsIn
    count: int
    """Points a face."""
    details: Details = NO_DETAILS

    @property
    def record(self) -> Path:
        return self.table.with_name(RECORD_NAME)

    @property
    def parts(self) -> Path:
        """Folder of the rows that are not in the table yet; gone when the run has ended."""
        return self.table.with_name(f"{self.table.stem}.parts")

    @property
    def tables(self) -> tuple[tuple[Path, tuple[str, ...]], ...]:
        """Each table with its columns, as ``ShardPaths.tables`` are ordered."""
        inside = self.count if self.points is PointsIn.INSIDE else None
        first = (self.table, study_columns(inside, self.details))
        if self.points is not PointsIn.BESIDE:
            return (first,)
        second = self.table.with_name(f"{self.table.stem}.points{self.table.suffix}")
        return first, (second, points_columns(self.count))

    def shards(self, clip: str) -> ShardPaths:
        return ShardPaths.of(self.parts, clip, self.points)


@dataclass
class Plan:
    """What there is to do, and what to say of it before."""

    record: RunRecord
    tasks: list[Task] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @property
    def done_before(self) -> int:
        return len(self.record.files) - len(self.tasks)


def plan_run(
    fresh: RunRecord,
    inputs: Sequence[Input],
    record_path: Path | None,
    study: StudyPaths | None,
    outputs: Outputs | None = None,
    *,
    resume: bool = True,
) -> Plan:
    """Compare what is asked for with what ``run.json`` says is done.

    Without a study (files a clip alone) a run that was complete is done anew, and so is one that
    leaves no record.

    Raises:
        ConfigError: a study was begun with other options, or another one lies in this folder.
        InputError: ``run.json`` is not ours, or damaged.
    """
    plan = Plan(fresh)
    old = read_record(record_path) if record_path is not None else None
    if old is not None and study is not None:
        _refuse_other_study(study, old)
    if not resume:
        old = None
    if old is not None and study is None and old.complete:
        old = None
    if old is not None and (differences := fresh.differences(old)):
        shown = "; ".join(differences[:3]) + ("; ..." if len(differences) > 3 else "")
        if study is not None:
            raise ConfigError(
                f"{record_path}: the run there was begun with other options ({shown}); give the "
                "same ones, name a table in another folder, or start anew with --no-resume"
            )
        plan.said.append(f"begun anew: the run before had other options ({shown})")
        old = None
    records = {one.clip: one for one in old.files} if old is not None else {}
    standing = [one for one in inputs if outputs is None or outputs.are_there(one.stem)]
    kept = _kept(plan, standing, records)
    if study is not None and old is not None:
        _recover(plan, study, old, kept, is_all=len(kept) == len(inputs))
    files: list[FileRecord] = []
    for item in inputs:
        clip = clip_name(item.stem)
        known = records.get(clip)
        files.append(kept.get(clip) or FileRecord(clip, item.where))
        if clip not in kept:
            plan.tasks.append(Task(item, known.print if known is not None else None))
    gone = records.keys() - {clip_name(item.stem) for item in inputs}
    if gone:
        named = ", ".join(sorted(gone)[:3]) + (", ..." if len(gone) > 3 else "")
        plan.said.append(f"no longer among the files, and left out of the table: {named}")
    tables = old.tables if old is not None else ()
    plan.record = dataclasses.replace(fresh, files=tuple(files), tables=tables)
    return plan


def _refuse_other_study(study: StudyPaths, old: RunRecord) -> None:
    """``run.json`` is of one study: another table beside it would lose what it was made with."""
    other = old.settings.get("table")
    if (
        isinstance(other, str)
        and other != study.table.name
        and study.table.with_name(other).exists()
    ):
        raise ConfigError(
            f"{study.record}: tells what {other} beside it was made with; put {study.table.name} "
            "into another folder"
        )


def _kept(
    plan: Plan, inputs: Sequence[Input], records: dict[str, FileRecord]
) -> dict[str, FileRecord]:
    kept: dict[str, FileRecord] = {}
    new = 0
    for item in inputs:
        clip = clip_name(item.stem)
        known = records.get(clip)
        if known is None:
            new += bool(records)
        elif known.state is FileState.DONE and known.print.sha256 is not None:
            try:
                now = fingerprint(item.where, known=known.print)
            except InputError:
                continue  # told when it is tracked
            if now.sha256 == known.print.sha256:
                kept[clip] = dataclasses.replace(known, path=item.where, print=now)
            else:
                plan.said.append(f"{clip}: the file has changed since, and is tracked anew")
    if new:
        plan.said.append(f"{new} file{'s' * (new != 1)} more than in the run before")
    return kept


def _recover(
    plan: Plan, study: StudyPaths, old: RunRecord, kept: dict[str, FileRecord], *, is_all: bool
) -> None:
    """The kept files' rows must lie in parts again; from ``kept`` goes what cannot be had."""
    lost = [clip for clip in kept if not all(p.is_file() for p in study.shards(clip).tables)]
    if not lost:
        return
    is_whole = _whole(study, old)
    is_same = is_all and [one.clip for one in old.files] == list(kept)
    # Parts that lie beside a whole table are what a kill left of them: they are completed again.
    if is_whole and is_same and not study.parts.is_dir():
        return
    if not is_whole:
        plan.said.append(
            f"{study.table.name} is not as the run before left it: "
            f"{len(lost)} of {len(old.files)} files are tracked anew"
        )
        for clip in lost:
            del kept[clip]
        return
    with told_as_output_error(study.parts):
        study.parts.mkdir(exist_ok=True)
    for number, (table, columns) in enumerate(study.tables):
        split(table, columns, {clip: study.shards(clip).tables[number] for clip in lost})


def _whole(study: StudyPaths, old: RunRecord) -> bool:
    """Whether the tables are those that the record tells of."""
    told = {str(one["name"]): one for one in old.tables}
    for path, _ in study.tables:
        known = told.get(path.name)
        if known is None or not path.is_file() or path.stat().st_size != known["bytes"]:
            return False
        if sha256_of(path) != known["sha256"]:
            return False
    return True
