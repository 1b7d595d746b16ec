"""``run.json``: what was asked, what it was made with, and what came of every file.

It is written anew, whole, after every file, so that after a crash it still says the truth.
"""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import importlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mien.errors import InputError, reason_of
from mien.files import write_atomically
from mien.outputs.summary import PROGRAM
from mien.version import __version__

__all__ = [
    "RECORD_NAME",
    "FileRecord",
    "FileState",
    "Fingerprint",
    "RunRecord",
    "fingerprint",
    "parse_record",
    "read_record",
    "record_bytes",
    "sha256_of",
    "versions",
    "write_record",
]

RECORD_NAME = "run.json"
_KIND = "run"
_LIBRARIES = ("numpy", "cv2", "onnxruntime", "av")


class FileState(enum.StrEnum):
    """What came of a file."""

    WAITING = "waiting"
    DONE = "done"
    """All of it is in the table."""
    INCOMPLETE = "incomplete"
    """It broke off; its whole frames are in the table."""
    FAILED = "failed"
    """Nothing of it is in the table."""


@dataclass(frozen=True)
class Fingerprint:
    """By which a file is known again; all ``None`` for what is not one file."""

    bytes: int | None = None
    modified_ns: int | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class FileRecord:
    """One input."""

    clip: str
    """The name in the table's ``clip`` column."""
    path: str
    state: FileState = FileState.WAITING
    print: Fingerprint = field(default_factory=Fingerprint)
    kind: str | None = None
    frame_rate: float | None = None
    frames: int = 0
    frames_with_face: int = 0
    tracks: int = 0
    rows: int = 0
    width: int | None = None
    height: int | None = None
    seconds: float = 0.0
    because: str | None = None
    """Why it is not done."""
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        told = dataclasses.asdict(self)
        told |= told.pop("print")
        return told

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> FileRecord:
        names = {one.name for one in dataclasses.fields(Fingerprint)}
        print_ = Fingerprint(**{name: told[name] for name in names})
        rest = {name: value for name, value in told.items() if name not in names}
        rest |= {"state": FileState(told["state"]), "notes": tuple(told["notes"])}
        return cls(print=print_, **rest)


@dataclass(frozen=True)
class RunRecord:
    """Everything ``run.json`` says."""

    settings: Mapping[str, Any]
    """What decides the table's content; threads and workers do not."""
    model: Mapping[str, Any]
    versions: Mapping[str, str]
    files: tuple[FileRecord, ...] = ()
    left_out: tuple[str, ...] = ()
    """Files of the folders that are neither photos nor videos; folders inside that nobody looked
    into, each with a slash at its end."""
    refused: tuple[str, ...] = ()
    """What was named and is nothing to track, with the reason."""
    tables: tuple[Mapping[str, Any], ...] = ()
    """Name, bytes and SHA-256 of each table, once it is written."""
    command: str = ""
    complete: bool = False
    """Whether every file is whole in the table."""

    def to_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {"program": PROGRAM, "kind": _KIND}
        told |= {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}
        told["files"] = [file.to_json() for file in self.files]
        return {"complete": told.pop("complete")} | told

    def with_file(self, record: FileRecord) -> RunRecord:
        """The same, with a new record in the place of that clip's."""
        files = tuple(record if one.clip == record.clip else one for one in self.files)
        return dataclasses.replace(self, files=files)

    def differences(self, other: RunRecord) -> list[str]:
        """What decides the content and is not the same in both, as ``name: ours, theirs``."""
        found = []
        for name in ("settings", "model", "versions"):
            one, two = _flat(getattr(self, name), name), _flat(getattr(other, name), name)
            for key in sorted(one.keys() | two.keys()):
                if one.get(key) != two.get(key):
                    found.append(
                        f"{key}: {_short(two.get(key))} before, {_short(one.get(key))} now"
                    )
        return found


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 16 else text[:12] + "..."


def _flat(tree: Any, name: str) -> dict[str, Any]:
    """Leaves by their dotted names, as JSON has them."""
    if isinstance(tree, Mapping):
        items = [_flat(value, f"{name}.{key}") for key, value in tree.items()]
        return {key: value for item in items for key, value in item.items()}
    return {name: json.loads(json.dumps(tree))}


def versions() -> dict[str, str]:
    """Of mien, Python and the libraries that decide a result."""
    found = {"mien": __version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        found[name] = str(importlib.import_module(name).__version__)
    return found


def fingerprint(where: str, *, known: Fingerprint | None = None) -> Fingerprint:
    """Of a file: its size, its time of change and its SHA-256.

    Args:
        known: an older one; with the same size and time its hash is taken over unread.

    Raises:
        InputError: it cannot be read.
    """
    path = Path(where)
    if not path.is_file():
        return Fingerprint()
    try:
        stat = path.stat()
        here = (stat.st_size, stat.st_mtime_ns)
        if known is not None and here == (known.bytes, known.modified_ns):
            return known
        return Fingerprint(*here, sha256_of(path))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def sha256_of(path: Path) -> str:
    """Of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_record(path: Path) -> RunRecord | None:
    """An earlier run's; ``None`` where there is none.

    Raises:
        InputError: there is another file of this name, or it is damaged.
    """
    if not path.is_file():
        return None
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({reason_of(error)})") from error
    return parse_record(data, str(path))


def parse_record(data: bytes, where: str) -> RunRecord:
    """What ``run.json`` says.

    Raises:
        InputError: it is another program's, or damaged.
    """
    try:
        told = json.loads(data.decode("utf-8"))
        if told.get("program") != PROGRAM or told.get("kind") != _KIND:
            raise ValueError("another program's")
        files = tuple(FileRecord.from_json(one) for one in told["files"])
        rest = {
            one.name: _tuple(told[one.name])
            for one in dataclasses.fields(RunRecord)
            if one.name != "files"
        }
        return RunRecord(files=files, **rest)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{where}: not the record of a run of mien ({reason_of(error)}); move it away, or name "
            "a table in another folder"
        ) from error


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def write_record(path: Path, record: RunRecord) -> None:
    """Write it whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    write_atomically(path, record_bytes(record))


def record_bytes(record: RunRecord) -> bytes:
    """What stands in ``run.json``."""
    text = json.dumps(record.to_json(), indent=1, ensure_ascii=False, default=_plain)
    return (text + "\n").encode("utf-8", "backslashreplace")


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (Path, Sequence)):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no JSON")
