"""``mien train`` where the configuration is of a face finder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mien.errors import ConfigError, OutputError, reason_of

if TYPE_CHECKING:
    from mien.training.run_state import Progress

__all__ = ["folder_of_run", "train_finder"]


def train_finder(
    config: Path,
    data: Path | None,
    run: Path | None,
    *,
    workers: int,
    device: str | None,
    describe: bool,
    unused: Mapping[str, object],
) -> None:
    """Train a face finder, or tell how large it is.

    Raises:
        ConfigError: an option was given that a finder has no use for, or no set.
    """
    from mien.models.finder import finder_size
    from mien.training.config import with_device
    from mien.training.finder.config import load_finder_config
    from mien.training.finder.run import train_finder_together

    settings = with_device(load_finder_config(config), device)
    if given := [name for name, value in unused.items() if value]:
        raise ConfigError(f"a face finder learns from --data alone: leave out {', '.join(given)}")
    if describe:
        size = finder_size(settings.network)
        typer.echo(
            f"{settings.name}: {size.parameters:,} parameters, {size.gflops:.3f} GFLOPs a picture "
            f"of {size.side} x {size.side} px"
        )
        return
    if data is None:
        raise ConfigError("training needs pictures: give --data, the set of 'mien data finder'")
    folder = folder_of_run(run, settings.name)
    train_finder_together(settings, data, folder, workers=workers, report=_print)
    typer.echo(
        f"best.pt in {folder} is the best of val.csv; 'mien export {folder} --out finder.onnx' "
        "writes its weights"
    )


def folder_of_run(run: Path | None, name: str) -> Path:
    """Where a run's files go, which is made.

    Raises:
        OutputError: it cannot be.
    """
    folder = run or Path("runs") / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the run's folder {folder}: {reason_of(error)}") from error
    return folder


def _print(progress: Progress) -> None:
    if progress.step % 100 == 0:
        typer.echo(
            f"step {progress.step}/{progress.steps}  loss {progress.loss:.4f}  "
            f"best val precision {max(progress.best, 0):.4f}  "
            f"{progress.per_sec:.1f} pictures/s"
        )
