"""``mien models``: what ships, what it cost, what it learned from and what it reaches."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from mien.runtime import ModelCard, shipped_models
from mien.runtime.detectors.finder import read_finder_card
from mien.runtime.finder_card import FinderCard
from mien.runtime.ledger import load_ledger
from mien.runtime.weights import shipped_finder

__all__ = ["models"]

_WORK = {
    "detection": "a detection",
    "tracking": "the last landmarks",
    "finder": "none: it finds faces",
}


def models(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON list: the cards, with file and bytes.")
    ] = False,
) -> None:
    """List the weights that ship with mien."""
    shipped: list[tuple[Path, ModelCard | FinderCard]] = [
        (model.path, model.card) for model in shipped_models()
    ]
    if (finder := shipped_finder()) is not None:
        shipped.append((finder, read_finder_card(finder)))
    if as_json:
        typer.echo(json.dumps([_as_json(path, card) for path, card in shipped], indent=2))
        return
    if not shipped:
        typer.echo("this installation has no weights: give a file with --model PATH.onnx")
        return
    console = Console()
    table = Table()
    for column in ("model", "for crops by", "markup", "parameters", "GFLOPs", "MB"):
        table.add_column(column, justify="left" if column in ("model", "for crops by") else "right")
    for path, card in shipped:
        table.add_row(
            card.name,
            _WORK[card.role],
            _points(card),
            f"{card.parameters:,}",
            f"{card.gflops:.2f}",
            f"{path.stat().st_size / 1e6:.1f}",
        )
    console.print(table)
    for path, card in shipped:
        console.print(f"[bold]{path.name}[/bold]  licence: {card.licence}")
        console.print(f"  learned from: {', '.join(card.training_sources) or 'not said'}")
        hindrances = load_ledger().hindrances(card.training_sources)
        told = f"no, because of: {'; '.join(hindrances)}" if hindrances else "yes"
        console.print(f"  any use: {told} (ledger of {load_ledger().version}, docs/sources.md)")
        for name, value in card.results.items():
            console.print(f"  {name}: {_told(value)}", highlight=False)


def _points(card: ModelCard | FinderCard) -> str:
    if isinstance(card, FinderCard):
        return "5"
    return "68" if card.markup == 68 else f"68, {card.markup}"


def _told(result: Any) -> str:
    """A result in one line; only figures that were measured."""
    if not isinstance(result, dict):
        return str(result)
    return ", ".join(f"{key} {value}" for key, value in result.items() if value is not None)


def _as_json(path: Path, card: ModelCard | FinderCard) -> dict[str, Any]:
    return {
        "file": path.name,
        "bytes": path.stat().st_size,
        "any_use": not load_ledger().hindrances(card.training_sources),
        "ledger": load_ledger().version,
        **dataclasses.asdict(card),
    }
