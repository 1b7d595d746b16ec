"""What ``mien corpus`` does: lists files, plans, hands them to nodes, tells how far it is."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import typer

from mien.cli.choices import SEARCH_SECS, PointsPlace, TableFormat
from mien.cli.inputs import Listing, list_words
from mien.cli.progress import CorpusProgress
from mien.cli.said import say
from mien.cli.track_run import TrackOptions, record_of
from mien.corpus import (
    CorpusJob,
    CorpusPlan,
    CorpusRun,
    CorpusTask,
    Place,
    RayCluster,
    addresses_at,
    digest_of,
    is_elsewhere,
    local_path,
    plan_corpus,
    track_here,
)
from mien.errors import ConfigError, InputError
from mien.expression import Details
from mien.media import Input, is_pipe
from mien.media.source import camera_number
from mien.runtime.weights import absolute_model
from mien.study import FileResult, PointsIn, ShardSpec, check_format, clip_name, versions

__all__ = ["CorpusOptions", "run_corpus"]

HERE = "none"
"""In place of a cluster's address: this process."""
_ONE_PROCESS = ("memory://",)
"""Addresses that mean something else in every process."""

Runner = Callable[[CorpusJob, Sequence[CorpusTask]], Iterator[FileResult]]


@dataclass(frozen=True)
class CorpusOptions:
    """The options of ``mien corpus``, as its help explains them."""

    words: list[str]
    list_file: Path | None
    out: str
    recursive: bool
    resume: bool
    ray: str
    cores: int
    retries: int
    scratch: Path | None
    model: str
    points: int
    points_in: PointsPlace
    max_faces: int | None
    detector: str
    careful: bool
    offline: bool

    def track_options(self) -> TrackOptions:
        """The same as options of ``mien track``: there is one way to track a file."""
        # A path is the same file for every node, whatever folder its processes work in.
        kind, _, file = self.detector.partition(":")
        is_file = bool(file) and Path(file).is_file()
        return TrackOptions(
            words=self.words,
            out=None,
            recursive=self.recursive,
            rate=None,
            model=absolute_model(self.model),
            points=self.points,
            max_faces=self.max_faces,
            smooth=True,
            offline=self.offline,
            careful=self.careful,
            threads=self.cores,
            detector=f"{kind}:{Path(file).absolute()}" if is_file else self.detector,
            search_secs=SEARCH_SECS,
            table=TableFormat.PARQUET,
            overlay=False,
            timeline=False,
            overwrite=False,
            details=Details(),
        )


def run_corpus(options: CorpusOptions) -> bool:
    """Track everything; False if something could not be read.

    Raises:
        MienError: nothing can be done at all.
    """
    check_format(Path("rows.parquet"))
    out = Place(options.out if is_elsewhere(options.out) else str(local_path(options.out)))
    _refuse_one_process(options)
    listing = _listed(options)
    track = options.track_options()
    fresh = record_of(track, listing, None)
    fresh = dataclasses.replace(
        fresh, settings={**fresh.settings, "points_in": str(options.points_in)}
    )
    plan = plan_corpus(fresh, listing.inputs, out, resume=options.resume)
    for line in (*listing.refused, *plan.said):
        say(line)
    if plan.done_before:
        say(f"{plan.done_before} files were done before")
    job = CorpusJob(
        file=track.job(None, ShardSpec(Path(), PointsIn(options.points_in))),
        out=out,
        count=options.points,
        made_with=digest_of(fresh),
        versions=versions(),
        scratch=options.scratch.absolute() if options.scratch is not None else None,
    )
    run = CorpusRun(plan, job)
    with _runner(options, is_needed=bool(plan.tasks)) as (runner, where):
        failures = _go_through(run, plan, runner, where)
    typer.echo(f"{run.files_done} of {len(run.record.files)} files done, results in {out}")
    if left_out := listing.left_out_line():
        typer.echo(left_out)
    return run.record.complete and not failures


def _refuse_one_process(options: CorpusOptions) -> None:
    named = [one for one in (*options.words, options.out) if one.startswith(_ONE_PROCESS)]
    if named and options.ray != HERE:
        raise ConfigError(
            f"{named[0]}: another process has a memory of its own; only --ray {HERE} can see it"
        )


def _listed(options: CorpusOptions) -> Listing:
    words = list(options.words)
    if options.list_file is not None:
        try:
            lines = options.list_file.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, ValueError) as error:
            raise InputError(f"{options.list_file}: not a list of files, one a line") from error
        words += [line for line in map(str.strip, lines) if line]
    if not words:
        raise ConfigError("say what to track: folders, files, addresses, or --list FILE")
    words = [word if is_elsewhere(word) else word.removeprefix("file://") for word in words]
    listing = list_words(
        words,
        Path(),
        recursive=options.recursive,
        list_address=partial(addresses_at, recursive=options.recursive),
    )
    for item in listing.inputs:
        if is_pipe(item.where) or camera_number(item.where) is not None:
            raise InputError(f"{item.where}: a corpus is made of files; record it first")
    listing.inputs = [
        item if is_elsewhere(item.where) else Input(str(local_path(item.where)), item.stem)
        for item in listing.inputs
    ]
    return listing


@contextlib.contextmanager
def _runner(options: CorpusOptions, *, is_needed: bool) -> Iterator[tuple[Runner, str]]:
    if options.ray == HERE or not is_needed:
        yield partial(track_here, retries=options.retries), "this process"
        return
    with RayCluster(options.ray, options.cores, options.retries) as cluster:
        nodes, cores = cluster.size
        where = f"{nodes} node{'s' * (nodes != 1)} of Ray, {cores} core{'s' * (cores != 1)}"
        say(where + (f", dashboard: {cluster.dashboard}" if cluster.dashboard else ""))
        yield cluster.track, where


def _go_through(run: CorpusRun, plan: CorpusPlan, runner: Runner, where: str) -> int:
    failures = 0
    sizes = {clip_name(task.item.stem): task.bytes for task in plan.tasks}
    with CorpusProgress(sizes, where) as progress:
        results = run.results(runner)
        with contextlib.closing(results):
            for result in results:
                progress.end(result.record.clip, result.record.frames)
                for line in result.lines:
                    typer.echo(line)
                for error in result.errors:
                    say(error)
                failures += bool(result.errors)
    return failures
