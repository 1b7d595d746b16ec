"""Faces that pass behind another followed face, handed out where their motion leads.

Such a face is lost, as any other that cannot be seen: the tracker forgets nothing of it and looks
for it as before. But as it is known where it is, it is not left out of what is handed out: while
another followed face stands there, it goes on, unseen, from where it was last seen well. Its score
and the confidence of its points are 0, which nothing that was seen has.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from mien.geometry import pose_head
from mien.tracking.association import same_face
from mien.tracking.memory import LostFace
from mien.tracking.region import Place, is_readable
from mien.tracking.settings import TrackerSettings
from mien.tracking.track import Track
from mien.types import Face, Frame, Landmarks, Prediction

__all__ = ["held_faces"]

_BEHIND = 1.2
"""Face sizes between the middles of two faces from which neither hides the other."""
_LARGER = 1.7
"""So many times larger than the one before it a hidden face is at most."""
_FADES_SECS = 1.0
"""In so long the motion with which a face went behind another falls to a third."""


def held_faces(
    lost: Sequence[LostFace],
    tracks: Sequence[Track],
    frame: Frame,
    now_secs: float,
    settings: TrackerSettings,
    mean_shape: Float[np.ndarray, "points 3"],
) -> list[Face]:
    """Those of the lost faces that another followed face may hide, as many as there is room for;
    the last seen first."""
    told: list[Face] = []
    for face in sorted(lost, key=lambda face: -face.seen_secs):
        age_secs = now_secs - face.seen_secs
        if not face.same_shot or age_secs > settings.held_secs:
            continue
        moved = face.place.velocity * _FADES_SECS * (1 - math.exp(-age_secs / _FADES_SECS))
        points = face.points_image.copy()
        points[:, :2] += moved
        there = Prediction(Landmarks(points, np.zeros(len(points))), 0.0)
        is_hidden = any(_is_behind(Place.of(points), track.place) for track in tracks)
        is_taken = any(same_face(points, track.points_image) for track in tracks)
        if is_hidden and not is_taken and is_readable(there, frame):
            pose = pose_head(points, mean_shape).pose
            told.append(Face(face.track_id, there.score, there.landmarks, pose))
    return told[: max(settings.max_faces - len(tracks), 0)]


def _is_behind(one: Place, other: Place) -> bool:
    """Whether the other, if it is not far smaller, may hide the one."""
    apart = float(np.linalg.norm(one.centre - other.centre))
    return apart < _BEHIND * max(one.size, other.size) and one.size <= _LARGER * other.size
