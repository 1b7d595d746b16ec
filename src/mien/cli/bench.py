"""``mien bench``: what each model costs on this machine."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from mien.bench import Case, CaseResult, StartUp, measure_case, measure_start_up, write_crowd
from mien.errors import ConfigError
from mien.files import write_atomically
from mien.media import open_source
from mien.runtime import shipped_models

__all__ = ["bench"]

_SIZES = {360: (640, 360), 1080: (1920, 1080)}
_FACES = (1, 4, 12)
_WIDTH = 120
"""Columns of a screen that the tables need."""
_FRAMES = 150
_FIGURES = ("faces_found", "fps", "cpu_ms", "update_ms_median", "update_ms_p95", "peak_mb")
_UPDATE_STAGES = ("detect", "landmarks", "rest", "decode")


def bench(
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write the result to this file.")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="Only this model, or a weight file; may be given again."),
    ] = None,
    faces: Annotated[
        list[int] | None,
        typer.Option(min=1, max=40, help="Only clips of so many faces; repeatable."),
    ] = None,
    height: Annotated[
        list[int] | None, typer.Option(help="Only clips of this height, 360 or 1080; repeatable.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads for the networks, as mien track has it.")
    ] = None,
    repeat: Annotated[
        int, typer.Option(min=1, help="Runs of each case, one after the other in rounds.")
    ] = 3,
    frames: Annotated[int, typer.Option(min=20, help="Frames of each clip.")] = _FRAMES,
) -> None:
    """Measure speed, stages, start-up and memory on made clips of 1, 4 and 12 faces: some minutes.

    Decoding is included, nothing is drawn or written. Every case runs in a process of its own;
    other work on the machine spoils the figures.
    """
    names = model or sorted({one.card.name for one in shipped_models()})
    heights = height or sorted(_SIZES)
    if unknown := sorted(set(heights) - set(_SIZES)):
        raise ConfigError(f"--height is one of {', '.join(map(str, _SIZES))}, not {unknown[0]}")
    console = Console()
    if console.width < _WIDTH:  # a file, a narrow window: rather broken lines than cut figures
        console = Console(width=_WIDTH)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        cases = _cases(folder, names, faces or list(_FACES), heights, threads, frames)
        rounds: list[list[CaseResult]] = []
        with console.status("measuring") as status:
            for number in range(repeat):
                results = []
                for case in cases:
                    words = f"{case.model}, {case.faces} faces, {case.height}p"
                    told = f"round {number + 1} of {repeat}: {words}"
                    status.update(told)
                    if not console.is_terminal:
                        typer.echo(told, err=True)
                    results.append(_alone(case))
                rounds.append(results)
            status.update("starting up")
            with open_source(str(cases[0].clip)) as source:
                photo = next(iter(source))
            starts = [measure_start_up(name, photo, folder) for name in names]
    medians = [_middle(list(runs)) for runs in zip(*rounds, strict=True)]
    console.print(_table(medians))
    console.print(_start_table(starts))
    if json_file is not None:
        command = _command(names, faces, height, threads, repeat, frames)
        kept = _as_json(medians, rounds, starts, command)
        write_atomically(json_file, (json.dumps(kept, indent=1) + "\n").encode())


def _cases(
    folder: Path,
    names: list[str],
    faces: list[int],
    heights: list[int],
    threads: int | None,
    frames: int,
) -> list[Case]:
    cases = []
    for tall in heights:
        for count in faces:
            clip = folder / f"crowd-{count}-{tall}.mp4"
            width, rows = _SIZES[tall]
            write_crowd(clip, faces=count, width=width, height=rows, frames=frames)
            cases += [Case(name, clip, count, tall, threads) for name in names]
    return cases


def _alone(case: Case) -> CaseResult:
    """In a fresh process, whose peak memory is the case's own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure_case, case).result()


def _middle(runs: list[CaseResult]) -> CaseResult:
    """Each figure's median over the rounds."""
    numbers = {field: round(median(getattr(run, field) for run in runs), 3) for field in _FIGURES}
    stages = {
        name: round(median(run.stages_ms[name] for run in runs), 3) for name in runs[0].stages_ms
    }
    return dataclasses.replace(runs[0], stages_ms=stages, **numbers)


def _table(results: list[CaseResult]) -> Table:
    table = Table(title="one frame, decoding included, nothing drawn")
    columns = ("model", "faces", "height", "frames/s", "processor ms", "update ms", "95 %")
    for column in (*columns, *_UPDATE_STAGES, "found", "MB"):
        table.add_column(column, justify="left" if column == "model" else "right")
    for one in results:
        stages = (f"{one.stages_ms[name]:.1f}" for name in _UPDATE_STAGES)
        table.add_row(
            *(one.model, str(one.faces), f"{one.height}p", f"{one.fps:.0f}", f"{one.cpu_ms:.1f}"),
            *(f"{one.update_ms_median:.1f}", f"{one.update_ms_p95:.1f}", *stages),
            *(f"{one.faces_found:.1f}", f"{one.peak_mb:.0f}"),
        )
    return table


def _start_table(starts: list[StartUp]) -> Table:
    table = Table(title="a photo of 360p")
    columns = ("model", "fresh process to its first result, s", "processor s", "warm, ms")
    for column in (*columns, "processor ms"):
        table.add_column(column, justify="left" if column == "model" else "right")
    for one in starts:
        table.add_row(
            *(one.model, f"{one.first_result_secs:.2f}", f"{one.first_result_cpu_secs:.2f}"),
            *(f"{one.photo_ms:.1f}", f"{one.photo_cpu_ms:.1f}"),
        )
    return table


def _command(
    names: list[str],
    faces: list[int] | None,
    height: list[int] | None,
    threads: int | None,
    repeat: int,
    frames: int,
) -> str:
    words = ["mien bench", *(f"--model {Path(name).name}" for name in names)]
    words += [f"--faces {count}" for count in faces or ()]
    words += [f"--height {tall}" for tall in height or ()]
    words += [f"--threads {threads}"] if threads else []
    words += [f"--frames {frames}"] if frames != _FRAMES else []
    return " ".join([*words, f"--repeat {repeat}"])


def _as_json(
    medians: list[CaseResult],
    rounds: list[list[CaseResult]],
    starts: list[StartUp],
    command: str,
) -> dict[str, Any]:
    runs = list(zip(*rounds, strict=True))
    return {
        "command": command,
        "cores": _cores(),
        "load_average": _load(),
        "python": platform.python_version(),
        "cases": [
            {**dataclasses.asdict(one), "runs_fps": [run.fps for run in runs[index]]}
            for index, one in enumerate(medians)
        ],
        "start_up": [dataclasses.asdict(one) for one in starts],
    }


def _load() -> float | None:
    """Processes that wanted a core in the last minute: beyond the benchmark's own one or two, they
    were others'."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None


def _cores() -> int:
    """Those this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
