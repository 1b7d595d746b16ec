"""Presentation times that always advance, from timestamps that may not."""

from __future__ import annotations

__all__ = ["Clock"]

_JITTER_STEPS = 3
"""A timestamp this many frames back or less is jitter; further back the file's clock restarted."""


class Clock:
    """Turns a file's timestamps into seconds from its first frame, strictly increasing.

    Gaps forward are kept: a variable frame rate is honest. A missing stamp is one frame after the
    last. A stamp that repeats or steps back a little goes half a frame on, so that the stamps
    after it still count; a stamp far back (joined recordings) restarts the clock one frame on.
    """

    def __init__(self, frame_secs: float) -> None:
        """``frame_secs``: the nominal time from frame to frame."""
        self._frame_secs = frame_secs
        self._start_secs: float | None = None
        self._last_secs = 0.0

    def time_secs(self, stamp_secs: float | None) -> float:
        """The time of the next frame, given its stamp in the file's own clock."""
        if self._start_secs is None:
            self._start_secs = 0.0 if stamp_secs is None else stamp_secs
            return 0.0
        if stamp_secs is None:
            self._last_secs += self._frame_secs
            return self._last_secs
        time_secs = stamp_secs - self._start_secs
        if time_secs < self._last_secs - _JITTER_STEPS * self._frame_secs:
            time_secs = self._last_secs + self._frame_secs
            self._start_secs = stamp_secs - time_secs
        elif time_secs <= self._last_secs:
            time_secs = self._last_secs + self._frame_secs / 2
        self._last_secs = time_secs
        return time_secs
