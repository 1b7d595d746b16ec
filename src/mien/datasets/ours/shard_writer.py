"""One shard of a set: pictures as JPEG with their labels.

``shard-00000.npz`` (not compressed) holds ``jpeg`` (all files joined, uint8), ``offsets`` (n + 1),
``points`` (n, 68, 3) and ``points84`` (n, 84, 3) in px of the stored picture, z away from the
camera, ``hidden`` (n, 68) and ``hidden84`` (n, 84): by the head itself, ``covered`` (n, 68) and
``covered84`` (n, 84): by something worn, ``yaw_deg`` (n,), ``source_path``, ``split``,
``inner_manual`` (n,) and ``edit`` (n,): what was done to the face besides turning it. A shard
appears under its name in one rename.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from mien.errors import OutputError

__all__ = ["SetEntry", "write_shard"]

_JPEG_QUALITY = 90


@dataclass(frozen=True)
class SetEntry:
    """One picture of a set, in OpenCV's colour order, with its labels and where it came from."""

    image: UInt8[np.ndarray, "side side 3"]
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


def write_shard(file: Path, made: Iterable[SetEntry], split: str) -> None:
    """Write pictures as one file; a photo of another split is refused, whoever asks."""
    entries, blobs = list[SetEntry](), list[bytes]()
    for entry in made:
        if entry.split != split:
            raise ValueError(f"{entry.source_path} is of {entry.split}, the set of {split}")
        done, data = cv2.imencode(".jpg", entry.image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        if not done:
            raise OutputError(f"a picture made from {entry.source_path} cannot be stored as JPEG")
        entries.append(entry)
        blobs.append(data.tobytes())
    temporary = file.with_name(f".{file.name}")
    np.savez(
        temporary,
        jpeg=np.frombuffer(b"".join(blobs), np.uint8),
        offsets=np.cumsum([0, *map(len, blobs)]).astype(np.int64),
        points=np.stack([entry.points_image for entry in entries]).astype(np.float32),
        hidden=np.stack([entry.hidden for entry in entries]),
        points84=np.stack([entry.points84_image for entry in entries]).astype(np.float32),
        hidden84=np.stack([entry.hidden84 for entry in entries]),
        covered=np.stack([entry.covered for entry in entries]),
        covered84=np.stack([entry.covered84 for entry in entries]),
        yaw_deg=np.array([entry.yaw_deg for entry in entries], np.float32),
        source_path=np.array([entry.source_path for entry in entries]),
        split=np.array([entry.split for entry in entries]),
        inner_manual=np.array([entry.inner_manual for entry in entries]),
        edit=np.array([entry.edit for entry in entries]),
    )
    temporary.rename(file)
