"""Sets of turned faces: folders of ``shard-*.npz``, as ``mien data profile`` writes them.

``shard-00000.npz`` (not compressed) holds ``jpeg`` (all files joined, uint8), ``offsets`` (n + 1),
``points`` (n, 68, 3) and ``points84`` (n, 84, 3) in px of the stored picture, z away from the
camera, ``hidden`` (n, 68) and ``hidden84`` (n, 84): by the head itself, ``covered`` (n, 68) and
``covered84`` (n, 84): by something worn, ``yaw_deg`` (n,), ``source_path``, ``split``,
``inner_manual`` (n,) and ``edit`` (n,): what was done to the face besides turning it. Sets of
before November 2026 lack the 84 points and ``covered``, still older ones ``edit``.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int, Shaped, UInt8

from mien.datasets.photo import LabelledPhoto
from mien.errors import DataError, OutputError, reason_of
from mien.files import write_npz
from mien.geometry.convention import Convention

__all__ = [
    "Eyes",
    "SetEntry",
    "Shard",
    "ShardLabels",
    "TurnedFace",
    "list_shards",
    "read_shard",
    "read_shard_labels",
    "read_turned",
    "write_shard",
]

_JPEG_QUALITY = 90


@dataclass(frozen=True)
class SetEntry:
    """One picture of a set, in OpenCV's colour order, with its labels and where it came from."""

    image: UInt8[np.ndarray, "height width 3"]
    points_image: Float[np.ndarray, "68 3"]
    hidden: Bool[np.ndarray, " 68"]
    points84_image: Float[np.ndarray, "84 3"]
    hidden84: Bool[np.ndarray, " 84"]
    yaw_deg: float
    source_path: str
    split: str
    inner_manual: bool
    covered: Bool[np.ndarray, " 68"]
    covered84: Bool[np.ndarray, " 84"]
    edit: str = ""


@dataclass(frozen=True)
class ShardLabels:
    """What is known of the pictures of one shard."""

    points_image: Float[np.ndarray, "n 68 3"]
    hidden: Bool[np.ndarray, "n 68"]
    yaw_deg: Float[np.ndarray, " n"]
    edit: Shaped[np.ndarray, " n"]
    """``eyes shut, mouth open``, or empty."""
    points84_image: Float[np.ndarray, "n 84 3"] | None
    """``None`` in old sets."""

    def __len__(self) -> int:
        return len(self.yaw_deg)


@dataclass(frozen=True)
class Shard:
    """The pictures of one shard, as the JPEGs they are, and their labels."""

    file: Path
    labels: ShardLabels
    jpeg: UInt8[np.ndarray, " bytes"]
    offsets: Int[np.ndarray, " fences"]

    def encoded(self, row: int) -> UInt8[np.ndarray, " part"]:
        """One picture's file."""
        return self.jpeg[self.offsets[row] : self.offsets[row + 1]]


class Eyes(StrEnum):
    """What was done to the eyes of a face."""

    OPEN = "open"
    """Nothing: as the photo has them."""
    HALF_SHUT = "half shut"
    SHUT = "shut"


@dataclass(frozen=True)
class TurnedFace:
    """One picture of a set to measure on, and what is known of it besides its points."""

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


def list_shards(folder: Path) -> list[Path]:
    """The shards of a set in their order.

    Raises:
        DataError: there is none.
    """
    files = sorted(folder.glob("shard-*.npz"))
    if not files:
        raise DataError(
            f"{folder} holds no shard-*.npz: give a folder that mien data profile wrote"
        )
    return files


def read_shard(file: Path) -> Shard:
    """Read a whole shard into memory.

    Raises:
        DataError: it is damaged, or something else.
    """
    arrays = _read(file, ("jpeg", "offsets"))
    labels, jpeg, offsets = _labels(file, arrays), arrays["jpeg"], arrays["offsets"]
    if offsets.shape != (len(labels) + 1,) or offsets[-1] > len(jpeg):
        raise DataError(
            f"{file} is not a whole shard ({len(labels)} labels, {len(offsets)} offsets): "
            "make it again"
        )
    return Shard(file, labels, jpeg, offsets)


