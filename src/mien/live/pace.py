"""How fast it goes: frames a second, latency, frames dropped."""

from __future__ import annotations

from array import array
from collections import deque

import numpy as np

__all__ = ["Pace"]

_MOMENT_SECS = 2.0


class Pace:
    """Counts frames that were tracked; the last two seconds are what is shown."""

    def __init__(self) -> None:
        self.latency_ms = array("f")
        """From a frame's arrival to its faces, of every frame that was tracked."""
        self._recent: deque[tuple[float, float]] = deque()

    def add(self, now_secs: float, latency_ms: float) -> None:
        """One frame more was tracked."""
        self.latency_ms.append(latency_ms)
        self._recent.append((now_secs, latency_ms))
        self.forget_before(now_secs)

    def forget_before(self, now_secs: float) -> None:
        """What is more than two seconds ago no longer counts, whether frames came since or not."""
        while self._recent and self._recent[0][0] < now_secs - _MOMENT_SECS:
            self._recent.popleft()

    @property
    def fps(self) -> float:
        """Of the last two seconds."""
        if len(self._recent) < 2:
            return 0.0
        return (len(self._recent) - 1) / max(self._recent[-1][0] - self._recent[0][0], 1e-9)

    @property
    def recent_ms(self) -> float:
        """Median latency of the last two seconds."""
        return float(np.median([ms for _, ms in self._recent])) if self._recent else 0.0

    def percentile_ms(self, percent: float) -> float:
        """Of all frames; 0 before the first."""
        return float(np.percentile(self.latency_ms, percent)) if self.latency_ms else 0.0
