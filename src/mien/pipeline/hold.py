"""Frames held back until their future is known, where smoothing is two-sided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mien.errors import InputError
from mien.media import Source, SourceKind
from mien.tracking import OfflineSettings, OfflineSmoother, Tracker
from mien.types import Face, Frame

__all__ = ["Hold"]


class Hold:
    """Between a tracker and what takes its faces: at once, or smoothed half a second later."""

    def __init__(self, source: Source, tracker: Tracker) -> None:
        """As the tracker's settings say; a photo has no future to wait for.

        Raises:
            InputError: smoothing is two-sided and the source is a camera, which ends never.
        """
        settings = tracker.settings.smoothing
        self._smoother: OfflineSmoother | None = None
        if isinstance(settings, OfflineSettings) and source.kind is not SourceKind.PHOTO:
            if source.kind is SourceKind.CAMERA:
                raise InputError(
                    f"{source.name}: offline smoothing is for files; a camera goes without"
                )
            self._smoother = OfflineSmoother(tracker.mean_shape, settings)

    @property
    def is_empty(self) -> bool:
        """Whether every frame it took was given back."""
        return self._smoother is None or self._smoother.is_empty

    def push(self, frame: Frame, faces: list[Face]) -> Iterator[tuple[Frame, Sequence[Face]]]:
        """Take the next frame; gives those that are ready, in order."""
        if self._smoother is None:
            yield frame, faces
        else:
            yield from self._smoother.push(frame, faces)

    def drain(self) -> Iterator[tuple[Frame, Sequence[Face]]]:
        """What is left when no more come."""
        if self._smoother is not None:
            yield from self._smoother.drain()
