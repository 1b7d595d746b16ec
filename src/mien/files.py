"""Files that appear under their name only when they are whole."""

from __future__ import annotations

import contextlib
import csv
import errno
import hashlib
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from mien.errors import OutputError

__all__ = [
    "PendingFile",
    "csv_text",
    "name_that_fits",
    "told_as_output_error",
    "write_atomically",
    "write_npz",
]

_USUAL_NAME_BYTES = 255


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
        self.part = path.with_name(name_that_fits(path.name, len(".part"), path.parent) + ".part")
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


def name_that_fits(name: str, spare_bytes: int, folder: Path) -> str:
    """The name, shortened where the file system would not take it with an ending of that length.

    A shortened name ends in ``~`` and eight digits of the whole name's SHA-256, so that two names
    which begin alike stay two.
    """
    longest = _longest_name(folder) - spare_bytes
    whole = name.encode("utf-8", "surrogateescape")
    if len(whole) <= longest:
        return name
    digits = hashlib.sha256(whole).hexdigest()[:8]
    return whole[: longest - 9].decode("utf-8", "ignore") + "~" + digits


def _longest_name(folder: Path) -> int:
    """Bytes that a name in that folder, or in the nearest one above that exists, may have."""
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    try:
        return os.pathconf(folder, "PC_NAME_MAX")
    except (AttributeError, ValueError, OSError):  # Windows has no pathconf, and 255
        return _USUAL_NAME_BYTES


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


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Lines of CSV that end with a line feed; what holds a comma, a quote or either line end is
    quoted. (Python 3.11's writer quotes the line ends of its own terminator alone.)"""
    text = io.StringIO()
    for row in rows:
        line = io.StringIO()
        csv.writer(line).writerow(row)
        text.write(line.getvalue().removesuffix("\r\n") + "\n")
    return text.getvalue()
