"""What made a result file: the command as it was called, and the networks by their weights."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

from mien.runtime.weights import FINDER, find_weights, shipped_finder

__all__ = ["command", "finder_networks", "networks_of", "weights_of"]


def command(words: Iterable[str] | None = None, *, private: Iterable[Path] = ()) -> str:
    """How this script was called, so that anybody may call it again.

    Args:
        words: the arguments to tell in place of those of this call.
        private: folders of this machine, told by their names alone.
    """
    script = Path(sys.argv[0]).resolve()
    root = Path(__file__).resolve().parents[1]
    place = script.relative_to(root) if script.is_relative_to(root) else Path(script.name)
    names = {str(path): path.name for path in private}
    told = sys.argv[1:] if words is None else list(words)
    return f"python {shlex.join([place.as_posix(), *(names.get(word, word) for word in told)])}"


def weights_of(model: str) -> dict[str, str]:
    """The files of a model by their names, each with the ``sha256`` of its card.

    Raises:
        ModelError: neither a shipped name nor a file.
    """
    paths = find_weights(model)
    return {path.name: _digest_told(path) for path in sorted({paths.detection, paths.tracking})}


def networks_of(*models: str) -> dict[str, str]:
    """Of several models, for the key ``networks`` of a result file."""
    return {name: digest for model in models for name, digest in weights_of(model).items()}


def finder_networks(detector: str = "auto") -> dict[str, str]:
    """The face finder's file, where the detector of that name is mien's own; else nothing."""
    kind, _, rest = detector.partition(":")
    if kind not in ("auto", FINDER):
        return {}
    path = Path(rest) if rest.endswith(".onnx") else shipped_finder()
    return {} if path is None else {path.name: _digest_told(path)}


def _digest_told(path: Path) -> str:
    """What the card inside says, of landmark networks and of finders."""
    import json

    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    card = json.loads(session.get_modelmeta().custom_metadata_map["mien_card"])
    return str(card["sha256"])
