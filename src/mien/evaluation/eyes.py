"""How far lids are open: does a tracker see a blink, and not only an average eye?

The opening of an eye is the mean distance in the picture of its two pairs of lid points: 37-41 and
38-40 of the right eye, 43-47 and 44-46 of the left. The width of an eye is the distance of its true
corners (36-39, 42-45) *in space*: a turned head squeezes it in the picture, but not the opening,
and an error must not grow because its unit shrank. Errors are shares of that width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from mien.datasets.ours.shards import Eyes, TurnedFace
from mien.evaluation.metrics import mean_or_none
from mien.geometry.openings import eye_widths, lid_distances

__all__ = ["EyeScore", "eye_opening", "eye_opening_error", "eye_width", "score_eyes", "seen_eyes"]

_EYE_POINTS = (slice(36, 42), slice(42, 48))
_MOST_HIDDEN = 2
"""An eye with more of its six points hidden than this counts as not seen."""


def eye_opening(points: Float[np.ndarray, "68 dims"]) -> Float[np.ndarray, " 2"]:
    """Of the right and the left eye, in px of the picture."""
    return lid_distances(points[:, :2])


def eye_width(truth: Float[np.ndarray, "68 3"]) -> Float[np.ndarray, " 2"]:
    """Of the right and the left eye, in px, in space."""
    return eye_widths(truth)


def eye_opening_error(
    predicted: Float[np.ndarray, "68 dims"], truth: Float[np.ndarray, "68 3"]
) -> Float[np.ndarray, " 2"]:
    """|predicted - true opening| / true width, of the right and the left eye."""
    missed_px = np.abs(eye_opening(predicted) - eye_opening(truth))
    error: Float[np.ndarray, " 2"] = missed_px / eye_width(truth)
    return error


@dataclass(frozen=True)
class EyeScore:
    """The eyes of the faces whose eyes are of one kind."""

    eyes: Eyes
    n: int
    """Eyes of faces found, two a face."""
    error: float | None
    n_seen: int
    """Those that the head does not hide."""
    error_seen: float | None


def score_eyes(
    faces: Sequence[TurnedFace], points_image: Float[np.ndarray, "faces 68 3"]
) -> tuple[EyeScore, ...]:
    """Mean errors by what was done to the eyes; rows of NaN are faces that were not found."""
    scores = []
    for kind in Eyes:
        errors, seen = list[float](), list[bool]()
        for face, points in zip(faces, points_image, strict=True):
            if face.eyes is kind and np.isfinite(points).all():
                errors += eye_opening_error(points, face.photo.points_image).tolist()
                seen += seen_eyes(face.hidden)
        errors_seen = [error for error, is_seen in zip(errors, seen, strict=True) if is_seen]
        scores.append(
            EyeScore(
                kind, len(errors), mean_or_none(errors), len(errors_seen), mean_or_none(errors_seen)
            )
        )
    return tuple(scores)


def seen_eyes(hidden: Bool[np.ndarray, " 68"]) -> list[bool]:
    """Whether the right and the left eye have at most two of their six points hidden."""
    return [int(hidden[points].sum()) <= _MOST_HIDDEN for points in _EYE_POINTS]
