"""One person of one clip, as a table's rows tell of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from mien.markup import load_markup
from mien.measures.face import FACE_MEASURES, measure_face

__all__ = ["ClipRows", "PersonRows"]

Columns = Mapping[str, Float[np.ndarray, " rows"]]
_POINTS = 68


@dataclass(frozen=True)
class PersonRows:
    """The rows of one person, in order of time."""

    clip: str
    person: int
    """``person_id`` where the table has one, else ``track_id``."""
    columns: Columns
    secs: Float[np.ndarray, " rows"]
    """For how long each row's frame was shown."""

    def __getitem__(self, name: str) -> Float[np.ndarray, " rows"]:
        """A column; all NaN where the table has none of this name."""
        if name in self.columns:
            return self.columns[name]
        return np.full(len(self.secs), np.nan)

    @property
    def times_secs(self) -> Float[np.ndarray, " rows"]:
        return self.columns["time_secs"]

    @property
    def frames(self) -> Int[np.ndarray, " rows"]:
        return self.columns["frame"].astype(np.int64)


@dataclass(frozen=True)
class ClipRows:
    """All rows of one clip; a frame without a face is a row whose ``track_id`` is NaN."""

    clip: str
    columns: Columns

    @classmethod
    def of(cls, clip: str, columns: Columns) -> ClipRows:
        """Rows as read; measures that are missing are taken from the points, where it has those.

        Raises:
            KeyError: a column is missing that every table of mien has.
        """
        for name in ("frame", "time_secs", "track_id", "yaw_deg", "pitch_deg", "roll_deg"):
            _ = columns[name]
        order = np.argsort(columns["frame"], kind="stable")
        columns = {name: values[order] for name, values in columns.items()}
        if FACE_MEASURES[1] not in columns and f"z_{_POINTS - 1}" in columns:
            columns |= _measured(columns)
        return cls(clip, columns)

    @property
    def frames(self) -> int:
        return len(np.unique(self.columns["frame"]))

    @property
    def seen(self) -> Bool[np.ndarray, " rows"]:
        """Rows of faces that were seen: a score of 0 is that of a guess (``Face.is_seen``)."""
        there = np.isfinite(self.columns["track_id"])
        return there & (self.columns["score"] != 0) if "score" in self.columns else there

    @property
    def row_secs(self) -> Float[np.ndarray, " rows"]:
        """For how long each row's frame was shown: until the next one, the last as the usual."""
        frames, first, inverse = np.unique(
            self.columns["frame"], return_index=True, return_inverse=True
        )
        times = self.columns["time_secs"][first]
        steps = np.maximum(np.diff(times), 0)
        usual = float(np.median(steps)) if len(steps) else 0.0
        return np.asarray(np.append(steps, usual)[inverse] if len(frames) else np.zeros(0))

    def persons(self) -> Iterator[PersonRows]:
        """Each person's rows, by number."""
        name = "person_id" if "person_id" in self.columns else "track_id"
        ids, secs = self.columns[name], self.row_secs
        for person in np.unique(ids[np.isfinite(ids)]):
            rows = np.flatnonzero((ids == person) & self.seen)
            if len(rows):
                own = {key: values[rows] for key, values in self.columns.items()}
                yield PersonRows(self.clip, int(person), own, secs[rows])


def _measured(columns: Columns) -> dict[str, Float[np.ndarray, " rows"]]:
    """From the 68 points, or the 68 among 84."""
    count = 84 if "z_83" in columns else _POINTS
    chosen = load_markup(count).ibug68
    points = np.stack([[columns[f"{axis}_{point}"] for point in chosen] for axis in "xyz"])
    measured = measure_face(points.transpose(2, 1, 0))
    return {name: measured[:, at] for at, name in enumerate(FACE_MEASURES)}
