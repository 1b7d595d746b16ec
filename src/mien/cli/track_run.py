"""What ``mien track`` does: one input after the other or side by side, a line about each."""

from __future__ import annotations

import contextlib
import dataclasses
import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import typer

from mien.cli.choices import MAX_FACES, PointsPlace, TableFormat
from mien.cli.inputs import Listing, list_words
from mien.cli.progress import FilesProgress
from mien.cli.said import one_line, say
from mien.cli.streams import open_streams, parse_targets
from mien.errors import ConfigError, InputError
from mien.expression import Details
from mien.media import is_address, is_pipe
from mien.media.source import camera_number
from mien.outputs import Sink, is_ours, refuse_foreign
from mien.runtime.weights import find_weights
from mien.study import (
    RECORD_NAME,
    FileJob,
    FileResult,
    Outputs,
    PartsSpec,
    PointsIn,
    RunRecord,
    ShardSpec,
    StudyPaths,
    StudyRun,
    check_format,
    plan_run,
    sha256_of,
    versions,
)
from mien.tracking import OfflineSettings, SmoothingSettings, TrackerSettings

__all__ = ["TrackOptions", "record_of", "run_track"]


@dataclass(frozen=True)
class TrackOptions:
    """The options of ``mien track``, as its help explains them."""

    words: list[str]
    out: Path | None
    recursive: bool
    rate: float | None
    model: str
    points: int
    max_faces: int | None
    smooth: bool
    offline: bool
    careful: bool
    threads: int | None
    detector: str
    search_secs: float
    table: TableFormat
    overlay: bool
    timeline: bool
    overwrite: bool
    details: Details
    osc: str | None = None
    vmc: str | None = None
    vrm_shapes: bool = False
    face: int | None = None
    seen_only: bool = False
    study: Path | None = None
    """The one table of all inputs."""
    study_points: PointsPlace = PointsPlace.BESIDE
    workers: int = 1
    resume: bool = True

    def parts(self) -> PartsSpec:
        """Networks, detector and settings, to be opened here or in a worker.

        Raises:
            ConfigError: options that do not go together.
        """
        return PartsSpec(
            model=self.model,
            points=self.points,
            detector=self.detector,
            settings=TrackerSettings(
                max_faces=self.max_faces or MAX_FACES,
                search_secs=self.search_secs,
                smoothing=self._smoothing(),
                careful=self.careful,
                held_secs=0.0 if self.seen_only else TrackerSettings.held_secs,
            ),
            threads=self.threads,
        )

    def _smoothing(self) -> SmoothingSettings | OfflineSettings | None:
        if self.offline and not self.smooth:
            raise ConfigError("--offline is a way to smooth: leave out --no-smooth, or it")
        if self.offline:
            return OfflineSettings()
        return SmoothingSettings() if self.smooth else None

    def outputs(self) -> Outputs | None:
        """Files a clip, if a folder for them is named."""
        if self.out is None:
            return None
        return Outputs(
            self.out,
            self.table,
            self.overlay,
            self.timeline,
            self.overwrite,
            self.details,
            streams=self.sends,
        )

    @property
    def sends(self) -> bool:
        """Whether faces are sent to other programs."""
        return self.osc is not None or self.vmc is not None

    def read_details(self) -> Details:
        """What is read of each face: what the table holds, and what is sent."""
        if self.sends:
            return dataclasses.replace(self.details, blendshapes=True, metric=True)
        return self.details

    def job(self, outputs: Outputs | None, shards: ShardSpec | None) -> FileJob:
        """What is done with every file.

        Raises:
            ConfigError: options that do not go together.
        """
        return FileJob(
            parts=self.parts(),
            outputs=outputs,
            shards=shards,
            rate=self.rate,
            all_faces_of_photos=self.max_faces is None,
            details=self.read_details(),
        )

    def study_paths(self) -> StudyPaths | None:
        """The one table's, if it is asked for."""
        if self.study is None:
            return None
        return StudyPaths(self.study, PointsIn(self.study_points), self.points, self.details)


def run_track(options: TrackOptions) -> bool:
    """Track everything; False if something could not be read or made.

    Raises:
        MienError: nothing can be done at all.
    """
    targets = parse_targets(options.osc, options.vmc, options.face, vrm_shapes=options.vrm_shapes)
    if targets and options.workers > 1:
        raise ConfigError("--osc and --vmc send one video at a time: leave out --workers")
    if options.out is None and options.study is None:
        raise ConfigError("say where results go: --out FOLDER, --table NAME.parquet, or both")
    _refuse_idle(options)
    outputs, study = options.outputs(), options.study_paths()
    folder = options.out if options.out is not None else Path(study.table.parent if study else ".")
    listing = list_words(options.words, folder, recursive=options.recursive)
    if options.offline:
        _refuse_cameras(listing)
    if study is not None:
        _check_study(study, listing, options, outputs)
    if outputs is not None:
        outputs.make_folder()
        outputs.refuse_foreign(item.stem for item in listing.inputs)
    run = _planned(options, listing, outputs, study)
    if study is not None and run.nothing_to_do:
        for refusal in listing.refused:
            say(refusal)
        typer.echo(f"all {len(listing.inputs)} files are done already, in {study.table}")
        return not listing.refused
    streams = partial(open_streams, targets, options.face)
    return _go_through(run, listing, folder if study is None else study.table, streams)


