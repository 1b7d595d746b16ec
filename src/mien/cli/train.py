"""``mien train``: a configuration and a folder of faces to a run."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.train_finder import folder_of_run, train_finder
from mien.errors import ConfigError
from mien.runtime import shipped_models

if TYPE_CHECKING:
    from mien.training.config import TrainConfig
    from mien.training.run_state import Progress


def train(
    config: Annotated[
        Path,
        typer.Argument(help="TOML file, such as configs/fast.toml; or own, finder: those ship."),
    ],
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder of faces: the face pack, 300W-LP where data.layout says so, or for a "
            "face finder the set of 'mien data finder'."
        ),
    ] = None,
    turned: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of turned faces from 'mien data profile'; repeatable."),
    ] = None,
    profiles: Annotated[
        Path | None,
        typer.Option(help="Folder of clicked CFP profiles, to learn from too."),
    ] = None,
    run: Annotated[
        Path | None, typer.Option(help="Folder of the run (default: runs/NAME-ROLE).")
    ] = None,
    initial: Annotated[
        Path | None,
        typer.Option(
            help="Weights to start from: a checkpoint, a file of 'mien export --keep', an exported "
            "network, or a shipped one (fast-detection, nano-tracking, ...)."
        ),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, help="Processes that train together, a share of the cores each.")
    ] = 1,
    device: Annotated[
        str | None,
        typer.Option(
            help="auto, cpu, cuda (a card for each process), cuda:NUMBER or mps "
            "(default: as the configuration says; auto takes a card where there is one)."
        ),
    ] = None,
    describe: Annotated[
        bool, typer.Option("--describe", help="Print the network's size and train nothing.")
    ] = False,
) -> None:
    """Train a network; a run that was stopped goes on from its last checkpoint."""
    try:
        from mien.training.config import load_config, read_config, with_device
        from mien.training.finder.config import FINDER
        from mien.training.plot import plot_run
        from mien.training.workers import train_together
    except ModuleNotFoundError as error:
        raise ConfigError(f"training needs {error.name}: pip install 'mien[train]'") from error
    file = _configuration(config)
    if read_config(file).get("role") == FINDER:
        unused = {"--turned": turned, "--profiles": profiles, "--initial": initial}
        train_finder(
            file, data, run, workers=workers, device=device, describe=describe, unused=unused
        )
        return
    settings = with_device(load_config(file), device)
    if profiles is not None:
        data_of_run = dataclasses.replace(settings.data, profiles=str(profiles.resolve()))
        settings = dataclasses.replace(settings, data=data_of_run)
    if describe:
        _describe(settings)
        return
    if data is None:
        wanted = "300W-LP" if settings.data.layout == "w300lp" else "the face pack"
        raise ConfigError(f"training needs faces: give --data, the folder of {wanted}")
    folder = folder_of_run(run, f"{settings.name}-{settings.role}")
    train_together(
        settings,
        data,
        folder,
        workers=workers,
        turned=turned or [],
        initial=None if initial is None else _found(initial),
        report=_print,
    )
    typer.echo(f"{plot_run(folder)} shows the run; 'mien export {folder}' writes its weights")


def _configuration(config: Path) -> Path:
    """A file, or the configuration of that name that ships with mien."""
    import mien.training

    folder = Path(mien.training.__path__[0])
    beside = folder / "configs"  # as a wheel has it; in a checkout they lie above src
    shipped = (beside if beside.is_dir() else folder.parents[2] / "configs") / f"{config}.toml"
    if not config.exists() and not shipped.is_file():
        raise ConfigError(
            f"there is no configuration {config}: give a TOML file, or one that ships (own, finder)"
        )
    return config if config.is_file() or not shipped.is_file() else shipped


def _found(initial: Path) -> Path:
    """A file, or the shipped network of that name."""
    shipped = {model.path.stem: model.path for model in shipped_models()}
    return initial if initial.exists() else shipped.get(str(initial), initial)


def _describe(settings: TrainConfig) -> None:
    from mien.models.size import network_size

    network = settings.network
    size = network_size(network)
    typer.echo(f"{settings.name}: {network.points} points, crops of {network.side} px")
    typer.echo(f"{'part':<16}{'parameters':>14}{'GFLOPs':>10}")
    for part in size.parts:
        typer.echo(f"{part.name:<16}{part.parameters:>14,}{part.gflops:>10.3f}")
    typer.echo(f"{'all':<16}{size.parameters:>14,}{size.gflops:>10.3f}")


def _print(progress: Progress) -> None:
    """A line every hundred steps: a log that a night's run can be read from."""
    if progress.step % 100 == 0:
        typer.echo(
            f"step {progress.step}/{progress.steps}  loss {progress.loss:.4f}  "
            f"best val NME {progress.best:.4f}  {progress.per_sec:.1f} faces/s"
        )
