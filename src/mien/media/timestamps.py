"""Presentation times that always advance, from timestamps that may not."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Sequence

__all__ = ["Clock", "PictureStamps"]

_JITTER_STEPS = 3
"""A timestamp this many frames back or less is jitter; further back the file's clock restarted."""


class Clock:
    """Turns a file's timestamps into seconds from its zero, strictly increasing.

    Gaps forward are kept: a variable frame rate is honest. A missing stamp is one frame after the
    last. A stamp that repeats or steps back a little goes half a frame on, so that the stamps
    after it still count; a stamp far back (joined recordings) restarts the clock one frame on.
    """

    def __init__(self, frame_secs: float, zero_secs: float | None = None) -> None:
        """``frame_secs``: the nominal time from frame to frame. ``zero_secs``: the stamp that is
        time 0, the first frame's where it is not known or that one is earlier."""
        self._frame_secs = frame_secs
        self._start_secs = zero_secs
        self._last_secs: float | None = None

    def time_secs(self, stamp_secs: float | None) -> float:
        """The time of the next frame, given its stamp in the file's own clock."""
        if self._last_secs is None:
            self._last_secs = self._first(stamp_secs)
            return self._last_secs
        if stamp_secs is None or self._start_secs is None:
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

    def _first(self, stamp_secs: float | None) -> float:
        if stamp_secs is None:
            self._start_secs = 0.0 if self._start_secs is None else self._start_secs
            return 0.0
        if self._start_secs is None or stamp_secs < self._start_secs:
            self._start_secs = stamp_secs
        return stamp_secs - self._start_secs


class PictureStamps:
    """Which stamp a decoded picture has, in ticks.

    Pictures leave the decoder in the order they are shown. Where packets bring rising stamps and
    pictures do not, the container numbered its packets as they are stored (AVI knows no other
    order): then the n-th picture shown has the n-th number stored. Where the demuxer has worked out
    from such numbers when pictures are shown (MPEG-4 part 2), all are late by the pictures that the
    decoder held back first.
    """

    def __init__(self) -> None:
        self._stored: list[int] = []
        self._last_sent: int | None = None
        self._sent_rising = True
        self._decided = False
        self._in_stored_order = False
        self._late = 0

    def sent(self, pts: int | None, dts: int | None) -> None:
        """A packet goes into the decoder."""
        if self._decided and not self._in_stored_order:
            return
        if pts is not None:
            self._sent_rising &= self._last_sent is None or pts > self._last_sent
            self._last_sent = pts
        if (stored := _first_of(dts, pts)) is not None:
            heapq.heappush(self._stored, stored)

    def refused(self, pts: int | None, dts: int | None) -> None:
        """That packet gave no picture."""
        stored = _first_of(dts, pts)
        if stored in self._stored:
            self._stored.remove(stored)
            heapq.heapify(self._stored)

    def decide(self, pts: Sequence[int | None], *, numbers_as_stored: bool = False) -> None:
        """Judge by the stamps that the first pictures brought, before the first :meth:`of`.

        ``numbers_as_stored``: whether the container's own numbers are those of storing.
        """
        known = [one for one in pts if one is not None]
        falls = any(later < earlier for earlier, later in itertools.pairwise(known))
        self._in_stored_order = falls and self._sent_rising
        self._decided = True
        if not self._in_stored_order:
            if numbers_as_stored and known and self._stored:
                self._late = max(0, known[0] - self._stored[0])
            self._stored.clear()

    def of(self, pts: int | None, dts: int | None) -> int | None:
        """The stamp of the next picture, which brought these."""
        if self._in_stored_order and self._stored:
            return heapq.heappop(self._stored)
        stamp = _first_of(pts, dts)
        return None if stamp is None else stamp - self._late


def _first_of(one: int | None, other: int | None) -> int | None:
    return other if one is None else one
