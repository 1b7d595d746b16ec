"""The head that ships with mien (ICT FaceKit light, MIT) as a mesh with ARKit's shapes."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Int

from mien.expression import SHAPES
from mien.expression.shapes import HEAD_COLUMNS
from mien.synthesis.head.morphable import load_head

__all__ = ["HeadMesh", "load_head_mesh"]

_STILL_M = 1e-4
"""A vertex that a shape moves by less does not move: a tenth of a millimetre."""
_EYES = 2
"""Patches of the head that are eyes; they come first, then the mouth."""


@dataclass(frozen=True)
class HeadMesh:
    """Metres, x to the picture's right, y up, facing +z; 0 at the mean of the 68 landmarks."""

    LICENCE: ClassVar[str] = "ICT FaceKit, MIT, (c) 2020 USC Institute for Creative Technologies"

    points_m: Float[np.ndarray, "vertices 3"]
    normals: Float[np.ndarray, "vertices 3"]
    shapes_m: Float[np.ndarray, "shapes vertices 3"]
    """What each of ``SHAPES`` adds at full strength."""
    triangles: dict[str, Int[np.ndarray, "triangles 3"]]
    """Of ``skin``, ``eyes`` and ``mouth``, wound counter-clockwise seen from outside."""
    landmarks68: Int[np.ndarray, " 68"]


@functools.cache
def load_head_mesh() -> HeadMesh:
    """The mean head."""
    head = load_head(identities=1)
    flip = np.array([1, -1, -1]) / 100
    points = (head.mean - head.mean[head.landmarks68].mean(axis=0)) * flip
    shapes = np.stack(
        [
            sum(head.expression[head.expression_index(part)] for part in HEAD_COLUMNS[name])
            for name in SHAPES
        ]
    )
    shapes = shapes * flip
    shapes[np.linalg.norm(shapes, axis=2) < _STILL_M] = 0
    eyes, mouth = head.patches[:_EYES], head.patches[_EYES:]
    is_eye = np.isin(head.triangles, eyes).any(axis=1)
    is_mouth = np.isin(head.triangles, mouth).any(axis=1)
    return HeadMesh(
        points_m=points,
        normals=_normals(points, head.triangles),
        shapes_m=shapes,
        triangles={
            "skin": head.triangles[~is_eye & ~is_mouth],
            "eyes": head.triangles[is_eye],
            "mouth": head.triangles[is_mouth],
        },
        landmarks68=head.landmarks68,
    )


def _normals(
    points: Float[np.ndarray, "vertices 3"], triangles: Int[np.ndarray, "triangles 3"]
) -> Float[np.ndarray, "vertices 3"]:
    corners = points[triangles]
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(points)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], faces)
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    unit: Float[np.ndarray, "vertices 3"] = normals / np.maximum(lengths, 1e-12)
    return unit
