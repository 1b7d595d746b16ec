"""Clips of several faces with a label for every frame, as ``mien data video`` writes them.

A folder of ``clip-0000.mp4``, each with ``clip-0000.npz`` beside it, written last, so that a clip
with a label is whole. The label holds ``time_secs`` (frames,), ``points`` (faces, frames, 68, 3) in
px of the frame with z away from the camera, NaN where a face is out of the frame; ``hidden``
(faces, frames, 68); ``yaw_deg`` (faces, frames); ``identity`` (faces,), counted from 0 in each
clip; ``source_path`` (faces,) and ``split``: the photos; ``variable_rate``.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from mien.errors import DataError, reason_of
from mien.files import write_npz

__all__ = ["LabelledClip", "read_clip", "read_clips", "write_clip_label"]


@dataclass(frozen=True)
class LabelledClip:
    """The true landmarks of every face of one clip; the video is opened by who needs it."""

    name: str
    video_path: Path
    time_secs: Float[np.ndarray, " frames"]
    points_image: Float[np.ndarray, "faces frames 68 3"]
    """Px of the frame, z away from the camera; NaN where a face is out of the frame."""
    hidden: Bool[np.ndarray, "faces frames 68"]
    yaw_deg: Float[np.ndarray, "faces frames"]
    """NaN where ``points_image`` is."""
    variable_rate: bool
    source_path: tuple[str, ...] = ()
    """The photo of each face; empty where nobody knows."""
    split: str = ""
    """Of the photos."""

    def __post_init__(self) -> None:
        _check(self.time_secs, self.points_image, self.hidden, self.yaw_deg)

    @property
    def present(self) -> Bool[np.ndarray, "faces frames"]:
        """Where each face is in the frame."""
        there: Bool[np.ndarray, "faces frames"] = np.isfinite(self.points_image[:, :, 0, 0])
        return there


def _check(time_secs: Any, points: Any, hidden: Any, yaw_deg: Any) -> None:
    """Whatever arrays a file holds: are they the label of a clip?"""
    arrays = {"time_secs": time_secs, "points": points, "hidden": hidden, "yaw_deg": yaw_deg}
    for name, array in arrays.items():
        if array.dtype.kind != ("b" if name == "hidden" else "f"):
            raise ValueError(f"{name} holds {array.dtype}")
    faces, frames = yaw_deg.shape if yaw_deg.ndim == 2 else (-1, -1)
    if (
        points.shape != (faces, frames, 68, 3)
        or hidden.shape != (faces, frames, 68)
        or time_secs.shape != (frames,)
    ):
        raise ValueError(
            "points are (faces, frames, 68, 3) with as many hidden flags and times, not "
            f"{points.shape}, {hidden.shape}, {time_secs.shape}"
        )


def read_clips(folder: Path) -> tuple[LabelledClip, ...]:
    """All clips of a folder, by name.

    Raises:
        DataError: there is none, a label is damaged, or its video is missing.
    """
    files = sorted(folder.glob("clip-*.npz"))
    if not files:
        raise DataError(f"{folder} holds no clip-*.npz: give a folder that mien data video wrote")
    return tuple(read_clip(file) for file in files)


def write_clip_label(clip: LabelledClip) -> None:
    """Write the label beside the clip's video.

    Raises:
        OutputError: it cannot be written.
    """
    arrays = {
        "time_secs": clip.time_secs,
        "points": clip.points_image.astype(np.float32),
        "hidden": clip.hidden,
        "yaw_deg": clip.yaw_deg.astype(np.float32),
        "identity": np.arange(len(clip.points_image)),
        "source_path": np.array(clip.source_path, np.str_),
        "split": np.array(clip.split),
        "variable_rate": np.array(clip.variable_rate),
    }
    write_npz(clip.video_path.with_suffix(".npz"), arrays, compressed=True)


def read_clip(file: Path) -> LabelledClip:
    """One clip, by its label.

    Raises:
        DataError: the label is damaged, or its video is missing.
    """
    video = file.with_suffix(".mp4")
    if not video.is_file():
        raise DataError(f"{file} is there without {video.name}: copy the clips again")
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as label:
            _check(label["time_secs"], label["points"], label["hidden"], label["yaw_deg"])
            return LabelledClip(
                name=file.stem,
                video_path=video,
                time_secs=label["time_secs"],
                points_image=label["points"],
                hidden=label["hidden"],
                yaw_deg=label["yaw_deg"],
                variable_rate=bool(label["variable_rate"]),
                source_path=tuple(label["source_path"].tolist()) if "source_path" in label else (),
                split=str(label["split"]) if "split" in label else "",
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{file} is not the label of a clip ({reason_of(error)}): make it again"
        ) from error
