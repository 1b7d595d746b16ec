"""``mien reproduce``: the tables and figure 7 of the paper, trained and measured again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from mien.cli.progress import bars
from mien.errors import ConfigError
from mien.reproduction.targets import ScaleName, Target

if TYPE_CHECKING:
    from mien.reproduction.estimate import PlannedTraining
    from mien.reproduction.jobs import Job
    from mien.reproduction.material import Given
    from mien.reproduction.results import RowResult

__all__ = ["reproduce"]


def reproduce(
    target: Annotated[Target, typer.Argument(help="Which table or figure of the paper.")],
    scale: Annotated[
        ScaleName,
        typer.Option(
            help="full: the paper's own, on 300W-LP; small: an hour a table on two cores, on our "
            "own sets; smoke: a minute, on faces that the command draws itself."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder of networks, results and tables.")] = Path(
        "runs/reproduce"
    ),
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on in a folder that holds rows already.")
    ] = False,
    plan: Annotated[
        bool,
        typer.Option("--plan", help="Print what would be trained and how long; train nothing."),
    ] = False,
    data: Annotated[Path | None, typer.Option(help="small: folder of the face pack.")] = None,
    turned: Annotated[
        list[Path] | None,
        typer.Option(help="small: folder of turned faces to learn from; repeatable."),
    ] = None,
    turned_test: Annotated[
        Path | None, typer.Option(help="small: folder of turned faces of test photos.")
    ] = None,
    w300lp: Annotated[Path | None, typer.Option(help="full: folder 300W_LP.")] = None,
    aflw2000: Annotated[
        Path | None, typer.Option(help="small, full: folder of AFLW2000-3D, for tables 1 to 3.")
    ] = None,
    clips: Annotated[
        Path | None, typer.Option(help="small: clips of mien data video, for table 4 and figure 7.")
    ] = None,
    vw300: Annotated[
        Path | None, typer.Option(help="full: folder of 300VW, for table 4 and figure 7.")
    ] = None,
    head: Annotated[
        Path | None, typer.Option(help="small, full: head model (.npz), for 3DDFA in table 3.")
    ] = None,
    detector: Annotated[
        str | None,
        typer.Option(help="Detector for videos (default: centerface; smoke: truth)."),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, help="Processes that train together, a share of the cores each.")
    ] = 1,
) -> None:
    """Train every row of a table with the same data, steps and seeds; print it beside the paper's.

    Rows that are finished are kept, and a run that was broken off goes on with --resume.
    """
    try:
        from mien.reproduction.estimate import plan_trainings
        from mien.reproduction.jobs import Reproduction, plan_jobs
        from mien.reproduction.material import Given, gather
        from mien.reproduction.run import run_job
        from mien.reproduction.scale import SCALES
        from mien.reproduction.tables import write_curves, write_table
        from mien.training.workers import is_started_by_torchrun
    except ModuleNotFoundError as error:
        raise ConfigError(f"reproducing needs {error.name}: pip install 'mien[train]'") from error
    if is_started_by_torchrun():
        raise ConfigError("mien reproduce starts its own processes: give --workers, not torchrun")
    wanted = SCALES[scale]
    if not (resume or plan) and (out / "networks").exists():
        raise ConfigError(f"{out} holds rows already: go on there with --resume, or give --out")
    given = Given(data, tuple(turned or ()), turned_test, w300lp, aflw2000, clips, vw300, head)
    usual = "truth" if scale is ScaleName.SMOKE else "centerface"
    material = gather(target, wanted, given, out)
    work = Reproduction(target, wanted, material, out, detector or usual, workers)
    jobs = plan_jobs(work)
    console = Console()
    console.print(_plan(jobs, plan_trainings(jobs, material, workers)))
    if plan:
        return
    command = _command(target, scale, given, work.detector)
    results: dict[str, list[RowResult]] = {}
    with _Bars(Console(stderr=True)) as bars:
        for job in jobs:
            kept = job.result() is not None
            result = run_job(job, work, bars)
            results.setdefault(job.row.name, []).append(result)
            file = write_table(target, wanted, results, out, command)
            console.print(f"{job.row.name}, seed {job.seed}: {'kept' if kept else 'done'}")
    curves = write_curves(target, wanted, results, out)
    console.print(f"{file}, with .csv and .json beside it; {curves}", soft_wrap=True)


def _command(target: Target, scale: ScaleName, given: Given, detector: str) -> str:
    """The command line, with folders by their last names."""
    words = ["mien", "reproduce", target, "--scale", scale]
    named = {
        "data": given.faces,
        "turned-test": given.turned_test,
        "w300lp": given.w300lp,
        "aflw2000": given.aflw2000,
        "clips": given.clips,
        "vw300": given.vw300,
        "head": given.head,
    }
    folders = [("turned", folder) for folder in given.turned]
    folders += [(option, folder) for option, folder in named.items() if folder is not None]
    for option, folder in folders:
        words += [f"--{option}", folder.resolve().name]
    if target.on_video:
        words += ["--detector", detector]
    return shlex.join(words)


def _plan(jobs: Sequence[Job], planned: Sequence[PlannedTraining]) -> Table:
    """Each network once, though rows share it."""
    kept = sum(job.result() is not None for job in jobs)
    hours = sum(each.hours_left for each in planned)
    table = Table(
        title=f"{len(jobs)} rows and seeds, {kept} of them finished; about {hours:.2f} hours of "
        "training left, on idle cores"
    )
    table.add_column("network")
    for name in ("steps left", "faces a step", "faces/s", "hours left"):
        table.add_column(name, justify="right")
    for each in planned:
        table.add_row(
            each.training.run.name.rpartition("-")[0],  # without the fingerprint
            str(each.steps_left),
            str(each.training.config.schedule.batch),
            f"{each.faces_per_sec:.1f}",
            f"{each.hours_left:.2f}",
        )
    return table


class _Bars:
    """One bar: the stretch of work that is under way."""

    def __init__(self, console: Console) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self._progress = bars(console, *columns, TimeRemainingColumn())
        self._task = self._progress.add_task("", total=None)

    def __enter__(self) -> _Bars:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def begin(self, what: str, total: int) -> None:
        self._progress.reset(self._task, description=what, total=total)

    def advance(self, done: int) -> None:
        self._progress.update(self._task, completed=done)