def read_shard_labels(file: Path) -> ShardLabels:
    """Read a shard's labels and none of its pictures.

    Raises:
        DataError: it is damaged, or something else.
    """
    return _labels(file, _read(file, ()))


def read_turned(folder: Path) -> tuple[TurnedFace, ...]:
    """All pictures of a set, to measure on; they stay in memory as the JPEGs they are.

    Raises:
        DataError: no such set, or a shard is damaged.
    """
    return tuple(face for file in list_shards(folder) for face in _turned_faces(read_shard(file)))


def write_shard(file: Path, made: Iterable[SetEntry], split: str) -> None:
    """Write pictures as one file; a photo of another split is refused, whoever asks.

    Raises:
        OutputError: the file cannot be written.
    """
    entries, blobs = list[SetEntry](), list[bytes]()
    for entry in made:
        if entry.split != split:
            raise ValueError(f"{entry.source_path} is of {entry.split}, the set of {split}")
        done, data = cv2.imencode(".jpg", entry.image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        if not done:
            raise OutputError(f"a picture made from {entry.source_path} cannot be stored as JPEG")
        entries.append(entry)
        blobs.append(data.tobytes())
    arrays: dict[str, np.ndarray] = {
        "jpeg": np.frombuffer(b"".join(blobs), np.uint8),
        "offsets": np.cumsum([0, *map(len, blobs)]).astype(np.int64),
        "points": np.stack([entry.points_image for entry in entries]).astype(np.float32),
        "hidden": np.stack([entry.hidden for entry in entries]),
        "points84": np.stack([entry.points84_image for entry in entries]).astype(np.float32),
        "hidden84": np.stack([entry.hidden84 for entry in entries]),
        "covered": np.stack([entry.covered for entry in entries]),
        "covered84": np.stack([entry.covered84 for entry in entries]),
        "yaw_deg": np.array([entry.yaw_deg for entry in entries], np.float32),
        "source_path": np.array([entry.source_path for entry in entries]),
        "split": np.array([entry.split for entry in entries]),
        "inner_manual": np.array([entry.inner_manual for entry in entries]),
        "edit": np.array([entry.edit for entry in entries]),
    }
    write_npz(file, arrays)


def _read(file: Path, more: tuple[str, ...]) -> dict[str, np.ndarray]:
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as shard:
            old = [name for name in ("points84", "edit") if name in shard]
            return {name: shard[name] for name in ("points", "hidden", "yaw_deg", *more, *old)}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{file} is not a whole shard ({reason_of(error)}): make it again"
        ) from error


def _labels(file: Path, arrays: dict[str, np.ndarray]) -> ShardLabels:
    none = np.full(len(arrays["yaw_deg"]), "")
    rows, shape = len(none), arrays["points"].shape
    if shape != (rows, 68, 3) or arrays["hidden"].shape != (rows, 68):
        raise DataError(
            f"{file} is not a whole shard (points {shape}, {rows} angles): make it again"
        )
    return ShardLabels(
        arrays["points"],
        arrays["hidden"],
        arrays["yaw_deg"],
        arrays.get("edit", none),
        arrays.get("points84"),
    )


def _turned_faces(shard: Shard) -> Iterator[TurnedFace]:
    labels = shard.labels
    for row in range(len(labels)):
        photo = LabelledPhoto(
            name=f"{shard.file.stem}/{row:04d}",
            image_path=shard.file,
            points_image=labels.points_image[row].astype(np.float64),
            yaw_deg=float(labels.yaw_deg[row]),
            convention=Convention.CLICKED,
            encoded=shard.encoded(row).tobytes(),
        )
        yield TurnedFace(photo, labels.hidden[row], _eyes(str(labels.edit[row])))


def _eyes(edit: str) -> Eyes:
    """``edit`` lists what was done: ``eyes shut, mouth open``."""
    done = edit.split(", ")
    return next((eyes for eyes in (Eyes.SHUT, Eyes.HALF_SHUT) if f"eyes {eyes}" in done), Eyes.OPEN)
