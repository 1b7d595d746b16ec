"""Which weight files a model name or path stands for.

A model is two files, as figure 6 of the paper has two networks: ``NAME-detection.onnx`` for crops
placed by a detector and ``NAME-tracking.onnx`` for crops placed by the last landmarks.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from mien.errors import ModelError
from mien.runtime.card import ModelCard
from mien.runtime.session import ENGINES, read_card

__all__ = [
    "CENTERFACE",
    "DEFAULT_MODEL",
    "FINDER",
    "ShippedModel",
    "WeightPaths",
    "absolute_model",
    "find_weights",
    "shipped_centerface",
    "shipped_finder",
    "shipped_models",
]

DEFAULT_MODEL = "fast"
FINDER = "finder"
"""Stem of the face finder's weight file, which is no model of landmarks."""
CENTERFACE = "centerface"
"""Of CenterFace's, which is not ours and has no card."""

_ROLES = ("detection", "tracking")


@dataclass(frozen=True)
class WeightPaths:
    """The two files of a model; one file may serve as both."""

    detection: Path
    tracking: Path
    engine: str = ENGINES[0]
    """What they are to be run by."""


@dataclass(frozen=True)
class ShippedModel:
    """A weight file of this installation."""

    path: Path
    size_bytes: int
    card: ModelCard


def find_weights(name_or_path: str) -> WeightPaths:
    """A shipped name, a path to a ``.onnx`` file, or the path and stem of a pair; ``:openvino``
    after it (``fast:openvino``) asks for another engine than onnxruntime.

    ``runs/a.onnx`` serves as both files, unless it is itself one half of a pair
    (``runs/a-detection.onnx``) whose other half lies beside it. ``runs/a`` names that pair.

    Raises:
        ModelError: neither a shipped name nor a file; names the shipped models.
    """
    name_or_path, engine = _name_and_engine(name_or_path)
    if engine:
        return dataclasses.replace(find_weights(name_or_path), engine=engine)
    names = _shipped_names()
    if name_or_path in names:
        return _pair(_weights_dir(), name_or_path)
    path = Path(name_or_path).expanduser()
    if path.is_file():
        for role in _ROLES:
            stem = path.stem.removesuffix(f"-{role}")
            pair = _pair(path.parent, stem)
            if stem != path.stem and pair.detection.is_file() and pair.tracking.is_file():
                return pair
        return WeightPaths(path, path)
    pair = _pair(path.parent, path.name)
    if pair.detection.is_file() and pair.tracking.is_file():
        return pair
    known = ", ".join(names) or "none in this installation"
    raise ModelError(
        f"unknown model {name_or_path!r}: expected a shipped model ({known}) "
        f"or the path of a .onnx weight file; :{ENGINES[1]} may follow either"
    )


def absolute_model(name_or_path: str) -> str:
    """The same model from whichever folder: of a file or a pair the absolute path, with its engine;
    of a shipped name, and of what is no model, what was given."""
    name, engine = _name_and_engine(name_or_path)
    if name not in _shipped_names():
        path = Path(name).expanduser().absolute()
        if path.is_file() or _pair(path.parent, path.name).tracking.is_file():
            name = str(path)
    return f"{name}:{engine}" if engine else name


def shipped_models() -> list[ShippedModel]:
    """Every weight file of landmarks of this installation, ordered by name and role."""
    folder = _weights_dir()
    return [
        ShippedModel(path, path.stat().st_size, read_card(path))
        for path in sorted(folder.glob("*.onnx"))
        if path.stem not in (FINDER, CENTERFACE)
    ]


def shipped_finder() -> Path | None:
    """The face finder's weight file of this installation, where there is one."""
    path = _weights_dir() / f"{FINDER}.onnx"
    return path if path.is_file() else None


def shipped_centerface() -> Path:
    """CenterFace's weight file."""
    return _weights_dir() / f"{CENTERFACE}.onnx"


def _weights_dir() -> Path:
    # pip unpacks wheels, so the package's data are files; onnxruntime wants a path.
    return Path(str(resources.files("mien.weights")))


def _shipped_names() -> list[str]:
    stems = {path.stem for path in _weights_dir().glob("*.onnx")}
    return sorted(
        stem.removesuffix("-detection")
        for stem in stems
        if stem.endswith("-detection") and f"{stem.removesuffix('-detection')}-tracking" in stems
    )


def _name_and_engine(name_or_path: str) -> tuple[str, str]:
    """The engine is empty where none is named."""
    before, _, engine = name_or_path.rpartition(":")
    return (before, engine) if before and engine in ENGINES else (name_or_path, "")


def _pair(folder: Path, name: str) -> WeightPaths:
    return WeightPaths(folder / f"{name}-detection.onnx", folder / f"{name}-tracking.onnx")
