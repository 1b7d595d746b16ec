"""Tables of ``mien track`` read back: CSV, JSON lines and Parquet, of 68 or 84 points."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from mien.errors import InputError
from mien.markup import Markup, load_markup
from mien.types import Face, HeadPose, Landmarks

__all__ = ["FaceTable", "read_table"]

_LEADING = ("frame", "time_secs", "track_id", "score", "yaw_deg", "pitch_deg", "roll_deg")
_BOX = ("box_left", "box_top", "box_right", "box_bottom")
_SHAPE_NAME = re.compile(r"(eye|jaw|mouth|brow|cheek|nose|tongue)[A-Z]\w*")
"""A blendshape as ARKit names it."""
_USUAL_STEP_SECS = 0.04
"""Of a table of one frame: 25 frames a second."""


@dataclass(frozen=True)
class FaceTable:
    """The rows with a face, and the times of all frames, with and without."""

    frames: Int[np.ndarray, " frames"]
    """Every frame's number, once, rising."""
    times_secs: Float[np.ndarray, " frames"]
    frame: Int[np.ndarray, " rows"]
    time_secs: Float[np.ndarray, " rows"]
    track_id: Int[np.ndarray, " rows"]
    score: Float[np.ndarray, " rows"]
    pose_deg: Float[np.ndarray, "rows 3"]
    """Yaw, pitch, roll."""
    points: Float[np.ndarray, "rows points 3"]
    confidence: Float[np.ndarray, "rows points"]
    shape_names: tuple[str, ...]
    """Blendshapes by their ARKit names, where the table has them."""
    shapes: Float[np.ndarray, "rows shapes"]

    @property
    def markup(self) -> Markup:
        return load_markup(self.points.shape[1])

    @property
    def step_secs(self) -> float:
        """The usual time between two frames."""
        return (
            float(np.median(np.diff(self.times_secs)))
            if len(self.times_secs) > 1
            else _USUAL_STEP_SECS
        )

    @property
    def end_secs(self) -> float:
        """When the last frame ends."""
        return float(self.times_secs[-1]) + self.step_secs

    def ids_by_length(self) -> list[int]:
        """Tracks, the longest first."""
        ids, counts = np.unique(self.track_id, return_counts=True)
        return [int(ids[i]) for i in np.lexsort((ids, -counts))]

    def face(self, row: int) -> Face:
        """One row as the tracker gave it."""
        return Face(
            int(self.track_id[row]),
            float(self.score[row]),
            Landmarks(self.points[row], self.confidence[row]),
            HeadPose(*map(float, self.pose_deg[row])),
        )


def read_table(path: Path) -> FaceTable:
    """Read a table by its ending: .csv, .jsonl or .parquet.

    Raises:
        InputError: no such file, another ending, or not a table of ``mien track``.
    """
    readers = {".csv": _read_csv, ".jsonl": _read_jsonl, ".parquet": _read_parquet}
    if path.suffix not in readers:
        raise InputError(f"{path}: a table of mien track ends in .csv, .jsonl or .parquet")
    if not path.is_file():
        raise InputError(f"{path}: no such table; make one with mien track VIDEO --out FOLDER")
    try:
        names, cells = readers[path.suffix](path)
    except (UnicodeDecodeError, csv.Error, json.JSONDecodeError) as error:
        raise InputError(f"{path}: not a table of mien track ({error})") from error
    return _made(path, names, cells)


Cells = Float[np.ndarray, "rows columns"]


def _read_csv(path: Path) -> tuple[tuple[str, ...], Cells]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file)
        names = tuple(next(lines, ()))
        _refuse_study(path, names)
        return names, _numbers(path, len(names), lines, first_line=2)


def _read_jsonl(path: Path) -> tuple[tuple[str, ...], Cells]:
    with path.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file if line.strip()]
    if not rows or not all(isinstance(row, dict) for row in rows):
        return (), np.empty((0, 0))
    names = tuple(rows[0])
    cells = ([row.get(name) for name in names] for row in rows)
    return names, _numbers(path, len(names), cells, first_line=1)


def _read_parquet(path: Path) -> tuple[tuple[str, ...], Cells]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as missing:
        raise InputError(f"{path}: reading Parquet needs pip install 'mien[parquet]'") from missing
    try:
        table = pq.read_table(path)
        _refuse_study(path, table.column_names)
        columns = [table[name].cast(pa.float64()).to_numpy() for name in table.column_names]
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: not a table of mien track ({reason})") from error
    empty = np.empty((table.num_rows, 0))
    return tuple(table.column_names), np.stack(columns, axis=1) if columns else empty


def _refuse_study(path: Path, names: Sequence[str]) -> None:
    if "clip" in names:
        raise InputError(
            f"{path}: a study's table; a report is of one clip's own table (mien track VIDEO "
            "--out FOLDER), and mien measure sums up a study"
        )


def _numbers(path: Path, columns: int, rows: Iterable[Sequence[object]], first_line: int) -> Cells:
    """Cells as numbers, an empty one as NaN."""
    cells = []
    for line, row in enumerate(rows, start=first_line):
        if len(row) != columns:
            raise InputError(
                f"{path}: line {line} has {len(row)} cells where the head has {columns}; "
                "make the table again"
            )
        try:
            cells.append([np.nan if cell in ("", None) else float(str(cell)) for cell in row])
        except ValueError as error:
            raise InputError(f"{path}: line {line} holds no number ({error})") from error
    return np.array(cells, dtype=np.float64).reshape(len(cells), columns)


def _made(path: Path, names: tuple[str, ...], cells: Cells) -> FaceTable:
    place = {name: index for index, name in enumerate(names)}
    points = next((n for n in (84, 68) if all(f"{a}_{n - 1}" in place for a in "xyzc")), 0)
    numbered = [f"{axis}_{point}" for axis in "xyzc" for point in range(points)]
    missing = [name for name in (*_LEADING, *_BOX, *numbered) if name not in place]
    if missing or not points:
        what = f"it has no column {missing[0]}" if missing else "it has neither 68 nor 84 points"
        raise InputError(f"{path}: expected a table of mien track, but {what}")
    if not len(cells):
        raise InputError(f"{path}: the table has no rows: nothing was tracked")
    head = cells[:, [place["frame"], place["time_secs"]]]
    if not np.isfinite(head).all():
        raise InputError(f"{path}: expected a frame and a time in every row, got an empty cell")
    frames, first = np.unique(head[:, 0].astype(np.int64), return_index=True)
    seen = cells[np.isfinite(cells[:, place["track_id"]])]
    coordinates = seen[:, [place[name] for name in numbered]].reshape(len(seen), 4, points)
    shape_names = tuple(name for name in names if _SHAPE_NAME.fullmatch(name))
    return FaceTable(
        frames=frames,
        times_secs=head[first, 1],
        frame=seen[:, place["frame"]].astype(np.int64),
        time_secs=seen[:, place["time_secs"]],
        track_id=seen[:, place["track_id"]].astype(np.int64),
        score=seen[:, place["score"]],
        pose_deg=seen[:, [place[name] for name in _LEADING[4:]]],
        points=coordinates[:, :3].transpose(0, 2, 1).copy(),
        confidence=coordinates[:, 3].copy(),
        shape_names=shape_names,
        shapes=seen[:, [place[name] for name in shape_names]],
    )
