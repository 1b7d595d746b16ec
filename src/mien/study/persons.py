"""Tracks of a clip joined into persons, by how their faces look in the clip's own pictures.

A track ends where a face is away for longer than the tracker remembers. Of each track a few good
frames are read again, and the mean of their signatures (``tracking/appearance.py``) is compared.
Two who are seen in one frame are two, however alike. Nobody is compared across clips.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float

from mien.errors import InputError, reason_of
from mien.measures import ClipRows
from mien.media import open_source
from mien.study.record import RECORD_NAME, FileRecord, fingerprint, read_record
from mien.tracking.appearance import load_appearance

__all__ = [
    "LEAST_LIKENESS",
    "TrackPerson",
    "join_tracks",
    "persons_of",
    "points_by_face",
    "read_persons",
    "recorded_files",
    "with_persons",
]

LEAST_LIKENESS: Final = 0.6
"""Of two tracks that are joined: of the pairs of two people of val none is as alike
(``benchmarks/results/persons.json``)."""
_FRAMES_A_TRACK = 8
_LEAST_QUALITY = 0.5
_MOST_YAW_DEG = 45.0
"""Heads turned further look unlike themselves."""

Signatures = Float[np.ndarray, "frames numbers"]


@dataclass(frozen=True)
class TrackPerson:
    """Whom a track is taken for."""

    clip: str
    track_id: int
    person_id: int
    """From 0 in each clip, in the order of appearance."""
    first_secs: float
    last_secs: float
    seconds: float
    """With a face."""
    frames_read: int
    """Without any, a track is a person by itself."""
    least_likeness: float
    """Of the joins that made the person; NaN where there were none."""


def join_tracks(
    looks: Mapping[int, Signatures],
    together: Set[tuple[int, int]],
    least: float = LEAST_LIKENESS,
) -> list[tuple[list[int], float]]:
    """Join the two groups that are most alike for as long as any are alike enough.

    Args:
        looks: the signatures of each track, each of length 1.
        together: pairs of tracks (the smaller first) that are seen in one frame.
        least: likeness of the mean signatures from which two groups are one person.

    Returns:
        Groups of tracks, each with the least likeness of its joins (NaN for one track).
    """
    groups = [([track], np.nan) for track in sorted(looks)]
    while True:
        best, pair = least, None
        for at, (one, _) in enumerate(groups):
            for other_at in range(at):
                other = groups[other_at][0]
                if any((min(a, b), max(a, b)) in together for a in one for b in other):
                    continue
                alike = _likeness(looks, one, other)
                if alike >= best:
                    best, pair = alike, (other_at, at)
        if pair is None:
            return groups
        (one, before), (other, after) = groups[pair[0]], groups.pop(pair[1])
        groups[pair[0]] = (sorted(one + other), float(np.nanmin([best, before, after])))


def _likeness(looks: Mapping[int, Signatures], one: Sequence[int], other: Sequence[int]) -> float:
    """Cosine of the mean signatures of two groups; -1 where one has none."""
    means = []
    for group in (one, other):
        sums = [looks[track].sum(axis=0) for track in group if len(looks[track])]
        if not sums:
            return -1.0
        mean = np.sum(sums, axis=0)
        means.append(mean / np.linalg.norm(mean))
    return float(means[0] @ means[1])


def recorded_files(table: Path) -> dict[str, FileRecord]:
    """The videos that a study's table was made of, by clip.

    Raises:
        InputError: there is no ``run.json`` beside it.
    """
    record = read_record(table.with_name(RECORD_NAME))
    if record is None:
        raise InputError(
            f"{table}: persons are told apart in the videos, which {RECORD_NAME} beside the table "
            "of a study names; there is none"
        )
    return {one.clip: one for one in record.files}


def persons_of(
    rows: ClipRows,
    points: Mapping[tuple[int, int], Float[np.ndarray, "points 3"]],
    file: FileRecord,
    least: float = LEAST_LIKENESS,
) -> list[TrackPerson]:
    """The persons of a clip, a record a track.

    Args:
        rows: of the study's table.
        points: the landmarks by frame and track.
        file: the video; it must be the one that was tracked.

    Raises:
        InputError: it is gone, has changed, or cannot be read, or points of a face are missing.
    """
    tracks = {int(track) for track in np.unique(rows.columns["track_id"][rows.seen])}
    looks: dict[int, Signatures] = {track: np.zeros((0, 1)) for track in tracks}
    if len(tracks) > 1:
        looks |= _looks_of(rows, points, file)
    groups = join_tracks(looks, _together(rows), least)
    return sorted(_told(rows, looks, groups), key=lambda one: one.track_id)


def points_by_face(
    columns: Mapping[str, Float[np.ndarray, " rows"]],
) -> dict[tuple[int, int], Float[np.ndarray, "points 3"]]:
    """A clip's landmarks by frame and track, from the columns of a table of points."""
    count = 84 if "z_83" in columns else 68
    points = np.stack(
        [[columns[f"{axis}_{point}"] for point in range(count)] for axis in "xyz"]
    ).transpose(2, 1, 0)
    faces = zip(columns["frame"], columns["track_id"], points, strict=True)
    return {(int(frame), int(track)): one for frame, track, one in faces if np.isfinite(track)}


