"""What made a result file: the command as it was called, and the networks by their weights."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mien.runtime.detectors.finder import read_finder_card
from mien.runtime.session import read_card
from mien.runtime.weights import find_weights, shipped_finder
from mien.study import sha256_of

__all__ = ["command", "finder_of", "networks_named", "weights_of", "weights_of_run"]


def command(words: Iterable[str] | None = None) -> str:
    """How this script was called, so that anybody may call it again.

    Of places on this machine the last part is told, as of ``/home/me/data/faces``: ``faces``.

    Args:
        words: the arguments to tell in place of those of this call.
    """
    script = Path(sys.argv[0]).resolve()
    root = Path(__file__).resolve().parents[1]
    place = script.relative_to(root).as_posix() if script.is_relative_to(root) else script.name
    told = sys.argv[1:] if words is None else words
    public = [Path(word).name if Path(word).is_absolute() else word for word in told]
    return f"python {shlex.join([place, *public])}"


def weights_of(*models: str) -> dict[str, str]:
    """The files of models by their names, each with the ``sha256`` of its card: ``networks``.

    Raises:
        ModelError: neither a shipped name nor a file.
    """
    files: set[Path] = set()
    for model in models:
        paths = find_weights(model)
        files |= {paths.detection, paths.tracking}
    return {path.name: read_card(path).sha256 for path in sorted(files)}


def finder_of(file: Path | None = None) -> dict[str, str]:
    """As :func:`weights_of`, of a face finder's file; without one, of that which ships."""
    path = file or shipped_finder()
    assert path is not None
    return {path.name: read_finder_card(path).sha256}


def weights_of_run(record: Mapping[str, Any]) -> dict[str, str]:
    """As :func:`weights_of`, of the ``run.json`` beside a table of ``mien track --table``.

    Raises:
        ValueError: the files of that name are not those that the run was made with.
    """
    told = record["model"]
    paths = find_weights(told["name"])
    for path in {paths.detection, paths.tracking}:
        if sha256_of(path) != told["sha256"].get(path.name):
            raise ValueError(f"the run was made with another {path.name} than the one that is here")
    return weights_of(told["name"])


def networks_named(result: Mapping[str, Any], model: str = "") -> dict[str, str]:
    """The networks that a result file names, also as ``mien evaluate`` names them.

    Args:
        model: whose result it is, where it does not say so itself.
    """
    if "networks" in result:  # what it holds of other files, as a calibration, is not its own
        return dict(result["networks"])
    model = result["model"] if isinstance(result.get("model"), str) else model
    named: dict[str, str] = {}
    for role in ("detection", "tracking"):
        if f"{role}_sha256" in result:
            named[f"{model}-{role}.onnx"] = result[f"{role}_sha256"]
    for key, part in result.items():
        named |= networks_named(part, key) if isinstance(part, dict) else {}
    return named
