"""``mien export``: a run to a weight file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from mien.errors import ConfigError, InputError

_KEPT = ("n", "missed", "nme", "nme_inner51", "balanced", "auc_07", "failure_rate_07")


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a run, or a checkpoint file.")],
    out: Annotated[Path, typer.Option(help="Weight file to write, such as fast-detection.onnx.")],
    keep: Annotated[
        Path | None,
        typer.Option(help="Also write the weights as .safetensors, to train on from later."),
    ] = None,
    results: Annotated[
        list[Path] | None,
        typer.Option(help="JSON of 'mien evaluate' whose figures go into the card; repeatable."),
    ] = None,
    score: Annotated[
        float,
        typer.Option(
            min=0.01, max=0.99, help="For a face finder: the lowest score that counts as a face."
        ),
    ] = 0.5,
) -> None:
    """Write a run's best weights as ONNX with decoding and card inside, checked against torch."""
    try:
        from mien.export import export_finder, export_run
        from mien.training.checkpoint import load_checkpoint, save_weights
        from mien.training.finder.loop import is_finder_checkpoint, load_finder_checkpoint
    except ModuleNotFoundError as error:
        raise ConfigError(f"exporting needs {error.name}: pip install 'mien[train]'") from error
    if keep is not None and keep.suffix != ".safetensors":
        raise ConfigError(f"--keep writes a .safetensors file, not {keep.name}")
    file = run / "best.pt" if run.is_dir() else run
    if is_finder_checkpoint(file):
        if keep is not None or results:
            raise ConfigError("a face finder is exported without --keep and --results")
        finder = export_finder(load_finder_checkpoint(file), out, score=score)
        typer.echo(f"{out}: {finder.parameters:,} parameters, {finder.gflops} GFLOPs a picture")
        return
    checkpoint = load_checkpoint(file)
    figures = {file.stem: _figures(file) for file in results or []}
    card = export_run(checkpoint, out, figures)
    if keep is not None:
        save_weights(checkpoint, keep)
    typer.echo(f"{out}: {card.parameters:,} parameters, {card.gflops} GFLOPs a face")


def _figures(file: Path) -> dict[str, Any]:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        return {key: values[key] for key in _KEPT} | {"init": values["init"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file} is not a result of 'mien evaluate': {error!r}") from error
