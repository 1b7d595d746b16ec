"""``mien evaluate clips``: the tracker, as a user gets it, on clips with exact labels."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from mien.datasets.ours.clips import read_clips
from mien.evaluation.clips import ClipScore, follow_clip, moved_faces, score_clip
from mien.evaluation.evaluate import Provenance
from mien.evaluation.metrics import YAW_BINS_DEG, mean_or_none
from mien.files import write_atomically
from mien.geometry.convention import Convention
from mien.tracking import Tracker

__all__ = ["evaluate_clips"]

_DIGITS = 6


def evaluate_clips(root: Path, tracker: Tracker, provenance: Provenance, json_file: Path) -> None:
    """Follow every clip of the folder, write the figures, and print those of all clips together.

    Clips have their points where people click them. Of a model that has them elsewhere, the figures
    with its points moved there are one more block, ``as_clicked``.

    Raises:
        DataError, InputError: a clip or its label is missing or damaged.
        OutputError: the file cannot be written.
    """
    clips = read_clips(root)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("tracking", total=len(clips))
        plain, moved = list[ClipScore](), list[ClipScore]()
        for clip in clips:
            tracked = follow_clip(clip, tracker)
            plain.append(score_clip(clip, tracked))
            there = moved_faces(tracked, provenance.convention, Convention.CLICKED)
            moved.append(score_clip(clip, there))
            progress.advance(task)
    columns = {"as predicted": ClipScore.joined("all", plain)}
    content = _block(columns["as predicted"]) | {"clips": len(clips)}
    content["per_clip"] = [_block(one) for one in plain]
    if provenance.convention is not Convention.CLICKED:
        columns[f"points moved to {Convention.CLICKED}"] = ClipScore.joined("all", moved)
        content["as_clicked"] = _block(ClipScore.joined("all", moved)) | {"clips": len(clips)}
    text = json.dumps(content | dataclasses.asdict(provenance), indent=1, allow_nan=False)
    write_atomically(json_file, (text + "\n").encode())
    Console().print(_table(columns, len(clips), provenance))


def _block(one: ClipScore) -> dict[str, object]:
    names = [f"{'[' if lower == 0 else '('}{lower},{upper}]" for lower, upper in YAW_BINS_DEG]
    return {
        "name": one.name,
        "frames": one.frames,
        "face_frames": one.face_frames,
        "missed": one.missed,
        "nme": _short(one.nme),
        "bins": {name: _short(value) for name, value in zip(names, one.nme_by_yaw, strict=True)},
        "jitter": _short(one.jitter),
        "id_switches": one.id_switches,
        "tracks": one.tracks,
        "false_tracks": one.false_tracks,
        "false_face_frames": one.false_face_frames,
        "eyes": {
            kind: {"n": len(errors), "opening_error": _short(mean_or_none(errors))}
            for kind, errors in (("shut", one.eye_errors_shut), ("open", one.eye_errors_open))
        },
    }


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)


def _table(columns: dict[str, ClipScore], clips: int, source: Provenance) -> Table:
    table = Table(title=f"{source.data_format}, {source.model}: {clips} clips")
    table.add_column()
    for name in columns:
        table.add_column(name, justify="right")
    rows = [_rows(one) for one in columns.values()]
    for label in rows[0]:
        table.add_row(label, *(one[label] for one in rows))
    return table


def _rows(whole: ClipScore) -> dict[str, str]:
    return {
        "frames; face-frames": f"{whole.frames}; {whole.face_frames}",
        "missed face-frames": f"{whole.missed} ({whole.missed / max(whole.face_frames, 1):.1%})",
        "NME": _number(whole.nme),
        **{
            f"NME, yaw {lower} to {upper}": _number(value)
            for (lower, upper), value in zip(YAW_BINS_DEG, whole.nme_by_yaw, strict=True)
        },
        "jitter": _number(whole.jitter),
        "number switches": str(whole.id_switches),
        "tracks; on no face": f"{whole.tracks}; {whole.false_tracks}",
        "faces on no face, frame by frame": str(whole.false_face_frames),
        "eye opening error, shut": _number(mean_or_none(whole.eye_errors_shut)),
        "eye opening error, open": _number(mean_or_none(whole.eye_errors_open)),
    }


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
