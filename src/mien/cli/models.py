"""``mien models``: what ships, what it cost, what it learned from and what it reaches."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from mien.runtime import ShippedModel, shipped_models
from mien.runtime.ledger import load_ledger

__all__ = ["models"]


def models(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON list: the cards, with file and bytes.")
    ] = False,
) -> None:
    """List the weights that ship with mien."""
    shipped = shipped_models()
    if as_json:
        typer.echo(json.dumps([_as_json(model) for model in shipped], indent=2))
        return
    if not shipped:
        typer.echo("this installation has no weights: give a file with --model PATH.onnx")
        return
    console = Console()
    table = Table()
    for column in ("model", "for crops by", "markup", "parameters", "GFLOPs", "MB"):
        table.add_column(column, justify="left" if column in ("model", "for crops by") else "right")
    for model in shipped:
        card = model.card
        table.add_row(
            card.name,
            "a detection" if card.role == "detection" else "the last landmarks",
            "68" if card.markup == 68 else f"68, {card.markup}",
            f"{card.parameters:,}",
            f"{card.gflops:.2f}",
            f"{model.size_bytes / 1e6:.1f}",
        )
    console.print(table)
    for model in shipped:
        console.print(f"[bold]{model.path.name}[/bold]  licence: {model.card.licence}")
        console.print(f"  learned from: {', '.join(model.card.training_sources) or 'not said'}")
        hindrances = load_ledger().hindrances(model.card.training_sources)
        told = f"no, because of: {'; '.join(hindrances)}" if hindrances else "yes"
        console.print(f"  any use: {told} (ledger of {load_ledger().version}, docs/sources.md)")
        for name, value in model.card.results.items():
            console.print(f"  {name}: {_told(value)}", highlight=False)


def _told(result: Any) -> str:
    """A result in one line; only figures that were measured."""
    if not isinstance(result, dict):
        return str(result)
    return ", ".join(f"{key} {value}" for key, value in result.items() if value is not None)


def _as_json(model: ShippedModel) -> dict[str, Any]:
    return {
        "file": model.path.name,
        "bytes": model.size_bytes,
        "any_use": not load_ledger().hindrances(model.card.training_sources),
        "ledger": load_ledger().version,
        **dataclasses.asdict(model.card),
    }
