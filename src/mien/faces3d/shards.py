"""Sets of pictures on disk: shards of JPEG with their labels, readable while the set still grows.

``shard-00000.npz`` (not compressed) holds ``jpeg`` (all files joined, uint8), ``offsets`` (n + 1),
``points`` (n, 68, 3) in px of the stored picture, z away from the camera, ``hidden`` (n, 68),
``yaw_deg`` (n,), ``source_path``, ``split``, ``inner_manual`` (n,) and ``edit`` (n,): what was
done to the face besides turning it. Each shard appears under its name in one rename.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from mien.errors import OutputError

__all__ = ["SetEntry", "SetWriter"]

_JPEG_QUALITY = 90
_BIN_DEG = 15


@dataclass(frozen=True)
class SetEntry:
    """One picture of a set, in OpenCV's colour order, with its label and where it came from."""

    image: UInt8[np.ndarray, "side side 3"]
    points_image: Float[np.ndarray, "68 3"]
    hidden: Bool[np.ndarray, " 68"]
    yaw_deg: float
    source_path: str
    split: str
    inner_manual: bool
    edit: str = ""


class SetWriter:
    """Collects entries and writes a shard whenever one is full; never touches shards there are."""

    def __init__(self, folder: Path, split: str, shard_size: int = 1000) -> None:
        self._folder, self._split, self._size = folder, split, shard_size
        self._manifest = folder / "manifest.json"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"a set needs a folder, but {folder} cannot be made") from error
        # A set holds one split: its manifest says which, before a second run mixes them up.
        held = json.loads(self._manifest.read_text())["split"] if self._manifest.exists() else split
        if held != split:
            raise OutputError(
                f"{folder} holds a set of {held} photos: write {split} ones elsewhere"
            )
        self._waiting: list[tuple[SetEntry, bytes]] = []
        self._counts: Counter[str] = Counter()
        self.pictures = 0

    def add(self, entry: SetEntry) -> None:
        """Take one picture; a photo of another split is refused, whoever asks."""
        if entry.split != self._split:
            raise ValueError(f"{entry.source_path} is of {entry.split}, the set of {self._split}")
        done, data = cv2.imencode(".jpg", entry.image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        if not done:
            raise OutputError(f"a picture made from {entry.source_path} cannot be stored as JPEG")
        self._waiting.append((entry, data.tobytes()))
        self._counts[_bin_name(entry.yaw_deg)] += 1
        if entry.edit:
            self._counts[entry.edit] += 1
        self.pictures += 1
        if len(self._waiting) >= self._size:
            self.flush()

    def flush(self) -> None:
        """Write what waits as one shard, under the next free number."""
        if not self._waiting:
            return
        entries = [entry for entry, _ in self._waiting]
        blobs = [blob for _, blob in self._waiting]
        number = len(list(self._folder.glob("shard-*.npz")))
        temporary = self._folder / f".writing-{os.getpid()}.npz"
        np.savez(
            temporary,
            jpeg=np.frombuffer(b"".join(blobs), np.uint8),
            offsets=np.cumsum([0, *map(len, blobs)]).astype(np.int64),
            points=np.stack([entry.points_image for entry in entries]).astype(np.float32),
            hidden=np.stack([entry.hidden for entry in entries]),
            yaw_deg=np.array([entry.yaw_deg for entry in entries], np.float32),
            source_path=np.array([entry.source_path for entry in entries]),
            split=np.array([entry.split for entry in entries]),
            inner_manual=np.array([entry.inner_manual for entry in entries]),
            edit=np.array([entry.edit for entry in entries]),
        )
        temporary.rename(self._folder / f"shard-{number:05d}.npz")
        self._waiting.clear()

    def close(self, command: str, seed: int, recipe: dict[str, object]) -> None:
        """Write the last shard and one manifest for this run."""
        self.flush()
        path, runs = self._manifest, []
        if path.exists():
            runs = json.loads(path.read_text())["runs"]
        counts = dict(sorted(self._counts.items()))
        runs.append(
            {
                "command": command,
                "mien": version("mien"),
                "seed": seed,
                "recipe": recipe,
                "pictures": self.pictures,
                "counts": counts,
            }
        )
        path.write_text(json.dumps({"split": self._split, "runs": runs}, indent=1) + "\n")


def _bin_name(yaw_deg: float) -> str:
    low = int(np.floor(yaw_deg / _BIN_DEG)) * _BIN_DEG
    return f"yaw {low:+d} to {low + _BIN_DEG:+d}"
