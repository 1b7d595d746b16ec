"""How many at once, what each may take, and the networks they share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from mien.errors import ConfigError
from mien.pipeline import TrackerParts

__all__ = ["Limits", "Visitors"]


@dataclass(frozen=True)
class Limits:
    """Bounds on what visitors take."""

    visitors: int = 4
    """Webcams and videos followed at the same time."""
    upload_mb: int = 500
    """Size of a video."""
    video_minutes: float = 10.0
    """Of a longer video only its beginning is followed, and that is said."""
    idle_secs: float = 60.0
    """A webcam that sends nothing for so long loses its place."""

    def __post_init__(self) -> None:
        if min(self.visitors, self.upload_mb) < 1 or not self.video_minutes > 0:
            raise ConfigError("limits of mien serve must be above 0")

    @property
    def upload_bytes(self) -> int:
        return self.upload_mb * 1_000_000


class Visitors:
    """The places, a thread for each, and tracker parts that threads may share."""

    def __init__(self, parts: TrackerParts, limits: Limits) -> None:
        self.parts = parts
        self.limits = limits
        self.threads = ThreadPoolExecutor(limits.visitors, thread_name_prefix="mien-visitor")
        self._inside = 0

    @contextlib.contextmanager
    def place(self) -> Iterator[bool]:
        """Whether there was a place, which is kept until the block ends."""
        has_place = self._inside < self.limits.visitors
        self._inside += has_place
        try:
            yield has_place
        finally:
            self._inside -= has_place

    def leave(self) -> None:
        """End the threads; call when the application ends."""
        self.threads.shutdown(wait=False, cancel_futures=True)

    @property
    def full(self) -> str:
        """What is said when there is no place."""
        count = self.limits.visitors
        return f"{count} visitors are here already, which is the most; try again when one has left"
