"""The rotation and mirror mark of phone videos."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

__all__ = ["UPRIGHT", "DisplayMark"]


@dataclass(frozen=True)
class DisplayMark:
    """A quarter-turn, perhaps mirrored: ``(x, y)`` of the stored picture is shown at
    ``(a x + c y, b x + d y)``, shifted so that it starts at 0."""

    a: int
    b: int
    c: int
    d: int

    @classmethod
    def from_bytes(cls, matrix: bytes) -> DisplayMark:
        """Read the nine 32-bit numbers of an MP4 track header (ISO 14496-12, 8.3.2).

        A matrix that is not made of quarter-turns is rounded to the nearest one; what is left of
        a degenerate matrix is "as stored".
        """
        if len(matrix) < 36:
            return UPRIGHT
        a, b, _, c, d = np.frombuffer(matrix, dtype=np.int32, count=5).tolist()
        if abs(a) + abs(d) >= abs(b) + abs(c):
            mark = cls(_sign(a), 0, 0, _sign(d))
        else:
            mark = cls(0, _sign(b), _sign(c), 0)
        return mark if mark.a * mark.d - mark.b * mark.c else UPRIGHT

    @property
    def swaps_sides(self) -> bool:
        """Whether width and height change places."""
        return self.a == 0

    def apply(self, image: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "height width 3"]:
        """The picture as it is to be shown, contiguous in memory."""
        across, down = (self.c, self.b) if self.swaps_sides else (self.a, self.d)
        if self.swaps_sides:
            image = image.transpose(1, 0, 2)
        return np.ascontiguousarray(image[::down, ::across])


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)


UPRIGHT = DisplayMark(1, 0, 0, 1)
