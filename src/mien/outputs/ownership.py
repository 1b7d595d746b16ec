"""Which files an earlier run left, and which are somebody else's: those are never replaced unasked.

Every file of ours says so itself: the summary by its ``program``, a table by its columns, a drawn
picture or video by a mark in its metadata, a glTF by its generator, a BVH by its skeleton, a
recording for Rerun by its application.
"""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePath
from typing import Any, Final

import av
import av.error

from mien.errors import ConfigError, OutputError
from mien.outputs.bvh import bvh_hierarchy
from mien.outputs.livelink import LIVELINK_COLUMNS
from mien.outputs.openface import OPENFACE_COLUMNS, OPENINGS
from mien.outputs.rows import columns
from mien.outputs.summary import PROGRAM

__all__ = ["MARK", "is_ours", "is_ours_within", "mark_png", "may_be_ours", "refuse_foreign"]

MARK: Final = "made by mien"
"""The comment of our videos and pictures."""
_MOST_OF_JSON: Final = 1 << 26
"""Characters: room for a study of 100,000 files. Strangers' files may be as large as they like."""
_RERUN_NAME: Final = b"\n\x04" + PROGRAM.encode("ascii")
_PNG_HEAD: Final = 33
"""Bytes of a PNG's signature and header chunk."""
_FIRST_COLUMNS: Final = (
    columns(0)[:4],
    ("clip", *columns(0)[:3]),  # of a study
    ("clip", "frame", "track_id", "x_0"),  # of a study's points
)


def refuse_foreign(paths: Iterable[Path]) -> None:
    """Refuse to write where a file lies that mien did not make.

    Raises:
        OutputError: names the first, and how many more there are.
    """
    foreign = [path for path in paths if path.is_file() and not is_ours(path)]
    if foreign:
        more = f" (and {len(foreign) - 1} more)" if len(foreign) > 1 else ""
        raise OutputError(
            f"{foreign[0]}{more}: there is a file of this name that mien did not write; name "
            "another folder with --out, or replace it with --overwrite"
        )


def is_ours(path: Path) -> bool:
    """Whether mien wrote this file: an empty file, and one that cannot be read, is not ours; nor is
    a pipe, which is not opened, for who opens one waits."""
    try:
        if not (may_be_ours(path.name) and path.is_file()):
            return False
        with path.open("rb") as file:
            return is_ours_within(path.name, file)
    except OSError:
        return False


def is_ours_within(name: str, file: Any) -> bool:
    """As :func:`is_ours`, of a binary file that is open at its begin, on this disk or at an address
    (whose files share no class with it)."""
    known = _CHECKS.get(PurePath(name).suffix.lower())
    try:
        return known is not None and known(name, file)
    except (AttributeError, KeyError, OSError, RecursionError, TypeError, ValueError, struct.error):
        return False


def may_be_ours(name: str) -> bool:
    """Whether mien writes files of that ending: others need not be opened."""
    return PurePath(name).suffix.lower() in _CHECKS


def mark_png(data: bytes) -> bytes:
    """The PNG with our mark as its comment."""
    text = b"tEXt" + b"Comment\0" + MARK.encode("ascii")
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    return data[:_PNG_HEAD] + chunk + data[_PNG_HEAD:]


def _text(file: Any) -> io.TextIOWrapper:
    """To be closed, and the file with it."""
    return io.TextIOWrapper(file, encoding="utf-8")


def _is_our_json(_: str, file: Any) -> bool:
    with _text(file) as text:
        read = json.loads(text.read(_MOST_OF_JSON))  # cut off, it is none
    if not isinstance(read, dict):
        return False
    # Before 0.2 a summary had no "program".
    return read.get("program") == PROGRAM or {"frames_decoded", "stage_seconds"} <= read.keys()


def _is_our_csv(name: str, file: Any) -> bool:
    with _text(file) as text:
        head = text.readline(10_000).rstrip("\r\n").split(",")
    # Other people's tables of the same columns do not carry these endings.
    if name.endswith(".openface.csv"):
        # Tables of earlier versions end before the openings.
        return tuple(head) in (OPENFACE_COLUMNS, OPENFACE_COLUMNS[: -len(OPENINGS)])
    if name.endswith(".livelink.csv"):
        return tuple(head) == LIVELINK_COLUMNS
    return tuple(head[:4]) in _FIRST_COLUMNS


def _is_our_bvh(_: str, file: Any) -> bool:
    with _text(file) as text:
        return text.read(10_000).startswith(bvh_hierarchy())


def _is_our_glb(_: str, file: Any) -> bool:
    head = file.read(20)
    if head[:4] != b"glTF":
        return False
    (length,) = struct.unpack_from("<I", head, 12)
    scene = json.loads(file.read(min(length, 10_000_000)))
    return str(scene["asset"].get("generator", "")).startswith(f"{PROGRAM} ")


def _is_our_rrd(_: str, file: Any) -> bool:
    head = file.read(1000)
    # The application's name is a string of its own in the recording's first message.
    return head.startswith(b"RRF") and _RERUN_NAME in head


def _is_our_jsonl(_: str, file: Any) -> bool:
    with _text(file) as text:
        first = json.loads(text.readline(1_000_000))
    return isinstance(first, dict) and tuple(first)[:4] in _FIRST_COLUMNS


def _is_our_parquet(_: str, file: Any) -> bool:
    try:
        from mien.outputs.parquet import column_names
    except ConfigError:  # pyarrow is not in the base install
        return False
    return column_names(file)[:4] in _FIRST_COLUMNS


def _is_our_png(_: str, file: Any) -> bool:
    return MARK.encode("ascii") in file.read(200)


def _is_our_video(_: str, file: Any) -> bool:
    try:
        with av.open(file, options={"protocol_whitelist": "file"}) as container:
            return bool(container.metadata.get("comment") == MARK)
    except av.error.FFmpegError:
        return False


_CHECKS: Final[Mapping[str, Callable[[str, Any], bool]]] = {
    ".json": _is_our_json,
    ".csv": _is_our_csv,
    ".jsonl": _is_our_jsonl,
    ".parquet": _is_our_parquet,
    ".png": _is_our_png,
    ".mp4": _is_our_video,
    ".bvh": _is_our_bvh,
    ".glb": _is_our_glb,
    ".rrd": _is_our_rrd,
}
"""By ending, whether an open file of that name is ours."""
