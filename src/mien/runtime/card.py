"""The model card: what a weight file says about itself, kept inside the file."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mien.errors import ModelError
from mien.geometry.convention import Convention

__all__ = ["CARD_KEY", "ModelCard"]

CARD_KEY = "mien_card"
"""Name of the card among the ONNX file's metadata properties."""

_ROLES = ("detection", "tracking")
_MARKUPS = (68, 84)


@dataclass(frozen=True)
class ModelCard:
    """Everything a user must know of a weight file, as JSON in its metadata."""

    name: str
    role: str
    """``detection``: crops placed by a detector (model 1 of paper 3.4); ``tracking``: crops placed
    by the last frame's landmarks (model 2)."""
    markup: int
    """Number of points of the network: 68, or 84, which hold the 68."""
    convention: str
    """Where on the head the points lie: ``clicked``, ``300w-lp`` or ``middle``
    (``mien.geometry.convention``)."""
    side: int
    """Side of the square crop, px."""
    input: str
    units: str
    confidence_radius: float
    """A point's confidence is the probability that it lies this near to the truth, in whichever
    convention the truth is, as a share of the face size."""
    parameters: int
    gflops: float
    """Billions of multiply-adds, times two, for one crop."""
    training_sources: tuple[str, ...]
    licence: str
    results: Mapping[str, Any]
    """Measured results by name; empty before the weights are measured."""
    mien_version: str
    sha256: str
    """SHA-256 over the bytes of the graph's initializers, in order."""

    def __post_init__(self) -> None:
        if self.role not in _ROLES:
            raise ModelError(f"a model card's role is detection or tracking, not {self.role!r}")
        if self.markup not in _MARKUPS:
            raise ModelError(f"a model card's markup is 68 or 84, not {self.markup}")
        if self.convention not in list(Convention):
            known = ", ".join(Convention)
            raise ModelError(f"a card's convention is one of {known}, not {self.convention!r}")
        if self.side < 16 or self.parameters < 0 or self.gflops < 0:
            raise ModelError(
                f"model card of {self.name!r}: side, parameters or gflops make no sense "
                f"({self.side}, {self.parameters}, {self.gflops})"
            )
        if not 0 < self.confidence_radius < 1:
            raise ModelError(
                f"model card of {self.name!r}: confidence_radius is a share of the face size "
                f"between 0 and 1, not {self.confidence_radius}"
            )

    def to_json(self) -> str:
        """The card as one JSON object."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> ModelCard:
        """Read a card.

        Raises:
            ModelError: not JSON, a key is missing, unknown or of the wrong kind.
        """
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            raise ModelError(f"the model card is not JSON: {error}") from None
        if not isinstance(data, dict):
            raise ModelError("the model card is not a JSON object")
        known = {field.name for field in dataclasses.fields(cls)}
        if missing := sorted(known - data.keys()):
            raise ModelError(f"the model card lacks {', '.join(missing)}")
        if unknown := sorted(data.keys() - known):
            raise ModelError(
                f"the model card has unknown keys ({', '.join(unknown)}): "
                "was it written by a newer mien?"
            )
        for key in ("name", "role", "convention", "input", "units", "licence"):
            _expect(data, key, str)
        for key in ("mien_version", "sha256"):
            _expect(data, key, str)
        for key in ("markup", "side", "parameters"):
            _expect(data, key, int)
        for key in ("confidence_radius", "gflops"):
            _expect(data, key, int, float)
            data[key] = float(data[key])
        _expect(data, "training_sources", list)
        _expect(data, "results", dict)
        if not all(isinstance(source, str) for source in data["training_sources"]):
            raise ModelError("the model card's training_sources is a list of texts")
        data["training_sources"] = tuple(data["training_sources"])
        return cls(**data)


def _expect(data: dict[str, object], key: str, *kinds: type) -> None:
    value = data[key]
    if not isinstance(value, kinds) or isinstance(value, bool):
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise ModelError(f"the model card's {key} is {wanted}, not {value!r}")
