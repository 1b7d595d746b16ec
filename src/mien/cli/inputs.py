"""From the words of a command line to what is to be tracked, and what was left out."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from mien.errors import InputError
from mien.files import name_that_fits
from mien.media import (
    STDIN,
    Input,
    is_address,
    is_pipe,
    is_sequence,
    list_inputs,
    name_of_address,
    name_of_sequence,
    output_stems,
)
from mien.pipeline import FolderListing, LeftOut, list_folder, real_place

__all__ = ["ListAddress", "Listing", "list_words"]

_LONGEST_ENDING = ".timeline.png"


@dataclass
class Listing:
    """What there is to do."""

    inputs: list[Input] = field(default_factory=list)
    left_out: LeftOut = field(default_factory=LeftOut)
    """What the folders named hold besides."""
    refused: list[str] = field(default_factory=list)
    """A line for each thing named that is missing, empty or otherwise nothing to track."""
    read: list[str] = field(default_factory=list)
    """Folders looked into."""

    def left_out_line(self) -> str | None:
        """For a person; ``None`` if nothing was left out."""
        return self.left_out.line("--recursive reads them")


@dataclass(frozen=True)
class _Found:
    """One input before it has a name."""

    where: str
    named_after: Path
    folder: PurePosixPath
    """Of its outputs, within that of the results."""


ListAddress = Callable[[str], FolderListing]
"""The files that an address names."""


def list_words(
    words: Sequence[str],
    out: Path,
    *,
    recursive: bool = False,
    list_address: ListAddress | None = None,
) -> Listing:
    """Files, folders, patterns (``clips/*.mp4``), image sequences (``frame_%04d.png``), cameras,
    addresses (``rtsp://``) and ``-``, each thing once, in the order given.

    Outputs of a folder within are put in a folder of the same name; no two have the same name, nor
    one that the file system of ``out`` does not take. What cannot be tracked is among the
    ``refused`` and does not stop the rest.

    Args:
        list_address: for whom an address is a folder or file elsewhere, not a stream.

    Raises:
        InputError: nothing of all that is named can be tracked.
    """
    listing = Listing()
    found: dict[str, _Found] = {}
    for one in _of_words(words, recursive, listing, list_address):
        known = found.setdefault(real_place(one.where), one)
        if Path(known.where).is_symlink() and not Path(one.where).is_symlink():
            found[real_place(one.where)] = one  # results are named after the file, not a link to it
    listing.left_out.forget([*listing.read, *(one.where for one in found.values())])
    if not found and listing.refused:
        raise InputError("; ".join(listing.refused))
    by_folder: dict[PurePosixPath, list[_Found]] = {}
    for one in found.values():
        by_folder.setdefault(one.folder, []).append(one)
    stems: dict[str, str] = {}
    for folder, ones in by_folder.items():
        for one, stem in zip(ones, output_stems([one.named_after for one in ones]), strict=True):
            short = name_that_fits(stem, len(_LONGEST_ENDING), out / folder)
            stems[one.where] = str(folder / short)
    listing.inputs = [Input(one.where, stems[one.where]) for one in found.values()]
    return listing


def _of_words(
    words: Sequence[str],
    recursive: bool,
    listing: Listing,
    list_address: ListAddress | None = None,
) -> list[_Found]:
    found: list[_Found] = []
    for word in words:
        try:
            if list_address is not None and is_address(word):
                found += _taken(list_address(word), listing)
            else:
                found += _of_word(word, recursive, listing)
        except InputError as error:
            listing.refused.append(str(error))
    return found


def _of_word(word: str, recursive: bool, listing: Listing) -> list[_Found]:
    here = PurePosixPath()
    path = Path(word)
    if is_address(word):
        return [_Found(word, Path(f"{name_of_address(word)}.stream"), here)]
    if word == STDIN and is_pipe(word):
        return [_Found(word, Path("stdin"), here)]
    if path.is_dir():
        return _taken(list_folder(path, recursive=recursive), listing)
    if not path.exists():
        if is_sequence(word):
            return [_Found(word, Path(name_of_sequence(path) + path.suffix), here)]
        if glob.has_magic(word):
            return _of_pattern(word, recursive, listing)
    return [_Found(one.where, _named_after(one), here) for one in list_inputs(word)]


def _of_pattern(word: str, recursive: bool, listing: Listing) -> list[_Found]:
    matches = sorted(glob.glob(word, recursive=True))
    if not matches:
        raise InputError(f"{word}: no file matches the pattern; check the path")
    files = [match for match in matches if os.path.isfile(match) or not os.path.exists(match)]
    folders = [match for match in matches if Path(match).is_dir()]
    return _of_words(files, recursive, listing) + _of_words(folders, True, listing)


def _taken(folder: FolderListing, listing: Listing) -> list[_Found]:
    listing.left_out.add(folder.left_out)
    listing.refused += folder.refused
    listing.read += folder.read
    return [_Found(where, Path(within), within.parent) for where, within in folder.found]


def _named_after(one: Input) -> Path:
    path = Path(one.where)
    return path if path.exists() else Path(one.stem)
