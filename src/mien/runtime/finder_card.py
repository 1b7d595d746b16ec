"""The card of a face finder: what its weight file says about itself, kept inside the file."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mien.errors import ModelError

__all__ = ["FinderCard"]

_ROLE = "finder"


@dataclass(frozen=True)
class FinderCard:
    """Everything a user must know of a finder's file, as JSON in its metadata."""

    name: str
    score: float
    """Finds with a lower score are no faces; chosen on val pictures."""
    parameters: int
    gflops: float
    """Billions of multiply-adds, times two, for a picture of 320 x 320 px."""
    training_sources: tuple[str, ...]
    licence: str
    results: Mapping[str, Any]
    """Measured results by name; empty before the file is measured."""
    mien_version: str
    sha256: str
    """SHA-256 over the bytes of the graph's initializers, in order."""
    strides: tuple[int, ...] = (8, 16, 32)
    """Px of the picture a cell of each map, finest first."""
    role: str = _ROLE
    input: str = "pictures: uint8 RGB (n, height, width, 3), sides multiples of 32"
    units: str = (
        "maps: score; centre from the cell's middle, log size (both in strides); points from the "
        "centre in sizes"
    )

    def __post_init__(self) -> None:
        if self.role != _ROLE:
            raise ModelError(f"this is a file for {self.role!r} and no face finder")
        if not 0 < self.score < 1:
            raise ModelError(f"a finder's score lies between 0 and 1, not {self.score}")
        if not self.strides or min(self.strides) < 1:
            raise ModelError(f"a finder's strides are positive, not {self.strides}")

    def to_json(self) -> str:
        """The card as one JSON object."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> FinderCard:
        """Read a card.

        Raises:
            ModelError: not JSON, not a finder's, or a key is missing or of the wrong kind.
        """
        try:
            values = json.loads(text)
            if values["role"] != _ROLE:
                raise ModelError(f"this is a file for {values['role']!r} and no face finder")
            known = {field.name for field in dataclasses.fields(cls)}
            values = {key: value for key, value in values.items() if key in known}
            values["training_sources"] = tuple(map(str, values["training_sources"]))
            values["strides"] = tuple(map(int, values["strides"]))
            values["score"] = float(values["score"])
            return cls(**values)
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"the card of the face finder cannot be read ({error!r})") from None
