"""What a source of frames is, whatever it reads."""

from __future__ import annotations

import enum
import io
import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Protocol, Self, runtime_checkable

from mien.errors import InputError, reason_of
from mien.types import Frame

__all__ = [
    "MOST_PIXELS",
    "SMALLEST_SIDE",
    "ByteFile",
    "NothingOpen",
    "Source",
    "SourceKind",
    "camera_number",
    "check_most",
    "check_size",
    "require_file",
]

ByteFile = IO[bytes] | io.BytesIO
"""An open file, or bytes in memory, which have no name as an ``IO`` has."""

_CAMERA = re.compile(r"/dev/video(\d+)")
SMALLEST_SIDE = 16
"""Pixels: under this no face can be told from noise, and codecs misbehave."""
MOST_PIXELS: Final = 400_000_000
"""Twice the largest phone photo, 1.6 GB while it is read; beyond, a file is taken for a trap."""


class SourceKind(enum.Enum):
    """Where frames come from; it decides what a sink writes."""

    PHOTO = "photo"
    VIDEO = "video"
    CAMERA = "camera"


@runtime_checkable
class Source(Protocol):
    """Frames in order of time. Iterating again starts again, except with a camera."""

    @property
    def name(self) -> str:
        """What outputs are named after: the file's stem, or ``camera0``."""

    @property
    def kind(self) -> SourceKind: ...

    @property
    def frames_expected(self) -> int | None:
        """How many frames the file says it holds, for a progress bar; ``None`` if it does not."""

    @property
    def rate(self) -> float:
        """Frames a second, for a writer that must name one; the frames' own times are exact."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def __iter__(self) -> Iterator[Frame]:
        """Yield every whole frame.

        Raises:
            InputError: after the last whole frame, if the source broke off before its end.
        """


class NothingOpen:
    """A source that holds nothing open between its frames: there is nothing to close."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass


def camera_number(where: str | Path) -> int | None:
    """The number of a webcam ("0", "1", ... or "/dev/video0"); ``None`` for anything else, and
    for a file of that name."""
    text = str(where)
    if text.isascii() and text.isdigit() and not Path(text).exists():
        return int(text)
    try:
        device = _CAMERA.fullmatch(str(Path(text).resolve()))  # links of /dev/v4l/by-id as well
    except (OSError, ValueError, RuntimeError):
        return None
    return int(device[1]) if device else None


def check_most(where: str | Path, width: int, height: int) -> None:
    """Refuse pictures that are too large to be read, px.

    Raises:
        InputError: it has more than ``MOST_PIXELS``.
    """
    if width * height > MOST_PIXELS:
        raise InputError(
            f"{where}: too large a picture ({width}x{height}, at most "
            f"{MOST_PIXELS // 1_000_000} megapixels); give a smaller copy"
        )


def check_size(where: str | Path, width: int, height: int) -> None:
    """Refuse pictures too small to hold a face, and too large to be read, px.

    Raises:
        InputError: a side is under ``SMALLEST_SIDE``, or it has more than ``MOST_PIXELS``.
    """
    check_most(where, width, height)
    if min(width, height) < SMALLEST_SIDE:
        raise InputError(
            f"{where}: expected a picture of at least {SMALLEST_SIDE}x{SMALLEST_SIDE} px, "
            f"got {width}x{height}; give one that is large enough to show a face"
        )


def require_file(path: Path) -> None:
    """Refuse what cannot be a photo or video before any decoder sees it.

    Raises:
        InputError: missing, not a file, empty or not readable.
    """
    try:
        if not path.exists() and path.is_symlink():
            raise InputError(f"{path}: a link to a file that is not there; mend it or leave it out")
        if not path.exists():
            raise InputError(f"{path}: no such file; check the path")
        if path.is_dir():
            raise InputError(f"{path}: expected a photo or video, got a folder; name a file in it")
        if not path.is_file():
            raise InputError(f"{path}: expected a photo or video, got a device or pipe")
        if path.stat().st_size == 0:
            raise InputError(f"{path}: the file is empty (0 bytes); copy or download it again")
        with path.open("rb"):
            pass
    except PermissionError as error:
        raise InputError(f"{path}: no permission to read it; change its rights") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({reason_of(error)})") from error
