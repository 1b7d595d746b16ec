"""A run that fills a folder of shards, and its entry in the folder's ``manifest.json``.

A run reserves its shard numbers before it makes the first picture, so that it can break off and
go on, and another run can add to the folder meanwhile.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mien.datasets.ours.shards import read_shard_labels
from mien.errors import DataError, OutputError
from mien.files import told_as_output_error, write_atomically
from mien.version import __version__

__all__ = ["SetRun", "begin_run", "sources_of_set"]

_BIN_DEG = 15


@dataclass(frozen=True)
class SetRun:
    """Shards of one run, numbered from ``first``."""

    folder: Path
    first: int
    pictures: int
    shard_size: int

    @property
    def shards(self) -> range:
        return range(-(-self.pictures // self.shard_size))

    def file(self, shard: int) -> Path:
        """Where a shard of this run lies, counted from 0."""
        return self.folder / f"shard-{self.first + shard:05d}.npz"

    def numbers(self, shard: int) -> range:
        """Which pictures of the run a shard holds."""
        start = shard * self.shard_size
        return range(start, min(start + self.shard_size, self.pictures))

    @property
    def missing(self) -> list[int]:
        """Shards still to be made."""
        return [shard for shard in self.shards if not self.file(shard).exists()]

    def finish(self, pictures: int, seconds: float) -> None:
        """Note in the manifest what the shards hold.

        ``pictures``: how many of them were made at a stretch just now, in so many seconds; those of
        a run that broke off before are not among them.
        """
        counts = Counter[str]()
        for shard in self.shards:
            labels = read_shard_labels(self.file(shard))
            counts.update(map(_bin_name, labels.yaw_deg.tolist()))
            counts.update(edit for edit in labels.edit.tolist() if edit)
        manifest = _read(self.folder)
        for run in manifest["runs"]:
            if run.get("first_shard") == self.first:
                run.update(finished=True, counts=dict(sorted(counts.items())))
                if pictures:  # else the run was whole, and was timed when it was made
                    run["timed"] = {"pictures": pictures, "seconds": round(seconds, 1)}
        _write(self.folder, manifest)


def begin_run(
    folder: Path,
    *,
    split: str,
    pictures: int,
    made_by: dict[str, object],
    command: str,
    sources: Sequence[str] = (),
    shard_size: int = 500,
) -> SetRun:
    """A new run into a folder, or the one that was begun there with the same ``made_by``.

    ``made_by`` is all that decides what the pictures are: seed, recipe, digests of inputs;
    ``sources`` are the photos, teachers and anchors they are made of, by the ledger's names.

    Raises:
        OutputError: the folder cannot be made, or holds a set of another split.
        DataError: its manifest is damaged.
    """
    with told_as_output_error(folder):
        folder.mkdir(parents=True, exist_ok=True)
    manifest = _read(folder)
    if manifest.setdefault("split", split) != split:
        raise OutputError(
            f"{folder} holds a set of {manifest['split']} photos: write {split} ones elsewhere"
        )
    made_by = json.loads(json.dumps(made_by))  # as a manifest gives it back
    for run in manifest["runs"]:
        if all(run.get(key) == value for key, value in made_by.items()) and "first_shard" in run:
            return SetRun(folder, run["first_shard"], run["pictures"], run["shard_size"])
    run = SetRun(folder, _next_free(folder, manifest), pictures, shard_size)
    entry = {"command": command, "mien": __version__, **made_by, "pictures": pictures}
    entry |= {
        "sources": list(sources),
        "first_shard": run.first,
        "shards": len(run.shards),
        "shard_size": shard_size,
    }
    manifest["runs"].append(entry | {"finished": False})
    _write(folder, manifest)
    return run


def sources_of_set(folder: Path) -> list[str] | None:
    """What the pictures of a folder are made of, or ``None`` if a run into it does not say.

    Raises:
        DataError: its manifest is damaged.
    """
    runs = _read(folder)["runs"]
    if not runs or not all(run.get("sources") for run in runs):
        return None
    return list(dict.fromkeys(str(source) for run in runs for source in run["sources"]))


def _next_free(folder: Path, manifest: dict[str, Any]) -> int:
    names = (re.fullmatch(r"shard-(\d+)", file.stem) for file in folder.glob("shard-*.npz"))
    there = [int(name.group(1)) + 1 for name in names if name]
    reserved = [
        int(run["first_shard"] + run["shards"]) for run in manifest["runs"] if "shards" in run
    ]
    return max([0, *there, *reserved])


def _read(folder: Path) -> dict[str, Any]:
    file = folder / "manifest.json"
    if not file.exists():
        return {"runs": []}
    try:
        manifest: dict[str, Any] = json.loads(file.read_text())
        if not isinstance(manifest["runs"], list):
            raise TypeError("runs is not a list")
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{file} is damaged ({error}): write into a new folder") from error
    return manifest


def _write(folder: Path, manifest: dict[str, Any]) -> None:
    write_atomically(folder / "manifest.json", (json.dumps(manifest, indent=1) + "\n").encode())


def _bin_name(yaw_deg: float) -> str:
    low = int(np.floor(yaw_deg / _BIN_DEG)) * _BIN_DEG
    return f"yaw {low:+d} to {low + _BIN_DEG:+d}"
