"""Numbered pictures as one clip: ``frame_%04d.png``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mien.errors import InputError
from mien.media.photo import read_photo
from mien.media.source import NothingOpen, SourceKind
from mien.types import Frame

__all__ = ["ImageSequence", "is_sequence", "name_of_sequence"]

_NUMBER = re.compile(r"%(?:0(\d+))?d")
_USUAL_RATE = 25.0


def is_sequence(where: str | Path) -> bool:
    """Whether this is a pattern of numbered files, and no file of that name."""
    path = Path(where)
    return len(_NUMBER.findall(path.name)) == 1 and not path.exists()


def name_of_sequence(pattern: Path) -> str:
    """What its outputs are named after: the pattern without its number, or its folder."""
    return _NUMBER.sub("", pattern.stem).strip(" _-.") or pattern.parent.name or "sequence"


class ImageSequence(NothingOpen):
    """Pictures in the order of their numbers.

    A missing number is a gap in time, as long as the pictures that are not there.
    """

    kind: Final = SourceKind.VIDEO

    def __init__(self, pattern: Path, *, rate: float | None = None) -> None:
        """List the files; pictures are read when iterated.

        ``rate``: numbers a second, 25 if not given.

        Raises:
            InputError: no file fits the pattern.
        """
        self.rate = rate or _USUAL_RATE
        self.name = name_of_sequence(pattern)
        self._files = _numbered(pattern)
        if not self._files:
            raise InputError(f"{pattern}: no file has such a name; check the path and the digits")
        self.frames_expected = len(self._files)

    def __iter__(self) -> Iterator[Frame]:
        first, index = self._files[0][0], 0
        refused: list[str] = []
        for number, path in self._files:
            try:
                image_rgb = read_photo(path)
            except InputError as error:
                refused.append(str(error))
                continue
            yield Frame(image_rgb, index, (number - first) / self.rate)
            index += 1
        if refused:
            raise InputError(
                f"{len(refused)} of {len(self._files)} pictures were left out, the first of them: "
                f"{refused[0]}"
            )


def _numbered(pattern: Path) -> list[tuple[int, Path]]:
    """By number; leading zeros are those of the pattern, as printf writes them."""
    before, digits, after = _NUMBER.split(pattern.name)
    width = int(digits or 0)
    name = re.compile(rf"{re.escape(before)}(\d{{{max(width, 1)},}}){re.escape(after)}")
    try:
        found = [(name.fullmatch(path.name), path) for path in pattern.parent.iterdir()]
    except OSError as error:
        raise InputError(f"{pattern}: the folder cannot be listed ({error.strerror})") from error
    numbered = [(match[1], path) for match, path in found if match]
    return sorted((int(text), path) for text, path in numbered if f"{int(text):0{width}d}" == text)
