"""When the detector looks at the whole frame: by time, and sooner where something stirs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import UInt8

from mien.tracking.scenes import small_picture
from mien.tracking.settings import TrackerSettings
from mien.tracking.steps import SAME_TIME_SECS
from mien.tracking.track import Track
from mien.types import Box, Frame

__all__ = ["SearchTurns"]

_STIRRED = 1 / 3
"""Share of ``search_secs`` after which the frame is searched if it has changed."""
_CHANGE = 14
"""Levels of 255 by which a part of the small picture has changed: more than noise and compression
do, less than a face that comes before any background it can be told from."""
_BLOB = np.ones((2, 2), np.uint8)
"""Parts that have changed together: a head that comes is no thin line, as moved edges are."""
_SMALL = 0.07
"""Of the picture's long side: where a face is larger, no closer look is taken for others."""
_BESIDE, _ABOVE, _BELOW, _SHOULDERS = 1.0, 1.2, 1.0, 1.5
"""Widths and heights of a face's landmark box beside, above and below it, in which its own head
moves; and beside it down to the picture's end, where its body does."""


class SearchTurns:
    """When it looked last, and what it saw then."""

    def __init__(self) -> None:
        self._searched_secs = -math.inf
        self._compared_secs = -math.inf
        self._looked_closer_secs = -math.inf
        self._seen: UInt8[np.ndarray, "40 64 3"] | None = None
        self._known: list[Box] = []

    def searched(self, frame: Frame, now_secs: float, tracks: Sequence[Track]) -> None:
        """The detector has looked; these are the faces known now."""
        self._searched_secs = self._compared_secs = now_secs
        self._seen = small_picture(frame.image_rgb)
        self._known = [track.box for track in tracks]

    def is_due(
        self,
        frame: Frame,
        now_secs: float,
        tracks: Sequence[Track],
        settings: TrackerSettings,
        *,
        just_lost: bool,
        expects: bool,
    ) -> bool:
        """Whether the detector is to look at this frame.

        Args:
            just_lost: a face ended in this very frame.
            expects: one that was lost a moment ago may come back.
        """
        since_secs = now_secs - self._searched_secs + SAME_TIME_SECS
        if since_secs < settings.least_search_secs:
            return False
        is_weak = any(track.weak_since is not None for track in tracks)
        if not tracks:
            return True
        if len(tracks) >= settings.max_faces and not is_weak:
            return False
        if just_lost or any(track.weak_since == now_secs for track in tracks):
            return True
        every = settings.search_secs
        if is_weak or expects:
            every = min(every, settings.anxious_search_secs)
        return since_secs >= every or self._is_stirred(frame, now_secs, tracks, settings)

    def may_look_closer(
        self, frame: Frame, now_secs: float, known: Sequence[Box], settings: TrackerSettings
    ) -> bool:
        """Whether to look for small faces too; ``known`` are those there are. Who is told that he
        may does."""
        since_secs = now_secs - self._looked_closer_secs + SAME_TIME_SECS
        small = _SMALL * max(frame.image_rgb.shape[:2])
        if since_secs < settings.close_search_secs or any(box.height > small for box in known):
            return False
        self._looked_closer_secs = now_secs
        return True

    def _is_stirred(
        self, frame: Frame, now_secs: float, tracks: Sequence[Track], settings: TrackerSettings
    ) -> bool:
        """Whether the picture has changed, away from the faces, since it was searched."""
        if now_secs - self._compared_secs + SAME_TIME_SECS < _STIRRED * settings.search_secs:
            return False
        self._compared_secs = now_secs
        if self._seen is None:
            return True
        differences = cv2.absdiff(small_picture(frame.image_rgb), self._seen).max(axis=2)
        changed = (differences > _CHANGE).astype(np.uint8)
        height, width = frame.image_rgb.shape[:2]
        for box in (*self._known, *(track.box for track in tracks)):
            _clear(changed, box, width, height)
        return bool(cv2.erode(changed, _BLOB, borderType=cv2.BORDER_REPLICATE).any())


def _clear(changed: UInt8[np.ndarray, "40 64"], box: Box, width: int, height: int) -> None:
    """Forget what changed where a face's own head and body are."""
    rows, columns = changed.shape
    across, down = columns / width, rows / height
    top = max(math.floor((box.top - _ABOVE * box.height) * down), 0)
    chin, chest = box.bottom * down, (box.bottom + _BELOW * box.height) * down
    for sides, first, last in ((_BESIDE, top, chest), (_SHOULDERS, chin, rows)):
        left = max(math.floor((box.left - sides * box.width) * across), 0)
        right = max(math.ceil((box.right + sides * box.width) * across), 0)
        changed[max(math.floor(first), 0) : max(math.ceil(last), 0), left:right] = 0
