"""Pictures that move: animated WebP, PNG and AVIF with their own durations, pages of a TIFF."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import UInt8

from mien.errors import InputError
from mien.media.photo import layout_of_file, tiff_page
from mien.media.pictures import DAMAGED, damaged, identify, quiet, shown
from mien.media.source import NothingOpen, SourceKind, check_size, require_file
from mien.types import Frame

__all__ = ["MovingPicture"]

_UNSAID_SECS = 0.1
"""How long browsers show a frame whose duration is 0."""
_PAGES_A_SECOND = 25.0
"""A TIFF has no durations; ImageJ writes them into the description."""
_IMAGE_DESCRIPTION = 270

Picture = tuple[UInt8[np.ndarray, "height width 3"], float]
"""A frame and how many seconds it is shown."""


class MovingPicture(NothingOpen):
    """All frames of one file, once through, each at the time at which it is first seen."""

    kind: Final = SourceKind.VIDEO

    def __init__(self, path: Path, *, rate: float | None = None) -> None:
        """Look at the file; frames are decoded when iterated.

        ``rate``: pages of a TIFF a second, in place of what it says itself.

        Raises:
            InputError: it cannot be read, or is too small.
        """
        require_file(path)
        self.name = path.stem
        self._path = path
        with path.open("rb") as file, quiet():
            layout = layout_of_file(file)
            self._layout = layout
            try:
                image: Any = identify(file, path)
                if layout is None and image is None:
                    raise InputError(f"{path}: not a moving picture that can be read")
                if image is not None:
                    check_size(path, *image.size)
                if layout is None:
                    self._first = int(bool(getattr(image, "default_image", False)))
                    self.frames_expected = image.n_frames - self._first
                    image.seek(self._first)
                    image.load()  # only then do WebP and AVIF tell of its duration
                    self.rate = 1 / _duration(image)
                else:
                    self.frames_expected = len(layout.pictures)
                    self.rate = rate or _pages_a_second(image)
            except DAMAGED as error:
                raise damaged(path, error) from error

    def __iter__(self) -> Iterator[Frame]:
        pictures = self._animation() if self._layout is None else self._pages()
        time_secs, index = 0.0, 0
        try:
            for image_rgb, duration_secs in pictures:
                yield Frame(image_rgb, index, time_secs)
                time_secs = round(time_secs + duration_secs, 9)  # whole milliseconds add up
                index += 1
        except DAMAGED as error:
            if not index:
                raise damaged(self._path, error) from error
            raise InputError(
                f"{self._path}: the moving picture is cut off or damaged: {index} of "
                f"{self.frames_expected} frames were read (up to {time_secs:.2f} s); copy or "
                "download it again for the rest"
            ) from error

    def _animation(self) -> Generator[Picture]:
        with self._path.open("rb") as file:
            with quiet():
                image: Any = identify(file, self._path)
            for number in range(self._first, self._first + self.frames_expected):
                with quiet():
                    image.seek(number)
                    image_rgb = shown(image)
                    duration_secs = _duration(image)
                yield image_rgb, duration_secs

    def _pages(self) -> Generator[Picture]:
        assert self._layout is not None
        with self._path.open("rb") as file:
            for number in self._layout.pictures:
                with quiet():
                    image_rgb = tiff_page(file, self._path, self._layout, number)
                yield image_rgb, 1 / self.rate


def _duration(image: Any) -> float:
    return float(image.info.get("duration") or 0) / 1000 or _UNSAID_SECS


def _pages_a_second(image: Any) -> float:
    """As ImageJ wrote it, where it did."""
    described = str(getattr(image, "tag_v2", {}).get(_IMAGE_DESCRIPTION, ""))
    if described.startswith("ImageJ"):
        if found := re.search(r"^finterval=([\d.eE+-]+)", described, re.MULTILINE):
            secs = float(found[1])
            return 1 / secs if secs > 0 else _PAGES_A_SECOND
        if found := re.search(r"^fps=([\d.eE+-]+)", described, re.MULTILINE):
            return float(found[1]) or _PAGES_A_SECOND
    return _PAGES_A_SECOND
