"""A second look at a followed face whose frame is doubtful: the head jumped, or points are unsure.

Model 2 looks where the last frame's points were. Where that crop is wrong (a head that rushes, a
border that cuts it) it may read a head turned away by tens of degrees, for one frame. Such a frame
is looked at from two other starts: model 1 on the crop of the last points, moved ahead by all their
motion, and on that of the points just seen; model 2 follows each up. Of the three looks the most
confident is kept, less what it lies off the motion; how far the farthest lies from it lowers the
face's score: ``docs/decisions/0023-second-looks.md``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from mien.alignment import LandmarkPredictor, align
from mien.geometry import angle_between, crop_from_landmarks, pose_head
from mien.tracking.association import same_face
from mien.tracking.region import Place, is_readable
from mien.tracking.settings import RecheckSettings, TrackerSettings
from mien.tracking.steps import SAME_TIME_SECS
from mien.tracking.track import Track
from mien.types import Frame, Prediction

__all__ = ["Recheck", "Rechecked"]

_STARTS = 2
"""Crops a doubtful face is looked at from."""
_FARTHEST = 0.5
"""Face sizes between the middles of two looks at one face, at most."""
_SIZE_RATIO = 1.6
"""And between their sizes."""


@dataclass(frozen=True)
class Rechecked:
    """What is kept of the looks at one face in one frame."""

    seen: Prediction
    agreement: float = 1.0
    """How well the looks agree: 1 for the same points, 0.5 for ``far`` face sizes between them. A
    face that stays unsure has that of its last looks, one that is seen well has 1."""
    is_new: bool = False
    """Whether it was looked at again in this frame."""


@dataclass(frozen=True)
class Recheck:
    """Both models, and when they look again."""

    first: LandmarkPredictor
    following: LandmarkPredictor
    settings: TrackerSettings
    """Of which ``recheck`` says when; ``None`` there: never."""

    def best(
        self,
        frame: Frame,
        tracks: Sequence[Track],
        seen_all: Sequence[Prediction],
        step_secs: float,
        now_secs: float,
    ) -> list[Rechecked]:
        """One a track; the tracks stand as they did before this frame, in which model 2 saw
        ``seen_all``."""
        settings = self.settings.recheck
        if settings is None:
            return [Rechecked(seen) for seen in seen_all]
        doubt = _Doubt(settings, self.following.mean_shape, step_secs, now_secs)
        pairs = list(zip(tracks, seen_all, strict=True))
        kept = [Rechecked(seen, doubt.last_agreement(track, seen)) for track, seen in pairs]
        doubtful = [
            i
            for i, (track, seen) in enumerate(pairs)
            if self._is_face(seen) and doubt.is_doubtful(track, seen)
        ]
        starts = [
            points
            for i in doubtful
            for points in (_moved_ahead(tracks[i], step_secs), seen_all[i].landmarks.points_image)
        ]
        mean_shape, side = self.first.mean_shape, self.first.side
        rough = [crop_from_landmarks(points, mean_shape, side) for points in starts]
        looks = align(self.first, self.following, frame.image_rgb, rough, self._is_face)
        for at, i in enumerate(doubtful):
            own = seen_all[i]
            others = [seen for j, seen in enumerate(seen_all) if j != i and self._is_face(seen)]
            found = [
                look
                for look in looks[at * _STARTS : (at + 1) * _STARTS]
                if look is not None
                and is_readable(look, frame)  # else it would end a face that can be read
                and _is_same(look, own)
                and not _is_taken(look, others)
            ]
            foretold = _moved_ahead(tracks[i], step_secs)
            best = max([own, *found], key=lambda look: _rank(look, foretold, settings.doubt_of_far))
            far = max(_apart(look, best) for look in [own, *found])
            kept[i] = Rechecked(best, 1 / (1 + (far / settings.far) ** 2), is_new=True)
        return kept

    def _is_face(self, seen: Prediction) -> bool:
        points = seen.landmarks.points_image
        is_there = bool(np.isfinite(points).all()) and np.ptp(points[:, :2], axis=0).min() > 0
        return is_there and seen.score >= self.settings.end_score


@dataclass(frozen=True)
class _Doubt:
    """Which looks of a frame are doubtful."""

    settings: RecheckSettings
    mean_shape: Float[np.ndarray, "points 3"]
    step_secs: float
    now_secs: float

    def is_doubtful(self, track: Track, seen: Prediction) -> bool:
        """``track`` stands as it did before the frame."""
        settings, sure = self.settings, _confidence(seen)
        slack = max(1.0, self.step_secs / settings.usual_step_secs)
        if _confidence(track.seen) - sure > settings.most_lost:
            return True
        if self._turn_deg(track.seen, seen) > slack * settings.most_turn_deg:
            return True
        if sure >= settings.least_confidence:
            return False
        rested_secs = self.now_secs - track.rechecked_secs + SAME_TIME_SECS
        return rested_secs >= settings.again_secs or track.agreement < settings.agreed

    def last_agreement(self, track: Track, seen: Prediction) -> float:
        """Of a face that is not looked at again."""
        return track.agreement if _confidence(seen) < self.settings.least_confidence else 1.0

    def _turn_deg(self, before: Prediction, after: Prediction) -> float:
        """Angle between two heads."""
        one, other = (
            pose_head(seen.landmarks.points_image, self.mean_shape).rotation
            for seen in (before, after)
        )
        return math.degrees(angle_between(one, other))


def _confidence(seen: Prediction) -> float:
    return float(seen.landmarks.confidence.mean())


def _rank(look: Prediction, foretold: Float[np.ndarray, "points 3"], weight: float) -> float:
    """By which one of several looks is kept."""
    return _confidence(look) - weight * _distance(look.landmarks.points_image, foretold)


def _moved_ahead(track: Track, step_secs: float) -> Float[np.ndarray, "points 3"]:
    moved = track.points_image.copy()
    moved[:, :2] += track.place.velocity * step_secs
    return moved


def _apart(one: Prediction, other: Prediction) -> float:
    return _distance(one.landmarks.points_image, other.landmarks.points_image)


def _is_same(one: Prediction, other: Prediction) -> bool:
    """Whether two looks may be of one face."""
    here, there = (Place.of(seen.landmarks.points_image) for seen in (one, other))
    ratio = max(here.size / there.size, there.size / here.size)
    apart = float(np.linalg.norm(here.centre - there.centre))
    return ratio <= _SIZE_RATIO and apart <= _FARTHEST * max(here.size, there.size)


def _is_taken(look: Prediction, others: Sequence[Prediction]) -> bool:
    """Whether another followed face lies there."""
    points = look.landmarks.points_image
    return any(same_face(points, other.landmarks.points_image) for other in others)


def _distance(ours: Float[np.ndarray, "points 3"], theirs: Float[np.ndarray, "points 3"]) -> float:
    """Mean distance of like points, in face sizes of the second."""
    off = np.linalg.norm(ours[:, :2] - theirs[:, :2], axis=1)
    return float(off.mean()) / Place.of(theirs).size
