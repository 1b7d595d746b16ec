"""The ledger of sources: what a network learned from, and what that allows.

``weights/sources.toml`` holds it; ``docs/sources.md`` is its readable form. It is our reading of
the terms, no legal advice.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from mien.errors import ModelError

__all__ = ["Ledger", "Source", "load_ledger"]


@dataclass(frozen=True)
class Source:
    """One set of photos, teacher, head model or network that was learned from."""

    key: str
    what: str
    """``photos``, ``teacher``, ``head model``, ``made pictures`` or ``network``."""
    name: str
    """As the cards of weight files have it."""
    origin: str
    terms: str
    place: str
    """Where the terms stand."""
    training: bool
    """Whether a network may learn from it at all."""
    release: bool
    """Whether weights learned from it may be given to others."""
    commercial: bool
    """Whether such weights may be used for anything."""
    reading: str
    """How we read the terms."""
    inherits: bool = False
    """Made of other sources: as free as those beside it, and nothing of its own."""


@dataclass(frozen=True)
class Ledger:
    """All sources that are known."""

    version: str
    """Day of the last change."""
    sources: tuple[Source, ...]

    def find(self, name: str) -> Source:
        """The source of that card's name or key.

        Raises:
            ModelError: it is not in the ledger, so nothing is known of its terms.
        """
        for source in self.sources:
            if name in (source.key, source.name):
                return source
        raise ModelError(f"{name!r} is not in the ledger of sources (docs/sources.md)")

    def hindrances(self, names: Sequence[str]) -> list[str]:
        """Names that keep what was learned from them all from being free for any use.

        What the ledger does not know hinders. A network whose only sources are made pictures says
        nothing of the photos, which hinders too.
        """
        known = {name for source in self.sources for name in (source.key, source.name)}
        found = [name for name in names if name not in known]
        sources = [self.find(name) for name in names if name in known]
        found += [one.name for one in sources if not one.commercial and not one.inherits]
        if not names or (sources and all(source.inherits for source in sources)):
            found.append("photos that are not named")
        return found


@cache
def load_ledger() -> Ledger:
    """The ledger that ships with mien."""
    text = resources.files("mien.weights").joinpath("sources.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    return Ledger(table["version"], tuple(Source(**row) for row in table["source"]))
