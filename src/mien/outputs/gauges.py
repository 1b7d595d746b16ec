"""What a person watches on a face besides its points: how far eyes and mouth are open."""

from __future__ import annotations

from mien.geometry.openings import eye_openings, mouth_opening
from mien.markup import load_markup
from mien.types import Face

__all__ = ["FULL_SCALE", "face_gauges"]

FULL_SCALE = {"eye right": 0.4, "eye left": 0.4, "mouth": 0.6}
"""Openings that fill a bar; blendshapes fill theirs at 1."""


def face_gauges(face: Face) -> dict[str, float]:
    """Openings by name (:mod:`mien.geometry.openings`), then blendshapes where they were read.

    Left and right are the person's own.
    """
    points = face.landmarks.points_image
    points = points[list(load_markup(len(points)).ibug68)]
    right, left = eye_openings(points).tolist()
    openings = {"eye right": right, "eye left": left, "mouth": float(mouth_opening(points))}
    return openings | (face.expression.to_dict() if face.expression is not None else {})
