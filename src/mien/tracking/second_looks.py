"""Which detections of a film may be looked at from several starts, and which were just now."""

from __future__ import annotations

from collections.abc import Sequence

from mien.types import Box

__all__ = ["SecondLooks"]

_SAME_PLACE_IOU = 0.4


class SecondLooks:
    """Bounds their number: each place of the picture once in ``every_secs``.

    A false alarm of the detector comes back at each search, and so does a face that stays doubtful.
    """

    def __init__(self, every_secs: float) -> None:
        self._every_secs = every_secs
        self._granted: list[tuple[Box, float]] = []

    def grant(self, boxes: Sequence[Box], now_secs: float) -> list[bool]:
        """For each detection, whether it may; those that may are remembered."""
        self._granted = [
            (box, secs) for box, secs in self._granted if now_secs - secs < self._every_secs
        ]
        told = [
            all(box.iou(other) < _SAME_PLACE_IOU for other, _ in self._granted) for box in boxes
        ]
        self._granted += [(box, now_secs) for box, may in zip(boxes, told, strict=True) if may]
        return told
