"""What a person watches on a face besides its points: how far eyes and mouth are open."""

from __future__ import annotations

from mien.geometry.openings import eye_openings, mouth_opening
from mien.markup import load_markup
from mien.types import Face

__all__ = ["FULL_SCALE", "face_gauges"]

FULL_SCALE = {"eye right": 0.4, "eye left": 0.4, "mouth": 0.6}
"""Openings that fill a bar; blendshapes fill theirs at 1."""
_FIRST = (
    *("jawOpen", "mouthSmileLeft", "mouthSmileRight", "mouthPucker", "browInnerUp"),
    *("eyeBlinkRight", "eyeBlinkLeft", "browDownRight", "browDownLeft"),
)
"""Shapes to show where there is not room for all."""


def face_gauges(face: Face) -> dict[str, float]:
    """Openings by name (:mod:`mien.geometry.openings`), then blendshapes where they were read.

    Shapes that people look for stand first.

    Left and right are the person's own.
    """
    points = face.landmarks.points_image
    points = points[list(load_markup(len(points)).ibug68)]
    right, left = eye_openings(points).tolist()
    openings = {"eye right": right, "eye left": left, "mouth": float(mouth_opening(points))}
    if face.expression is None:
        return openings
    read = face.expression.to_dict()
    return openings | {name: read[name] for name in _FIRST if name in read} | read
