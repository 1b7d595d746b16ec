"""A set of ``mien data profile``, read for measuring: shards of pictures with exact labels.

For the layout see ``docs/data.md``; for the same sets as something to learn from, ``ShardFaces``.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from mien.datasets.photo import LabelledPhoto
from mien.errors import DataError
from mien.geometry.convention import Convention

__all__ = ["Eyes", "TurnedFace", "read_turned"]


class Eyes(StrEnum):
    """What was done to the eyes of a face."""

    OPEN = "open"
    """Nothing: as the photo has them."""
    HALF_SHUT = "half shut"
    SHUT = "shut"


@dataclass(frozen=True)
class TurnedFace:
    """One picture of a set, and what is known of it besides its points."""

    photo: LabelledPhoto
    hidden: Bool[np.ndarray, " 68"]
    """Points that the head itself hides."""
    eyes: Eyes

    def __post_init__(self) -> None:
        if self.photo.points_image.shape != (68, 3) or self.hidden.shape != (68,):
            raise ValueError(
                f"{self.photo.name}: a turned face has (68, 3) points with (68,) hidden flags, "
                f"not {self.photo.points_image.shape} with {self.hidden.shape}"
            )


def read_turned(folder: Path) -> tuple[TurnedFace, ...]:
    """All pictures of a set, in their order; they stay in memory as the JPEGs they are.

    Raises:
        DataError: no such set, or a shard is damaged.
    """
    files = sorted(folder.glob("shard-*.npz"))
    if not files:
        raise DataError(
            f"{folder} holds no shard-*.npz: give a folder that mien data profile wrote"
        )
    return tuple(face for file in files for face in _read_shard(file))


def _read_shard(file: Path) -> Iterator[TurnedFace]:
    try:
        with file.open("rb") as stream, np.load(stream) as shard:
            jpeg, offsets, points, hidden, yaw_deg, edit = (
                shard[key] for key in ("jpeg", "offsets", "points", "hidden", "yaw_deg", "edit")
            )
            for row in range(len(points)):
                photo = LabelledPhoto(
                    name=f"{file.stem}/{row:04d}",
                    image_path=file,
                    points_image=points[row].astype(np.float64),
                    yaw_deg=float(yaw_deg[row]),
                    convention=Convention.CLICKED,
                    encoded=jpeg[offsets[row] : offsets[row + 1]].tobytes(),
                )
                yield TurnedFace(photo, hidden[row], _eyes(str(edit[row])))
    except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{file} is not a whole shard ({error}): make it again") from error


def _eyes(edit: str) -> Eyes:
    """``edit`` lists what was done: ``eyes shut, mouth open``."""
    done = edit.split(", ")
    return next((eyes for eyes in (Eyes.SHUT, Eyes.HALF_SHUT) if f"eyes {eyes}" in done), Eyes.OPEN)
