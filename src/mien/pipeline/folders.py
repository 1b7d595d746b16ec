"""What of a folder is read, and what of it is left out, so that nothing is lost unsaid."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from mien.errors import InputError, reason_of
from mien.media import list_inputs
from mien.outputs import is_ours

__all__ = ["FolderListing", "LeftOut", "left_out_of", "list_folder", "real_place"]

_ENDINGS_TOLD: Final = 6


@dataclass
class LeftOut:
    """What lies in the folders named and is not read: paths or addresses."""

    files: list[str] = field(default_factory=list)
    """Neither photos nor videos, nor left by mien."""
    folders: list[str] = field(default_factory=list)
    """Folders inside that nobody looked into."""
    links: list[str] = field(default_factory=list)
    """Links to folders: never followed, which could run in a circle."""

    def add(self, more: LeftOut) -> None:
        """Another folder's."""
        self.files += more.files
        self.folders += more.folders
        self.links += more.links

    def forget(self, named: Collection[str]) -> None:
        """What was found or named too is not left out, and nothing is listed twice."""
        known = {real_place(one) for one in named}
        for paths in (self.files, self.folders, self.links):
            paths[:] = {
                real_place(one): one for one in paths if real_place(one) not in known
            }.values()

    def line(self, how: str = "", kind: str = "neither photo nor video") -> str | None:
        """For a person; ``None`` if nothing was left out.

        Args:
            how: what reads the folders inside; empty if nothing does.
            kind: what the files are.
        """
        told = []
        if self.files:
            endings = Counter(PurePosixPath(one).suffix.lower() for one in self.files)
            named = [
                f"{ending or 'no ending'} ({count})"
                for ending, count in endings.most_common(_ENDINGS_TOLD)
            ]
            named += ["..."] * (len(endings) > _ENDINGS_TOLD)
            are = "that is" if len(self.files) == 1 else "that are"
            told.append(f"{_counted(self.files, 'file')} {are} {kind}: {', '.join(named)}")
        if self.folders:
            told.append(f"{_counted(self.folders, 'folder')} inside" + (f" ({how})" if how else ""))
        if self.links:
            to = "to a folder" if len(self.links) == 1 else "to folders"
            told.append(f"{_counted(self.links, 'link')} {to} (never followed)")
        return f"left out {'; '.join(told)}" if told else None

    def recorded(self) -> tuple[str, ...]:
        """As ``run.json`` lists it: folders end with a slash."""
        return (*self.files, *(f"{one}/" for one in (*self.folders, *self.links)))


@dataclass
class FolderListing:
    """Photos and videos of a folder, here or at an address."""

    found: list[tuple[str, PurePosixPath]] = field(default_factory=list)
    """Where each is, and its path within the folder; in natural order, folder by folder."""
    left_out: LeftOut = field(default_factory=LeftOut)
    refused: list[str] = field(default_factory=list)
    """A line for each folder inside that cannot be listed."""
    read: list[str] = field(default_factory=list)
    """The folders looked into: none of them is left out of another."""


def list_folder(top: Path, *, recursive: bool) -> FolderListing:
    """A folder's photos and videos, and what it holds besides.

    Raises:
        InputError: it cannot be listed, or holds neither photos nor videos.
    """
    listing = FolderListing()
    _list_into(listing, top, top, recursive)
    if not listing.found:
        if not recursive:
            list_inputs(top)  # raises, and says why
        raise InputError(
            "; ".join(listing.refused)
            or f"{top}: no photos or videos in it or below; name a folder that does"
        )
    return listing


def _list_into(listing: FolderListing, top: Path, folder: Path, recursive: bool) -> None:
    try:
        inputs = _inputs_of(folder)
        left_out = _left_out(sorted(folder.iterdir()), set(inputs))
    except OSError as error:
        because = f"the folder cannot be listed ({reason_of(error)})"
        if folder == top:
            raise InputError(f"{folder}: {because}") from error
        listing.refused.append(f"{folder}: {because}")
        return
    listing.read.append(str(folder))
    within = PurePosixPath(folder.relative_to(top).as_posix())
    listing.found += [(str(path), within / path.name) for path in inputs]
    inside = [Path(one) for one in left_out.folders] if recursive else []
    if recursive:
        left_out.folders = []
    listing.left_out.add(left_out)
    for path in inside:
        _list_into(listing, top, path, recursive)


def _inputs_of(folder: Path) -> list[Path]:
    try:
        return [Path(one.where) for one in list_inputs(folder)]
    except InputError:  # nothing to read in it
        return []


def left_out_of(folder: Path, taken: Collection[Path]) -> LeftOut:
    """What a folder holds besides what is taken; nothing where it cannot be listed."""
    try:
        return _left_out(sorted(folder.iterdir()), set(taken))
    except OSError:
        return LeftOut()


def _left_out(paths: Collection[Path], taken: Collection[Path]) -> LeftOut:
    """Hidden things and what mien itself has written are nothing that anybody misses."""
    left_out = LeftOut()
    for path in paths:
        if path in taken or path.name.startswith("."):
            continue
        if not path.is_dir():
            if path.exists() and not path.name.startswith("~") and not _is_a_result(path):
                left_out.files.append(str(path))
        elif path.is_symlink():
            left_out.links.append(str(path))
        elif _holds_something(path):
            left_out.folders.append(str(path))
    return left_out


def _holds_something(folder: Path) -> bool:
    """Whether anything in it or below was not written by mien; a locked folder may."""
    try:
        return any(
            _holds_something(path) if path.is_dir() else not _is_a_result(path)
            for path in folder.iterdir()
            if not path.name.startswith(".") and not (path.is_dir() and path.is_symlink())
        )
    except OSError:
        return True


def _is_a_result(path: Path) -> bool:
    return is_ours(path) or path.suffix == ".part"


def real_place(path: str) -> str:
    """The same for all paths that lead to one thing; an address is itself."""
    return os.path.realpath(path) if os.path.exists(path) else path


def _counted(things: Collection[str], name: str) -> str:
    return f"{len(things)} {name}{'s' * (len(things) != 1)}"