def _refuse_idle(options: TrackOptions) -> None:
    """Options of an output that is not asked for: what they name would be missed."""
    if options.out is None and options.table is not TableFormat.CSV:
        raise ConfigError(
            f"--format {options.table} is of the files of --out, which is not given; --table has "
            "its format by its name"
        )
    if options.out is None and options.timeline:
        raise ConfigError("--timeline draws into --out FOLDER, which is not given")
    if options.study is None and options.study_points is not PointsPlace.BESIDE:
        raise ConfigError("--points says where those of --table go, which is not given")


def _refuse_cameras(listing: Listing) -> None:
    for item in listing.inputs:
        if camera_number(item.where) is not None:
            raise InputError(
                f"{item.where}: --offline is for files; a camera's frames are smoothed as they come"
            )


def _check_study(
    study: StudyPaths, listing: Listing, options: TrackOptions, outputs: Outputs | None
) -> None:
    """Everything that can be refused before any work.

    Raises:
        ConfigError, InputError, OutputError: it cannot be made of that.
    """
    check_format(study.table)
    for item in listing.inputs:
        where = item.where
        if is_address(where) or is_pipe(where) or camera_number(where) is not None:
            raise InputError(
                f"{where}: the table of a study is made of files; record the stream first, or "
                "track it with --out"
            )
    own = {path.resolve() for path, _ in study.tables} | {study.record.resolve()}
    for item in listing.inputs if outputs is not None else ():
        if outputs is not None and (both := own & {p.resolve() for p in outputs.paths(item.stem)}):
            raise ConfigError(
                f"{both.pop()}: a clip's own file has this name too; put the table into another "
                "folder than --out"
            )
    if not options.overwrite:
        refuse_foreign(path for path, _ in study.tables)
        if study.record.is_file() and not is_ours(study.record):
            refuse_foreign([study.record])


def _planned(
    options: TrackOptions, listing: Listing, outputs: Outputs | None, study: StudyPaths | None
) -> StudyRun:
    shards = ShardSpec(study.parts, study.points, options.details) if study is not None else None
    job = options.job(outputs, shards)
    keeps = study is not None or len(listing.inputs) > 1
    record_path = _record_path(options, listing, study) if keeps else None
    fresh = record_of(options, listing, study)
    plan = plan_run(fresh, listing.inputs, record_path, study, outputs, resume=options.resume)
    for line in plan.said:
        say(line)
    if plan.done_before and plan.tasks:
        say(f"{plan.done_before} of {len(listing.inputs)} files were done before")
    return StudyRun(plan, job, record_path, study, options.workers)


def _record_path(options: TrackOptions, listing: Listing, study: StudyPaths | None) -> Path:
    if study is not None or options.out is None:
        return study.record if study is not None else Path(RECORD_NAME)
    # A clip called run has its summary there.
    is_taken = any(f"{item.stem}.json".lower() == RECORD_NAME for item in listing.inputs)
    return options.out / (f"all.{RECORD_NAME}" if is_taken else RECORD_NAME)


def record_of(options: TrackOptions, listing: Listing, study: StudyPaths | None) -> RunRecord:
    """What the run is made with.

    Raises:
        ModelError: no such model.
    """
    parts = options.parts()
    weights = find_weights(options.model)
    files = {path.name: sha256_of(path) for path in {weights.detection, weights.tracking}}
    settings = {
        "points": options.points,
        "detector": options.detector,
        "rate": options.rate,
        "all_faces_of_photos": options.max_faces is None,
        "tracker": dataclasses.asdict(parts.settings),
        "details": dataclasses.asdict(options.details),
    }
    if study is not None:
        settings |= {"table": study.table.name, "points_in": str(study.points)}
    if options.out is not None:
        settings |= {"files": [str(options.table), options.overlay, options.timeline]}
    return RunRecord(
        settings=settings,
        model={"name": options.model, "sha256": dict(sorted(files.items()))},
        versions=versions(),
        left_out=listing.left_out.recorded(),
        refused=tuple(listing.refused),
        command=shlex.join(["mien", *sys.argv[1:]]),
    )


def _go_through(
    run: StudyRun,
    listing: Listing,
    where: Path,
    streams: Callable[[], AbstractContextManager[Sequence[Sink]]],
) -> bool:
    named = len(listing.inputs) + len(listing.refused)
    for refusal in listing.refused:
        say(refusal)
    is_good = not listing.refused
    with FilesProgress([item.stem for item in listing.inputs]) as progress:
        results = run.results(
            lambda told: progress.show(told.item.stem, told.frames_done, told.frames_expected),
            lambda broken: _tell(broken, errors=broken.errors[1:]),
            streams,
        )
        with contextlib.closing(results):
            for result in results:
                progress.end(result.record.clip)
                _tell(result, errors=result.errors)
                is_good = is_good and not result.errors
    if named > 1:
        typer.echo(f"{run.files_done} of {named} files done, results in {where}")
    if left_out := listing.left_out_line():
        typer.echo(left_out)
    return is_good and run.files_done == named


def _tell(result: FileResult, errors: Sequence[str]) -> None:
    for line in result.lines:
        typer.echo(one_line(line))
    for error in errors:
        say(error)
