"""One face's state while it is followed."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from mien.geometry import pose_head
from mien.tracking.looks import Looks
from mien.tracking.memory import LostFace
from mien.tracking.region import Place
from mien.tracking.settings import SmoothingSettings
from mien.tracking.smoothing import PointFilter
from mien.types import Box, Face, Landmarks, Prediction

__all__ = ["Track"]

_USUAL_SECS = 1.0
"""Over so long a face's usual confidence is averaged: it is covered more quickly than that."""
_COVERED = 0.15
"""Of the points' mean confidence: where a face has lost more, its points tell no place to look for
it again. Under a cover they shrink to what is left of it."""
_TROUBLE_FADES_SECS = 0.12
"""In so long trouble shrinks to a third: who slid is known for some frames after."""


class Track:
    """A living face.

    ``weak_since`` is the clock time of the first of the frames in a row whose score was below
    ``keep_score``, ``None`` after a good one. ``surprise`` is how far the face moved in the
    last frame beyond what its motion foretold, in face sizes: a track that slides onto its
    neighbour is surprised, the neighbour is not. ``rush`` is how far it moved in the frame before
    that, in face sizes. ``dimmed`` is how far the mean confidence of its points lies below the
    usual one: something covers it. ``trouble`` is the largest sum of surprise and ``dimmed`` of the
    last frames. ``agreement`` is how well its looks agreed when there were last several, at
    ``rechecked_secs``; 1 where it is seen well.
    """

    def __init__(
        self,
        track_id: int,
        seen: Prediction,
        place: Place,
        smoothing: SmoothingSettings | None,
        looks: Looks | None = None,
    ) -> None:
        self.track_id = track_id
        self.seen = seen
        self.place = place
        self.good_place = place
        self.good_points = seen.landmarks.points_image
        self.good_secs = 0.0
        self.weak_since: float | None = None
        self.surprise = 0.0
        self.rush = 0.0
        self.dimmed = 0.0
        self.trouble = 0.0
        self.usual_confidence = float(seen.landmarks.confidence.mean())
        self.agreement = 1.0
        self.rechecked_secs = -math.inf
        self.looks = looks or Looks()
        self._filter = PointFilter(smoothing) if smoothing is not None else None

    @property
    def points_image(self) -> Float[np.ndarray, "points 3"]:
        """As the network gave them: where to look next must not lag."""
        return self.seen.landmarks.points_image

    @property
    def box(self) -> Box:
        return Box.around(self.points_image)

    def see(self, seen: Prediction, step_secs: float, now_secs: float, keep_score: float) -> None:
        """Take this frame's prediction."""
        expected = self.place.after(step_secs)
        self.rush = float(np.linalg.norm(self.place.velocity)) * step_secs / self.place.size
        self.place = self.place.moved_to(seen.landmarks.points_image, step_secs)
        self.surprise = float(np.linalg.norm(self.place.centre - expected)) / self.place.size
        self.seen = seen
        sure = float(seen.landmarks.confidence.mean())
        self.dimmed = max(self.usual_confidence - sure, 0.0)
        self.usual_confidence += (sure - self.usual_confidence) * min(step_secs / _USUAL_SECS, 1.0)
        faded = self.trouble * math.exp(-step_secs / _TROUBLE_FADES_SECS)
        self.trouble = max(self.surprise + self.dimmed, faded)
        if seen.score >= keep_score:
            self.weak_since = None
        elif self.weak_since is None:
            self.weak_since = now_secs

    def remember_place(self, now_secs: float) -> None:
        """Call at the end of a frame in which the face stayed: a good place outlives its loss."""
        if self.weak_since is None and self.dimmed <= _COVERED:
            self.good_place, self.good_secs = self.place, now_secs
            self.good_points = self.points_image

    def lost(self) -> LostFace:
        """What is remembered of it when it ends."""
        return LostFace(
            self.track_id, self.good_place, self.good_points, self.good_secs, self.looks
        )

    def face(self, mean_shape: Float[np.ndarray, "points 3"], step_secs: float) -> Face:
        """What the tracker hands out, smoothed."""
        landmarks = self.seen.landmarks
        if self._filter is not None:
            points = self._filter.update(
                landmarks.points_image, landmarks.confidence, self.place.size, step_secs
            )
            landmarks = Landmarks(points, landmarks.confidence)
        pose = pose_head(landmarks.points_image, mean_shape).pose
        return Face(self.track_id, self.seen.score * self.agreement, landmarks, pose)
