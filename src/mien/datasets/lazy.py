"""A data set that is listed at once and read one item at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, overload

__all__ = ["OnDemand"]

Entry = TypeVar("Entry")
Item = TypeVar("Item")


@dataclass(frozen=True, eq=False)
class OnDemand(Sequence[Item], Generic[Entry, Item]):
    """A sequence of items, each read from its files when it is asked for, and not kept.

    Listing a folder of 61,225 photos thus takes no longer than finding its files. What is broken
    in a file shows when its item is asked for, as a ``DataError``.
    """

    entries: tuple[Entry, ...]
    """Where each item lies."""
    read: Callable[[Entry], Item]

    def __len__(self) -> int:
        return len(self.entries)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> OnDemand[Entry, Item]: ...
    def __getitem__(self, index: int | slice) -> Item | OnDemand[Entry, Item]:
        if isinstance(index, slice):
            return OnDemand(self.entries[index], self.read)
        return self.read(self.entries[index])
