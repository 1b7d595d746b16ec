"""What ``--format`` can name: tables of every face, and files of one face each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Final

from mien.expression import Details
from mien.outputs import TABLE_FORMATS, Sink, open_table
from mien.outputs.bvh import encode_bvh
from mien.outputs.livelink import encode_livelink
from mien.outputs.openface import OpenFaceTable
from mien.outputs.take import Clip, Take
from mien.outputs.take_files import TakeFiles, take_paths

__all__ = ["FORMATS", "details_for", "existing_files", "notes_of", "open_format"]

_TAKES: Final = {"livelink": "livelink.csv", "bvh": "bvh", "glb": "glb"}
"""Formats of one face a file, by the endings of their names."""
_WITHOUT_SHAPES: Final = ("openface", "bvh")
_NOTES: Final = {
    "livelink": (
        "livelink has no empty cells: the eyes' angles, and the shapes that points cannot show "
        "(absent_blendshapes in the JSON), stand there as 0",
    ),
    "bvh": ("the eyes of the bvh rest: gaze is not in this model",),
}
FORMATS: Final = (*TABLE_FORMATS, "openface", *_TAKES, "rrd")


def details_for(name: str, details: Details) -> Details:
    """What faces must come with, for a format, besides what was asked for."""
    if name == "openface":  # its millimetres are of a camera, which the summary must name
        return dataclasses.replace(details, metric=True)
    return TakeFiles.details_of(details) if name in _TAKES else details


def notes_of(name: str, asked: Details) -> list[str]:
    """What a reader of the format's files must know, and what of the details that were asked for
    has no place in them."""
    notes = list(_NOTES.get(name, ()))
    if asked.blendshapes and name in _WITHOUT_SHAPES:
        notes.append(f"blendshapes have no place in {name}: csv, glb and livelink hold them")
    if asked.metric and name == "livelink":
        notes.append("the head's position has no place in livelink: csv, glb and bvh hold it")
    return notes


def existing_files(name: str, folder: Path, stem: str) -> list[Path]:
    """Files that the format would replace; those of single faces only where they lie there."""
    if name in _TAKES:
        return take_paths(folder, stem, _TAKES[name])
    return [_table_path(name, folder, stem)]


def open_format(
    name: str, folder: Path, stem: str, *, points: int, rate: float, details: Details
) -> Sink:
    """The sink of a format.

    Args:
        points: landmarks a face.
        rate: frames a second, for formats that count in frames.

    Raises:
        ConfigError: a package that the format needs is not installed.
        OutputError: the file cannot be made.
    """
    if name in _TAKES:
        return TakeFiles(folder, stem, _TAKES[name], rate, _encoder(name), details)
    path = _table_path(name, folder, stem)
    if name == "rrd":
        from mien.avatar.rrd import RerunRecording  # rerun-sdk is not in the base install

        return RerunRecording(path, details)
    if name == "openface":
        return OpenFaceTable(path, focal_px=details.focal_px, fov_deg=details.fov_deg)
    return open_table(path, points, details)


def _table_path(name: str, folder: Path, stem: str) -> Path:
    return folder / (f"{stem}.openface.csv" if name == "openface" else f"{stem}.{name}")


def _encoder(name: str) -> Callable[[Clip, Take], bytes]:
    if name == "glb":
        from mien.avatar.glb import encode_glb  # pygltflib is not in the base install

        return encode_glb
    return {"livelink": encode_livelink, "bvh": encode_bvh}[name]
