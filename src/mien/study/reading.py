"""A study's table read back, one clip in memory at a time."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from mien.errors import InputError
from mien.measures import FACE_MEASURES, ClipRows
from mien.study.join import STUDY_FORMATS, pyarrow_modules

__all__ = ["read_clips", "read_points"]

_BATCH_ROWS = 4096
_POINT = re.compile(r"[xyzcv]_\d+")
_Block = Float[np.ndarray, "rows columns"]


def read_clips(path: Path) -> Iterator[ClipRows]:
    """The clips of a table of ``mien track``, in its order; one clip's own table is that clip.

    Raises:
        InputError: no such file, another ending, or not a table of ``mien track``.
        ConfigError: Parquet without pyarrow installed.
    """
    for clip, names, whole in _clips(path, with_points=False):
        yield _rows(path, clip, names, whole)


def read_points(path: Path) -> Iterator[tuple[str, dict[str, Float[np.ndarray, " rows"]]]]:
    """The columns of a table of points, or with points inside, a clip after the other.

    Raises:
        InputError: no such file, or no points in it.
        ConfigError: Parquet without pyarrow installed.
    """
    for clip, names, whole in _clips(path, with_points=True):
        if not {"frame", "track_id", "z_67"} <= set(names):
            raise InputError(f"{path}: has no points; track again without --points none")
        yield clip, {name: whole[:, at] for at, name in enumerate(names)}


def _clips(path: Path, *, with_points: bool) -> Iterator[tuple[str, Sequence[str], _Block]]:
    if path.suffix not in (f".{name}" for name in STUDY_FORMATS):
        raise InputError(f"{path}: a study's table ends in .csv or .parquet")
    if not path.is_file():
        raise InputError(f"{path}: no such table; make one with mien track FOLDER --table {path}")
    read = _csv_blocks if path.suffix == ".csv" else _parquet_blocks
    seen: set[str] = set()
    held: list[_Block] = []
    clip: str | None = None
    names: Sequence[str] = ()
    for name, columns, block in read(path, with_points):
        if name != clip:
            if clip is not None:
                yield clip, names, np.concatenate(held)
            if name in seen:
                raise InputError(f"{path}: the rows of {name} are not in one piece; sort by clip")
            seen.add(name)
            clip, names, held = name, columns, []
        held.append(block)
    if clip is None:
        raise InputError(f"{path}: the table has no rows: nothing was tracked")
    yield clip, names, np.concatenate(held)


def _rows(path: Path, clip: str, names: Sequence[str], whole: _Block) -> ClipRows:
    columns = {name: whole[:, at] for at, name in enumerate(names)}
    try:
        rows = ClipRows.of(clip, columns)
    except KeyError as missing:
        raise InputError(
            f"{path}: expected a table of mien track, but it has no column {missing}"
        ) from missing
    if not all(np.isfinite(columns[name]).all() for name in ("frame", "time_secs")):
        raise InputError(f"{path}: expected a frame and a time in every row, got an empty cell")
    return rows


def _csv_blocks(path: Path, with_points: bool) -> Iterator[tuple[str, Sequence[str], _Block]]:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        lines = _lines(path, file)
        head = next(lines, [])
        kept = _kept(head, with_points)
        at = head.index("clip") if "clip" in head else None
        names = [head[place] for place in kept]
        clip, held = None, list[list[float]]()
        for number, cells in enumerate(lines, start=2):
            try:
                name = path.stem if at is None else cells[at]
                row = [float(cells[place]) if cells[place] else np.nan for place in kept]
            except (ValueError, IndexError) as error:
                raise InputError(f"{path}: line {number} is not a row of it ({error})") from error
            if held and (name != clip or len(held) >= _BATCH_ROWS):
                yield str(clip), names, np.array(held)
                held = []
            clip = name
            held.append(row)
        if held:
            yield str(clip), names, np.array(held)


def _lines(path: Path, file: Iterable[str]) -> Iterator[list[str]]:
    try:
        yield from csv.reader(file)
    except csv.Error as error:
        raise InputError(f"{path}: not a table of mien track ({error})") from error


def _parquet_blocks(path: Path, with_points: bool) -> Iterator[tuple[str, Sequence[str], _Block]]:
    pa, pq, _ = pyarrow_modules()
    try:
        table = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: not a table of mien track ({reason})") from error
    with table:
        head = list(table.schema_arrow.names)
        kinds = {name: table.schema_arrow.field(name).type for name in head}
        names = [
            head[place]
            for place in _kept(head, with_points)
            if pa.types.is_integer(kinds[head[place]]) or pa.types.is_floating(kinds[head[place]])
        ]
        has_clip = "clip" in head
        for batch in table.iter_batches(
            batch_size=_BATCH_ROWS, columns=[*(["clip"] if has_clip else []), *names]
        ):
            block = np.stack(
                [batch[name].cast(pa.float64()).to_numpy(zero_copy_only=False) for name in names],
                axis=1,
            )
            clips = np.array(batch["clip"].to_pylist() if has_clip else [path.stem] * len(block))
            edges = np.flatnonzero(clips[1:] != clips[:-1]) + 1
            for part, own in zip(np.split(block, edges), np.split(clips, edges), strict=True):
                if len(part):
                    yield str(own[0]), names, part


def _kept(head: Sequence[str], with_points: bool) -> list[int]:
    """Columns to read: points where they are asked for, or the measures must be taken from them."""
    needs_points = with_points or FACE_MEASURES[1] not in head
    return [
        at
        for at, name in enumerate(head)
        if name != "clip" and (needs_points or not _POINT.fullmatch(name))
    ]
