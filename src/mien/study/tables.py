"""The rows of a study: of each face in each frame what a person asks for, and apart from it points.

A frame without a face is a row without ``track_id``. The columns are explained in
``docs/study.md``; their order is that of :func:`study_columns`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mien.expression import Details
from mien.markup import Markup
from mien.measures import FACE_MEASURES, SPEEDS, HeadAt, HeadSpeed, measure_face
from mien.outputs.rows import (
    LEADING,
    NO_DETAILS,
    Value,
    columns,
    leading_cells,
    more_columns,
    more_values,
    rows,
)
from mien.outputs.sink import Sink
from mien.quality import QUALITY_COLUMNS, Quality, QualityJudge, visible
from mien.study.cells import cell, quoted
from mien.study.shard import Shard, shard_key
from mien.types import Face, Frame

__all__ = ["PointsIn", "ShardPaths", "StudyTable", "points_columns", "study_columns"]

_MEASURE_DECIMALS, _PX_DECIMALS = 4, 3


class PointsIn(enum.StrEnum):
    """Where the points of a study go."""

    BESIDE = "beside"
    """``NAME.points.csv`` (or ``.parquet``) beside the table."""
    INSIDE = "inside"
    """Columns of the table itself."""
    NOWHERE = "none"


@dataclass(frozen=True)
class ShardPaths:
    """The parts of one clip."""

    rows: Path
    points: Path | None
    checkpoint: Path

    @classmethod
    def of(cls, folder: Path, clip: str, points: PointsIn) -> ShardPaths:
        key = shard_key(clip)
        beside = folder / f"{key}.points.csv" if points is PointsIn.BESIDE else None
        return cls(folder / f"{key}.csv", beside, folder / f"{key}.state.npz")

    @property
    def tables(self) -> tuple[Path, ...]:
        return (self.rows,) if self.points is None else (self.rows, self.points)


def study_columns(points: int | None = None, details: Details = NO_DETAILS) -> tuple[str, ...]:
    """Of the table; with ``points`` the points are inside."""
    measures = ("clip", *LEADING, "confidence", *FACE_MEASURES, *SPEEDS, *QUALITY_COLUMNS)
    measures += more_columns(details)
    return measures if points is None else (*measures, *_point_names(points))


def points_columns(points: int) -> tuple[str, ...]:
    """Of the second table: whose points they are, then all x, all y, all z, all confidences, and
    for each the probability that it can be seen (``v_0``, ...)."""
    return ("clip", "frame", "track_id", *_point_names(points))


def _point_names(points: int) -> tuple[str, ...]:
    return (*columns(points)[len(LEADING) :], *(f"v_{point}" for point in range(points)))


class StudyTable(Sink):
    """Writes one clip's rows into its shards, and its points where they are asked for."""

    def __init__(
        self,
        clip: str,
        markup: Markup,
        paths: ShardPaths,
        points: PointsIn,
        details: Details = NO_DETAILS,
        kept_bytes: Sequence[int] = (0, 0),
    ) -> None:
        """``kept_bytes``: how much of an earlier run's shards stands.

        Raises:
            OutputError: a shard cannot be made.
        """
        self._clip = quoted(clip)
        self._chosen, self._count = list(markup.ibug68), len(markup)
        self._inside = points is PointsIn.INSIDE
        self._details = details
        self.shards = [
            Shard(path, kept) for path, kept in zip(paths.tables, kept_bytes, strict=False)
        ]
        self.speed = HeadSpeed()
        self.judge = QualityJudge()
        self.rows = 0

    def write(self, frame: Frame, faces: Sequence[Face]) -> None:
        lines = self._lines(frame, faces)
        self.shards[0].append("".join(self._line(cells) for cells in lines))
        self.rows += len(lines)
        if len(self.shards) > 1 and faces:
            self.shards[1].append(
                "".join(
                    self._line([frame.index, int(face.track_id), *points])
                    for face, points in zip(faces, self._points(frame, faces), strict=True)
                )
            )

    def _lines(self, frame: Frame, faces: Sequence[Face]) -> list[list[Value]]:
        if not faces:
            width = len(study_columns(self._count if self._inside else None, self._details)) - 1
            empty: list[Value] = list(leading_cells_of_empty(frame))
            self.speed.step(frame.time_secs, ())
            self._judged(frame, ())
            return [empty + [None] * (width - len(empty))]
        points = [face.landmarks.points_image[self._chosen] for face in faces]
        measured = measure_face(np.stack(points).astype(np.float64))
        heads = [
            HeadAt(face.track_id, one[:, :2].mean(axis=0), float(size), face.pose)
            for face, one, size in zip(faces, points, measured[:, 0], strict=True)
            if face.is_seen
        ]
        told = iter(self.speed.step(frame.time_secs, heads))
        speeds = [next(told) if face.is_seen else (None, None) for face in faces]
        judged = self._judged(frame, faces)
        lines = [
            [
                *leading_cells(frame, face),
                round(float(face.landmarks.confidence.mean()), _MEASURE_DECIMALS),
                round(float(values[0]), _PX_DECIMALS),
                *(round(float(value), _MEASURE_DECIMALS) for value in values[1:]),
                *(None if value is None else round(value, _MEASURE_DECIMALS) for value in speed),
                round(one.quality, _MEASURE_DECIMALS),
                *(round(float(sign), _MEASURE_DECIMALS) for sign in one.signs),
                *more_values(face, self._details),
            ]
            for face, values, speed, one in zip(faces, measured, speeds, judged, strict=True)
        ]
        if self._inside:
            inside = self._points(frame, faces)
            lines = [[*line, *points] for line, points in zip(lines, inside, strict=True)]
        return lines

    def _points(self, frame: Frame, faces: Sequence[Face]) -> list[list[Value]]:
        """The cells under ``_point_names`` of each face."""
        height, width = frame.image_rgb.shape[:2]
        cells = []
        for face, row in zip(faces, rows(frame, faces, self._count), strict=True):
            landmarks = face.landmarks
            seen = visible(landmarks.points_image, landmarks.confidence, face.pose, width, height)
            cells.append([*row[len(LEADING) :], *seen.round(_MEASURE_DECIMALS).tolist()])
        return cells

    def _judged(self, frame: Frame, faces: Sequence[Face]) -> list[Quality]:
        return self.judge.judge(frame.image_rgb, frame.time_secs, faces, self._chosen)

    def _line(self, cells: Iterable[Value]) -> str:
        return f"{self._clip}," + ",".join(map(cell, cells)) + "\n"

    def close(self) -> None:
        for shard in self.shards:
            shard.close()

    def state(self) -> dict[str, Any]:
        """What the next rows need to know of those before, as ``json.dumps`` takes it."""
        return {
            "rows": self.rows,
            "speed": self.speed.state(),
            "judge": self.judge.state(),
            "bytes": [shard.size_bytes for shard in self.shards],
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.rows = int(state["rows"])
        self.speed.restore(state["speed"])
        self.judge.restore(state["judge"])


def leading_cells_of_empty(frame: Frame) -> list[Value]:
    """Frame and time of a frame without a face."""
    (row,) = rows(frame, (), 0)
    return row
