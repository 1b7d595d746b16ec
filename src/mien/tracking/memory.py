"""Faces that were lost, and which of them a face that is found may be.

Within a shot a face comes back near the place where it went, and may look as it likes, if it does
not look like somebody else; or anywhere, if it looks the same. Across a cut places mean nothing:
only who looks the same gets its number back.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from mien.tracking.association import farness, pair_up
from mien.tracking.looks import Looks, Signature
from mien.tracking.region import Place
from mien.tracking.settings import TrackerSettings

__all__ = ["FoundFace", "LostFace", "Memory"]

_NEVER = 1e6
_SAME_PICTURE = 0.9
_AT_ONCE_SECS = 0.2
"""Two small pictures that alike, so soon after each other, are of one person: those of two were at
most 0.85 alike."""
_UNKNOWN = 0.5
"""Cost of a pair whose looks nobody knows, as if they were half alike."""
_LOOKS_WEIGHT = 2.0
"""Of looks against places, where both may tell who came back."""


@dataclass(frozen=True)
class FoundFace:
    """A face that has no number yet."""

    place: Place
    signature: Signature | None
    """``None`` where its looks cannot be read."""
    glance: Float[np.ndarray, " pixels"] | None = None
    may_be_covered: bool = False
    """Another followed face is near and its points are unsure: what covers it makes it unlike
    itself."""


@dataclass(frozen=True)
class LostFace:
    """What is remembered of a face that ended."""

    track_id: int
    place: Place
    """Where it was last seen well."""
    points_image: Float[np.ndarray, "points 3"]
    """And its points there, px."""
    seen_secs: float
    """Clock time of that."""
    looks: Looks
    same_shot: bool = True
    """No cut has come since."""


class Memory:
    """The lost faces of one video."""

    def __init__(self) -> None:
        self.lost: list[LostFace] = []
        self.is_fresh = False
        """Whether a face was lost so lately that it may come back where it was."""

    def cut(self) -> None:
        """The shot ended: places mean nothing any more."""
        self.lost = [dataclasses.replace(face, same_shot=False) for face in self.lost]

    def forget(self, now_secs: float, settings: TrackerSettings) -> None:
        """Let go of what is too long ago, for its place or for good."""
        oldest = now_secs - settings.recall_secs
        self.lost = [face for face in self.lost if face.seen_secs >= oldest]
        nearest = now_secs - settings.remember_secs
        self.is_fresh = any(face.seen_secs >= nearest for face in self.lost)

    def recall(
        self, found: Sequence[FoundFace], now_secs: float, settings: TrackerSettings
    ) -> dict[int, LostFace]:
        """Which found face is which lost one, by the found ones' index; these are lost no more."""
        if not found or not self.lost:
            return {}
        cost = [[_cost(here, old, now_secs, settings) for old in self.lost] for here in found]
        pairs = {row: self.lost[col] for row, col in pair_up(np.array(cost), most=_NEVER / 2)}
        back = {face.track_id for face in pairs.values()}
        self.lost = [face for face in self.lost if face.track_id not in back]
        return pairs


def _cost(here: FoundFace, old: LostFace, now_secs: float, settings: TrackerSettings) -> float:
    age_secs = now_secs - old.seen_secs
    likeness = old.looks.likeness(here.signature)
    unlike = _UNKNOWN if likeness is None else 1 - likeness
    if old.same_shot and age_secs <= settings.remember_secs:
        far = farness(here.place, old.place, age_secs)
        if far <= 1:
            is_unlike = likeness is not None and likeness < settings.other_likeness
            is_other = is_unlike and not here.may_be_covered
            return _NEVER if is_other else far + _LOOKS_WEIGHT * unlike
    if _goes_on(here, old, age_secs):
        return 1.0
    same = old.looks.resemblance(here.signature, here.glance)
    return _NEVER if same is None or same < settings.same_likeness else 3 - same


def _goes_on(here: FoundFace, old: LostFace, age_secs: float) -> bool:
    """Whether the very picture goes on: what was taken for a cut was none."""
    last = old.looks.glance
    if here.glance is None or last is None or age_secs > _AT_ONCE_SECS:
        return False
    return float(here.glance @ last) >= _SAME_PICTURE
