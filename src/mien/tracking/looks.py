"""What is remembered of a face's looks, and what the tracker asks of whoever reads them.

The tracker itself sees no picture: a reader gives it vectors of length 1, alike by their scalar
product. A *glance* is the small picture of a face, taken in every frame: from frame to frame it
hardly changes, unless somebody else has taken the face's place. A *signature* is what tells people
apart for longer; it costs more, and is read now and then.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Float, UInt8

__all__ = ["CutWatch", "LookReader", "Looks", "Signature"]

_GALLERY = 8
"""Signatures kept of a face, as it was seen from different sides."""
_ANOTHER_SIDE = 0.8
"""A signature that is less alike than this to those kept is worth keeping."""
_SAME_VIEW = 0.97
"""Likeness of a small picture to that of the last signature, from which another signature would
tell nothing new."""
_SAME_SIDE_DEG = 25.0
"""Heads that are turned further from each other look unlike whoever they are: that they do proves
nothing."""
_ANY_SIDE_DEG = 60.0
"""That they look alike proves as much from any side."""
_GLANCE_WEIGHT = 0.5
"""Of the small pictures against the signatures, when it is asked who came back."""


class CutWatch(Protocol):
    """Told every picture of a video once, in order."""

    def is_cut(self, image_rgb: UInt8[np.ndarray, "height width 3"]) -> bool:
        """Whether the picture begins another shot."""
        ...


class LookReader(Protocol):
    """Reads how a face looks; ``None`` where nothing can be seen."""

    def glance(
        self,
        image_rgb: UInt8[np.ndarray, "height width 3"],
        points_image: Float[np.ndarray, "points 3"],
    ) -> Float[np.ndarray, " pixels"] | None:
        """The small picture, without its mean, of length 1."""
        ...

    def signature(
        self,
        image_rgb: UInt8[np.ndarray, "height width 3"],
        points_image: Float[np.ndarray, "points 3"],
    ) -> Float[np.ndarray, " numbers"] | None:
        """The signature, of length 1."""
        ...


@dataclass(frozen=True)
class Signature:
    """How a face looks, and from which side it was seen."""

    numbers: Float[np.ndarray, " numbers"]
    """Of length 1."""
    yaw_deg: float

    def likeness(self, other: Signature, within_deg: float) -> float | None:
        """1 for the same picture, about 0 for two people; ``None`` from sides too different."""
        if abs(self.yaw_deg - other.yaw_deg) > within_deg:
            return None
        return float(self.numbers @ other.numbers)


class Looks:
    """The looks of one face so far."""

    def __init__(self) -> None:
        self.glance: Float[np.ndarray, " pixels"] | None = None
        """Of the last frame in which it was seen."""
        self.usual_change = 1.0
        """How unlike its small pictures of one frame and the next were lately, at most."""
        self.read_secs = -math.inf
        """Clock time of the last signature."""
        self._read_glance: Float[np.ndarray, " pixels"] | None = None
        """The small picture at the last signature."""
        self._signatures: list[Signature] = []

    def is_as_read(self) -> bool:
        """Whether the face looks as it did when its signature was last read."""
        if self.glance is None or self._read_glance is None:
            return False
        return float(self.glance @ self._read_glance) >= _SAME_VIEW

    def likeness(
        self, signature: Signature | None, within_deg: float = _SAME_SIDE_DEG
    ) -> float | None:
        """To the most alike of the signatures kept; ``None`` if none can be compared."""
        if signature is None:
            return None
        known = [kept.likeness(signature, within_deg) for kept in self._signatures]
        return max((one for one in known if one is not None), default=None)

    def resemblance(
        self, signature: Signature | None, glance: Float[np.ndarray, " pixels"] | None
    ) -> float | None:
        """Of a face that comes back, from whichever side: up to 1.5."""
        likeness = self.likeness(signature, _ANY_SIDE_DEG)
        if likeness is None or glance is None or self.glance is None:
            return likeness
        return likeness + _GLANCE_WEIGHT * float(glance @ self.glance)

    def keep(self, signature: Signature | None, now_secs: float) -> None:
        """Add a signature if it shows the face anew; the oldest but one gives way."""
        self.read_secs, self._read_glance = now_secs, self.glance
        alike = self.likeness(signature)
        if signature is None or (alike is not None and alike >= _ANOTHER_SIDE):
            return
        self._signatures.append(signature)
        if len(self._signatures) > _GALLERY:
            del self._signatures[1]
