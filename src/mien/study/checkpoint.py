"""Where a long file can go on: the tracker's memory and how much of the shards stands."""

from __future__ import annotations

import json
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from mien.errors import InputError
from mien.files import write_npz
from mien.pipeline import Tally
from mien.study.record import Fingerprint
from mien.study.tables import StudyTable
from mien.tracking import Tracker
from mien.tracking.state import restore_tracker, tracker_state

__all__ = ["CHECKPOINT_SECS", "FileCheckpoint", "StaleCheckpointError"]

CHECKPOINT_SECS = 60.0
_OURS = "ours"
_COUNTS = ("frames_decoded", "frames_with_face", "most_faces", "most_detected", "seconds")


class StaleCheckpointError(Exception):
    """What was saved cannot be gone on with: the file begins anew."""


class FileCheckpoint:
    """Saves every minute, and restores what an interrupted run of the same file has saved."""

    def __init__(
        self, path: Path, print_: Fingerprint, every_secs: float = CHECKPOINT_SECS
    ) -> None:
        self._path, self._every_secs = path, every_secs
        self._print = [print_.bytes, print_.sha256]
        self._saved_secs = time.monotonic()
        self._table: StudyTable | None = None
        self._read = self._load()

    @property
    def kept_bytes(self) -> tuple[int, ...]:
        """Of each shard, what stands; zeros if the file begins anew."""
        return tuple(self._read[1]["table"]["bytes"]) if self._read else (0, 0)

    def follow(self, table: StudyTable) -> None:
        """The table whose shards were opened with ``kept_bytes``."""
        self._table = table

    def forget(self) -> None:
        """Begin anew: the shards do not hold what was saved of them."""
        self._read = None

    def restore(self, tracker: Tracker, tally: Tally) -> int:
        if self._read is None or self._table is None:
            return 0
        state, ours = self._read
        try:
            restore_tracker(tracker, state)
        except InputError as stale:
            raise StaleCheckpointError(str(stale)) from stale
        self._table.restore(ours["table"])
        for name in _COUNTS:
            setattr(tally, name, ours["tally"][name])
        tally.track_ids = set(ours["track_ids"])
        self._saved_secs = time.monotonic()
        return int(ours["frames_done"])

    def is_due(self) -> bool:
        return time.monotonic() - self._saved_secs >= self._every_secs

    def save(self, tracker: Tracker, tally: Tally, frames_done: int) -> None:
        if self._table is None:
            return
        ours = {
            "print": self._print,
            "frames_done": frames_done,
            "table": self._table.state(),
            "tally": {name: getattr(tally, name) for name in _COUNTS},
            "track_ids": sorted(tally.track_ids),
        }
        text = np.frombuffer(json.dumps(ours).encode("utf-8"), np.uint8)
        write_npz(self._path, {**tracker_state(tracker), _OURS: text})
        self._saved_secs = time.monotonic()

    def drop(self) -> None:
        """The file is done."""
        self._path.unlink(missing_ok=True)

    def _load(self) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
        """What was saved, if it is of this very file."""
        if None in self._print or not self._path.is_file():
            return None
        try:
            with np.load(self._path, allow_pickle=False) as data:
                state = {name: data[name] for name in data.files}
            ours = json.loads(bytes(state.pop(_OURS)).decode("utf-8"))
        except (EOFError, OSError, ValueError, KeyError, zipfile.BadZipFile):
            return None
        return (state, ours) if ours["print"] == self._print else None
