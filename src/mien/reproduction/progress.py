"""Who is told how far the work is."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

__all__ = ["Listener"]


@runtime_checkable
class Listener(Protocol):
    """Who is told how far the work is."""

    def begin(self, what: str, total: int) -> None:
        """A stretch of work of ``total`` steps, faces or films begins."""
        ...

    def advance(self, done: int) -> None:
        """So many of them are done."""
        ...
