"""The rows of one file while it is tracked: lines in a file that can go on after a kill."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

from mien.errors import OutputError
from mien.files import told_as_output_error

try:
    import fcntl
except ImportError:  # Windows: two runs on one table are then the user's to avoid
    fcntl = None  # type: ignore[assignment]

__all__ = ["Shard", "held", "shard_key", "size_of_part"]

_PART = ".part"
_WAIT_SECS = 20.0
"""A worker whose parent was killed needs a moment to notice."""
_AGAIN_SECS = 0.05


def shard_key(clip: str) -> str:
    """What the parts of a clip are named after, whatever its name holds."""
    return hashlib.sha256(clip.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def held(path: Path, wait_secs: float = _WAIT_SECS) -> int:
    """Open a file that one process at a time may hold; the system lets go of it with the process.

    Raises:
        OutputError: another process holds it.
    """
    with told_as_output_error(path):
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    until_secs = time.monotonic() + wait_secs
    while fcntl is not None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except OSError:
            if time.monotonic() > until_secs:
                os.close(handle)
                raise OutputError(
                    f"{path.parent}: another mien is at work there; wait for it, or name another "
                    "table"
                ) from None
            time.sleep(_AGAIN_SECS)
    return handle


def size_of_part(path: Path) -> int:
    """Bytes that an earlier run left of a shard it did not publish; 0 where it left none."""
    part = path.with_name(path.name + _PART)
    return part.stat().st_size if part.is_file() else 0


class Shard:
    """Whole lines in ``KEY.csv.part``; each write reaches the system before it returns.

    ``publish`` gives it its name, once it is known to be all there is of its file.
    """

    def __init__(self, path: Path, keep_bytes: int = 0) -> None:
        """Begin anew, or behind the first ``keep_bytes`` of an earlier run.

        Raises:
            OutputError: it cannot be made, another process writes it, or it holds fewer bytes than
                are to be kept (``size_of_part`` tells beforehand).
        """
        self.path = path
        self.part = path.with_name(path.name + _PART)
        handle = held(self.part)
        if size_of_part(path) < keep_bytes:
            os.close(handle)
            raise OutputError(f"{self.part}: shorter than the {keep_bytes} bytes to go on from")
        with told_as_output_error(path):
            os.ftruncate(handle, keep_bytes)
            self._file = os.fdopen(handle, "r+b", buffering=0)
            self._file.seek(keep_bytes)
        self.size_bytes = keep_bytes

    def append(self, text: str) -> None:
        """Add text that ends in a newline.

        Raises:
            OutputError: it cannot be written; ``size_bytes`` is still that of the whole lines.
        """
        left = memoryview(text.encode("utf-8", "surrogateescape"))
        length = len(left)
        with told_as_output_error(self.path):
            while left:  # a disk that is nearly full takes a part of it
                left = left[self._file.write(left) :]
        self.size_bytes += length

    def close(self) -> None:
        if not self._file.closed:
            with told_as_output_error(self.path):
                self._file.truncate(self.size_bytes)
                self._file.close()

    def publish(self) -> None:
        """Call after ``close``.

        Raises:
            OutputError: it cannot be renamed.
        """
        with told_as_output_error(self.path):
            os.replace(self.part, self.path)
