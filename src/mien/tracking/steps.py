"""Time that only goes forward, whatever the timestamps do."""

from __future__ import annotations

import math
from typing import Final

__all__ = ["SAME_TIME_SECS", "Clock"]

SAME_TIME_SECS: Final = 1e-6
"""Sums of steps are that exact."""

_USUAL_STEP_SECS = 1 / 30


class Clock:
    """Turns frame times into steps that are always positive.

    Files exist whose timestamps stand still or jump back. Such a step counts as long as the last
    good one, before the first good one as 1/30 s.
    """

    def __init__(self) -> None:
        self.now_secs = 0.0
        """Sum of the steps so far."""
        self._frame_secs: float | None = None
        self._last_step_secs = _USUAL_STEP_SECS

    def tick(self, frame_secs: float) -> float:
        """Go on to a frame of that time; returns the step in seconds."""
        step = self._last_step_secs
        if self._frame_secs is not None and math.isfinite(frame_secs):
            moved = frame_secs - self._frame_secs
            if moved > 0:
                step = self._last_step_secs = moved
        if math.isfinite(frame_secs):
            self._frame_secs = frame_secs
        self.now_secs += step
        return step
