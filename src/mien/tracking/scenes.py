"""Where a film is cut: one shot ends, and the next frame shows another place.

Each frame is made small, and its parts are looked for in the frame before, in a neighbourhood, by
normalised correlation. Within a shot they are found, whatever the camera does (motion) and however
bright it is (fades); after a cut they are not, and the colours are others. A flash ends when what
was seen before it is seen again. Frames are compared only where they differ by more than they did a
moment ago, which costs nothing in most frames.
"""

from __future__ import annotations

from statistics import median

import cv2
import numpy as np
from jaxtyping import UInt8

__all__ = ["SceneWatch", "continuity", "small_picture"]

_WIDTH, _HEIGHT = 64, 40
_PART_WIDTH, _PART_HEIGHT = 16, 20
_REACH = 7
"""Small pixels by which a part may have moved: a ninth of the picture's width a frame."""
_FLAT = 2.0
"""Standard deviation of grey, of 255, below which a part shows nothing."""
_LEAST_PARTS = 2
_COLOUR_WEIGHT = 0.3
_MOST_COLOUR = 0.2
"""A change of brightness alone, which changes all colours, must not make a cut."""
_CUT_BELOW = 0.62
_LOOK_ABOVE = 6.0
"""Mean difference of two frames, of 255, below which they are not compared at all."""
_LOOK_RATIO = 2.0
"""The same against the median of the last differences."""
_RECENT = 12
_FLASH_FRAMES = 4
"""So many frames back what was seen before a flash is looked for."""


class SceneWatch:
    """Tells for each frame of a video whether it begins another shot."""

    def __init__(self) -> None:
        self._shot: list[UInt8[np.ndarray, "40 64 3"]] = []
        self._differences: list[float] = []

    def is_cut(self, image_rgb: UInt8[np.ndarray, "height width 3"]) -> bool:
        """Whether the next frame begins another shot; the first does not."""
        small, before = small_picture(image_rgb), tuple(reversed(self._shot))
        self._shot = [*self._shot, small][-_FLASH_FRAMES:]
        if not before:
            return False
        difference = cv2.norm(small, before[0], cv2.NORM_L1) / small.size
        usual = median(self._differences) if self._differences else 0.0
        self._differences = [*self._differences, difference][-_RECENT:]
        if difference < max(_LOOK_ABOVE, _LOOK_RATIO * usual):
            return False
        for last in before:
            goes_on = continuity(small, last)
            if goes_on is None or goes_on >= _CUT_BELOW:
                return False
        self._differences, self._shot = [], [small]
        return True


def continuity(
    small: UInt8[np.ndarray, "40 64 3"], last: UInt8[np.ndarray, "40 64 3"]
) -> float | None:
    """1 where ``last`` shows the same near the same place, 0 or less where it shows nothing of it.

    ``None`` if the frame is too flat to tell, as a black one is.
    """
    now, then = (np.ascontiguousarray(picture[:, :, 1]) for picture in (small, last))
    around = cv2.copyMakeBorder(then, _REACH, _REACH, _REACH, _REACH, cv2.BORDER_REPLICATE)
    found = []
    for top in range(0, _HEIGHT, _PART_HEIGHT):
        for left in range(0, _WIDTH, _PART_WIDTH):
            part = now[top : top + _PART_HEIGHT, left : left + _PART_WIDTH]
            if part.std() >= _FLAT:
                there = around[
                    top : top + _PART_HEIGHT + 2 * _REACH, left : left + _PART_WIDTH + 2 * _REACH
                ]
                found.append(float(cv2.matchTemplate(there, part, cv2.TM_CCOEFF_NORMED).max()))
    if len(found) < _LEAST_PARTS:
        return None
    changed = _COLOUR_WEIGHT * float(np.abs(_levels(small) - _levels(last)).sum())
    return float(np.mean(found)) - min(changed, _MOST_COLOUR)


def _levels(small: UInt8[np.ndarray, "40 64 3"]) -> np.ndarray:
    """Shares of the pixels below eight levels of red, green and blue: cumulative histograms, whose
    difference is the earth mover's distance."""
    counts = [np.bincount((small[:, :, one] >> 5).ravel(), minlength=8) for one in range(3)]
    levels: np.ndarray = np.cumsum(counts, axis=1) / (3 * _WIDTH * _HEIGHT)
    return levels


def small_picture(image_rgb: UInt8[np.ndarray, "height width 3"]) -> UInt8[np.ndarray, "40 64 3"]:
    """Sixteen pixels of each part, averaged by halves: OpenCV is fast at both."""
    size = 4 * _WIDTH, 4 * _HEIGHT
    small = cv2.resize(image_rgb, size, interpolation=cv2.INTER_NEAREST)
    for _ in range(2):
        size = size[0] // 2, size[1] // 2
        small = cv2.resize(small, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)
