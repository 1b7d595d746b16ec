"""Who is seen: new faces are described, and living ones watched for being somebody else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from mien.geometry import pose_head
from mien.markup import load_markup
from mien.tracking.looks import LookReader, Signature
from mien.tracking.memory import FoundFace
from mien.tracking.region import Place
from mien.tracking.track import Track
from mien.types import Frame, Prediction

__all__ = ["found_face", "keep_looks", "less_alike", "replaced_faces"]

_SAME_GLANCE = 0.8
"""Likeness of a face's small picture to the last, below which its signature is read."""
_REPLACED_BELOW = 1.25
"""Likeness of the two and of the signature, added, below which somebody else is there."""
_KNOWN = 0.6
"""Likeness of the signature from which it is the same face, whatever the small picture shows: a
crop that was off and is put right."""
_MOST_DIMMED = 0.1
"""Of the points' mean confidence: a face that lost more is covered by something, which looks like
nobody. It is not judged."""
_MOST_RUSH = 0.12
"""Face sizes: a face that moved further in the frame before is not judged. Heads that race across
the picture are blurred and half out of their crops."""
_LEAST_CONFIDENCE = 0.6
"""Nor is one whose points are less sure than this in the mean."""
_BESIDE = 1.5
"""Nor one with another followed face so near, in face sizes: one passes before the other."""
_CLEARLY_LESS = 0.2
"""Likeness by which of two tracks on one face one is less like it, if that is to tell."""
_UNCOVERED = 0.85
"""Mean confidence of a face's points above which nothing covers it."""
_JUMP = 3.0
"""So many times more than lately must the small picture have changed: a head that turns fast is
unlike itself, too, but not all at once."""
_LEAST_CHANGE = 0.03
"""Change between two frames that counts as usual for any face."""
_FADE = 0.7
"""Share of the usual change that is left a frame later."""


def found_face(
    reader: LookReader | None, frame: Frame, seen: Prediction, tracks: Sequence[Track]
) -> FoundFace:
    """A face without a number; without a reader nobody knows how it looks, nor where its points
    are unsure: something is before it."""
    points = seen.landmarks.points_image
    place = Place.of(points)
    if reader is None:
        return FoundFace(place, None)
    is_clear = _confidence(seen) >= _LEAST_CONFIDENCE
    signature = _signature(reader, frame, points) if is_clear else None
    may_be_covered = _confidence(seen) < _UNCOVERED and any(
        _is_beside(place, track.place) for track in tracks
    )
    return FoundFace(place, signature, reader.glance(frame.image_rgb, points), may_be_covered)


def replaced_faces(reader: LookReader, frame: Frame, tracks: Sequence[Track]) -> list[Track]:
    """Living faces in whose place somebody else is seen since the last frame."""
    gone = []
    for track in tracks:
        points, looks = track.points_image, track.looks
        glance, last = reader.glance(frame.image_rgb, points), looks.glance
        if glance is not None and last is not None:
            alike = float(glance @ last)
            if (
                alike < _SAME_GLANCE
                and 1 - alike >= _JUMP * max(looks.usual_change, _LEAST_CHANGE)
                and _is_seen_at_rest(track)
                and not any(
                    other is not track and _is_beside(track.place, other.place) for other in tracks
                )
                and _is_other(looks.likeness(_signature(reader, frame, points)), alike)
            ):
                gone.append(track)
                continue
            looks.usual_change = max(1 - alike, _FADE * looks.usual_change)
        looks.glance = glance
    return gone


def _is_other(likeness: float | None, alike: float) -> bool:
    """By its signature against those kept, and its small picture against the last."""
    return likeness is not None and likeness < _KNOWN and likeness + alike < _REPLACED_BELOW


def _is_seen_at_rest(track: Track) -> bool:
    return _is_clear(track) and track.rush <= _MOST_RUSH


def _is_beside(one: Place, other: Place) -> bool:
    apart = float(np.linalg.norm(one.centre - other.centre))
    return apart < _BESIDE * max(one.size, other.size)


def _is_clear(track: Track) -> bool:
    return _confidence(track.seen) >= _LEAST_CONFIDENCE and track.dimmed <= _MOST_DIMMED


def _confidence(seen: Prediction) -> float:
    return float(seen.landmarks.confidence.mean())


def less_alike(reader: LookReader, frame: Frame, one: Track, other: Track) -> Track | None:
    """Of two tracks on one face that which knows another face; ``None`` where looks do not tell."""
    surer = max(one, other, key=lambda track: _confidence(track.seen))
    if not _is_clear(surer):
        return None
    signature = _signature(reader, frame, surer.points_image)
    its, others = one.looks.likeness(signature), other.looks.likeness(signature)
    if its is None or others is None or abs(its - others) < _CLEARLY_LESS:
        return None
    return one if its < others else other


def keep_looks(
    reader: LookReader, frame: Frame, tracks: Sequence[Track], now_secs: float, every_secs: float
) -> None:
    """Read the signatures of the faces that are seen well, now and then, if they look otherwise
    than when they were last read."""
    for track in tracks:
        looks = track.looks
        is_due = now_secs - looks.read_secs >= every_secs
        if is_due and track.weak_since is None and _is_clear(track) and not looks.is_as_read():
            looks.keep(_signature(reader, frame, track.points_image), now_secs)


def _signature(
    reader: LookReader, frame: Frame, points: Float[np.ndarray, "points 3"]
) -> Signature | None:
    numbers = reader.signature(frame.image_rgb, points)
    if numbers is None:
        return None
    mean_shape = load_markup(len(points)).mean_shape
    return Signature(numbers, pose_head(points, mean_shape).pose.yaw_deg)