def read_persons(path: Path) -> dict[tuple[str, int], int]:
    """The person of each clip and track, as ``mien persons`` wrote them.

    Raises:
        InputError: no such file, or not one of ``mien persons``.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {
                (row["clip"], int(row["track_id"])): int(row["person_id"])
                for row in csv.DictReader(file)
            }
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise InputError(f"{path}: not a table of mien persons ({reason_of(error)})") from error


def with_persons(rows: ClipRows, persons: Mapping[tuple[str, int], int]) -> ClipRows:
    """The same rows with a ``person_id``.

    Raises:
        InputError: a track of the clip is nobody among the persons.
    """
    ids = rows.columns["track_id"]
    person = np.full(len(ids), np.nan)
    for track in np.unique(ids[rows.seen]).astype(int).tolist():
        if (rows.clip, track) not in persons:
            raise InputError(
                f"{rows.clip}: track {track} is not in the table of persons; run mien persons anew"
            )
        person[ids == track] = persons[rows.clip, track]
    return ClipRows(rows.clip, {**rows.columns, "person_id": person})


def _looks_of(
    rows: ClipRows,
    points: Mapping[tuple[int, int], Float[np.ndarray, "points 3"]],
    file: FileRecord,
) -> dict[int, Signatures]:
    if fingerprint(file.path, known=file.print).sha256 != file.print.sha256:
        raise InputError(f"{file.path}: is gone, or not the file that {file.clip} was tracked in")
    wanted = _wanted(rows)
    appearance = load_appearance()
    read: dict[int, list[Float[np.ndarray, " numbers"]]] = {}
    last = max(wanted, default=-1)
    with open_source(file.path) as source:
        for frame in source:
            for track in wanted.get(frame.index, ()):
                if (frame.index, track) not in points:
                    raise InputError(
                        f"{rows.clip}: no points of track {track} in frame {frame.index}; they are "
                        "not those of this table"
                    )
                signature = appearance.signature(frame.image_rgb, points[frame.index, track])
                if signature is not None:
                    read.setdefault(track, []).append(signature)
            if frame.index >= last:
                break
    return {track: np.stack(numbers) for track, numbers in read.items()}


def _wanted(rows: ClipRows) -> dict[int, list[int]]:
    """The tracks to be read in each frame: of each the best frames, spread over its time."""
    wanted: dict[int, list[int]] = {}
    quality = rows.columns.get("quality", np.ones(len(rows.columns["frame"])))
    good = rows.seen & (np.abs(rows.columns["yaw_deg"]) <= _MOST_YAW_DEG)
    good &= quality >= _LEAST_QUALITY
    for track in np.unique(rows.columns["track_id"][good]):
        own = np.flatnonzero(good & (rows.columns["track_id"] == track))
        for some in np.array_split(own, min(_FRAMES_A_TRACK, len(own))):
            best = some[int(np.argmax(quality[some]))]
            wanted.setdefault(int(rows.columns["frame"][best]), []).append(int(track))
    return wanted


def _together(rows: ClipRows) -> set[tuple[int, int]]:
    frames = rows.columns["frame"][rows.seen]
    ids = rows.columns["track_id"][rows.seen].astype(int)
    edges = np.flatnonzero(np.diff(frames)) + 1
    pairs = set()
    for some in {tuple(sorted(one.tolist())) for one in np.split(ids, edges) if len(one) > 1}:
        pairs |= {(a, b) for at, b in enumerate(some) for a in some[:at]}
    return pairs


def _told(
    rows: ClipRows, looks: Mapping[int, Signatures], groups: Sequence[tuple[list[int], float]]
) -> Iterator[TrackPerson]:
    ids, times, secs = rows.columns["track_id"], rows.columns["time_secs"], rows.row_secs
    by_time = sorted(groups, key=lambda one: (times[np.isin(ids, one[0])].min(), one[0]))
    for person, (group, least) in enumerate(by_time):
        for track in group:
            own = ids == track
            yield TrackPerson(
                clip=rows.clip,
                track_id=track,
                person_id=person,
                first_secs=float(times[own].min()),
                last_secs=float(times[own].max()),
                seconds=float(secs[own].sum()),
                frames_read=looks[track].shape[0],
                least_likeness=least,
            )
