"""Files that appear under their name only when they are whole."""

from __future__ import annotations

import contextlib
import errno
import io
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from mien.errors import OutputError

__all__ = ["PendingFile", "told_as_output_error", "write_atomically", "write_npz"]


class PendingFile:
    """A file being written beside its final name, as ``NAME.part``.

    Only a process killed outright leaves the part behind.
    """

    def __init__(self, path: Path) -> None:
        """Make the folder and an empty part, so that a bad place is refused before any work.

        Raises:
            OutputError: the folder cannot be made or written, or the name is a folder's.
        """
        self.path = path
        self.part = path.with_name(path.name + ".part")
        with told_as_output_error(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, "a folder has this name")
            self.part.write_bytes(b"")

    def publish(self) -> None:
        """Give the file its name, replacing an older one."""
        with told_as_output_error(self.path):
            os.replace(self.part, self.path)

    def drop(self) -> None:
        """Leave nothing, which also gives a full disk its space back."""
        with contextlib.suppress(OSError):
            self.part.unlink(missing_ok=True)


@contextlib.contextmanager
def told_as_output_error(path: Path) -> Iterator[None]:
    """Turn what the system says of a failed write into one line.

    Raises:
        OutputError: in place of any ``OSError``.
    """
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({_reason(error)}); {_advice(error)}") from (
            error
        )


def write_atomically(path: Path, data: bytes) -> None:
    """Write a whole file or none.

    Raises:
        OutputError: it cannot be written.
    """
    pending = PendingFile(path)
    try:
        with told_as_output_error(path):
            pending.part.write_bytes(data)
    except BaseException:
        pending.drop()
        raise
    pending.publish()


def write_npz(path: Path, arrays: Mapping[str, np.ndarray], *, compressed: bool = False) -> None:
    """Write arrays as ``.npz``, whole or not at all; the same arrays give the same bytes.

    Raises:
        OutputError: it cannot be written.
    """
    stream = io.BytesIO()
    save = np.savez_compressed if compressed else np.savez
    save(stream, **dict(arrays))  # type: ignore[arg-type]
    write_atomically(path, stream.getvalue())


def _reason(error: OSError) -> str:
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        return "a file stands where its folder should be"
    return error.strerror or str(error)


def _advice(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "free some space or name a folder on another disk"
    return "name an output folder that can be written"
