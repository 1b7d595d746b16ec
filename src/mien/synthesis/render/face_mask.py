"""Face masks as meshes on one head, in its frame and in centimetres.

A mask is stretched over the nose and chin of the head at hand: a cloth cannot follow hollows, so it
lies on the convex hull of the lower face.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.spatial import ConvexHull

from mien.synthesis.head.morphable import MorphableHead
from mien.synthesis.render.worn_mesh import WornMesh, along_the_side, grid, joined, tube

__all__ = ["FaceMask", "draw_mask", "mask_mesh"]

_CLOTHS_BGR = (
    (222, 205, 165),
    (222, 205, 165),
    (236, 234, 232),
    (236, 234, 232),
    (40, 38, 38),
    (120, 80, 45),
    (190, 170, 225),
    (95, 110, 60),
    (60, 50, 140),
)
_TOP_CM = (-2.4, -0.9)
"""Least and greatest height of the upper rim: from below the eyes to the tip of the nose."""
_PLEATED = 0.6
"""Share of surgical masks, which have pleats."""

# Places on the mean head, cm.
_NOSE_CM, _CHIN_CM = np.array([0, -1.6, -12.3]), np.array([0, 7.9, -9.7])
_EAR_LOOP_CM = np.array([6.9, -0.3, -1.0])
"""Where a mask's loops meet the ear."""
_AXIS_Z_CM = -2.0
"""Depth of the upright axis that a mask is wrapped about."""
_UNDER_CM, _UNDER_SLOPE = -2.6, 0.3
"""The hull holds skin below this height at the nose, and so much lower a cm to the side: the lower
lids stay free."""

# The outline.
_REACH = np.radians(62)
"""How far round the axis a mask reaches to each side: to before the ears."""
_ROWS, _COLUMNS = 26, 29
_TOP_SIDE_CM, _TOP_CURVE = 1.6, 0.75
"""Height of the upper rim at a mask's sides, and the power of the way there."""
_CHIN_UNDER_CM, _SIDE_RISE_CM, _BOTTOM_CURVE = 0.5, 3.8, 1.6
"""How far a mask reaches below the chin, how much higher its lower rim is at the sides, and the
power of the way there."""
_LEAST_ALONG = 1e-3
"""Cosine below which a plane of the hull runs along a ray and does not end it."""
_LEAST_RADIUS_CM, _OFF_SKIN_CM = 3.0, 0.22
"""A mask is never nearer its axis; and how far it stands off the hull."""
_THROAT_FROM, _THROAT_OVER, _THROAT_CM = 0.85, 0.15, 0.8
"""Share of the way down from which the lower rim draws in to the throat, over which, how far."""

# The look: places are shares of the way down, or to the side.
_PLEATS, _PLEAT_DARK, _PLEAT_WIDTH, _PLEATS_END = (0.36, 0.5, 0.64), 0.16, 0.025, 0.93
"""Places of pleats, how dark they are, how wide, and where they end at the sides."""
_SEAM, _SEAM_DARK = 0.05, 0.1
"""Share of a mask's height and width that is seam, and how dark it is."""
_LOOP_ROWS = ((1, -0.9), (-2, 1.1))
"""The row each loop begins at, and how far below the ear's middle it ends, cm."""
_LOOP_OFF_CM, _LOOP_HALF_CM, _LOOP_TALL_CM = 0.08, 0.04, 0.06
"""Of a loop: off the skin, half its thickness, half its height."""
_LOOP_TONE, _LOOP_LIGHT = 0.9, 20
"""Loops are paler than the cloth: its colour times the first, plus the second."""


@dataclass(frozen=True)
class FaceMask:
    """One mask of surgical kind (with pleats) or of cloth."""

    bgr: tuple[int, int, int]
    top_cm: float
    """Height of its upper rim on the nose of the mean head."""
    pleats: bool


def draw_mask(rng: np.random.Generator) -> FaceMask:
    """Any mask."""
    bgr = np.clip(rng.choice(_CLOTHS_BGR) + rng.normal(0, 8, 3), 5, 250)
    return FaceMask(
        bgr=(int(bgr[0]), int(bgr[1]), int(bgr[2])),
        top_cm=float(rng.uniform(*_TOP_CM)),
        pleats=bool(rng.random() < _PLEATED),
    )


def mask_mesh(
    mask: FaceMask, head: MorphableHead, vertices: Float[np.ndarray, "vertices 3"]
) -> WornMesh:
    """A mask on the head whose bald vertices are given, cm."""
    places, down, aside = _cloth(mask, head, vertices)
    tone = np.ones(places.shape[:2])
    if mask.pleats:
        for pleat in _PLEATS:
            fold = np.exp(-(((down - pleat) / _PLEAT_WIDTH) ** 2))
            tone -= _PLEAT_DARK * fold * (aside < _PLEATS_END)
    tone -= _SEAM_DARK * ((down < _SEAM) | (down > 1 - _SEAM) | (aside > 1 - _SEAM))
    cloth = np.array(mask.bgr) * tone[..., None]
    flat = WornMesh(
        places.reshape(-1, 3),
        grid(_ROWS, _COLUMNS, closed=False),
        cloth.reshape(-1, 3),
        np.ones(tone.size, np.float32),
    )
    parts, loop_bgr = [flat], _LOOP_TONE * np.array(mask.bgr) + _LOOP_LIGHT
    for column, side in ((0, -1), (-1, 1)):
        for row, rise in _LOOP_ROWS:
            ear = _EAR_LOOP_CM * [side, 1, 1] + [0, rise, 0]
            path = along_the_side(vertices, places[row, column], ear, _LOOP_OFF_CM)
            parts.append(tube(path, np.array([0, 1.0, 0]), _LOOP_HALF_CM, _LOOP_TALL_CM, loop_bgr))
    return joined(parts)


def _cloth(
    mask: FaceMask, head: MorphableHead, vertices: Float[np.ndarray, "vertices 3"]
) -> tuple[
    Float[np.ndarray, "rows columns 3"], Float[np.ndarray, "rows 1"], Float[np.ndarray, " columns"]
]:
    """Places of the cloth in cm; how far down each row is and how far aside each column, 0 to 1."""
    mean, face = head.mean[: head.face_vertices], vertices[: head.face_vertices]
    nose, chin = (np.linalg.norm(mean - place, axis=1).argmin() for place in (_NOSE_CM, _CHIN_CM))
    stretch = (face[chin, 1] - face[nose, 1]) / (mean[chin, 1] - mean[nose, 1])

    def height(mean_y: np.ndarray) -> np.ndarray:
        return np.asarray(face[nose, 1] + stretch * (mean_y - mean[nose, 1]))

    under = mean[:, 1] > _UNDER_CM + _UNDER_SLOPE * np.abs(mean[:, 0])
    hull = ConvexHull(face[under & (mean[:, 2] < _AXIS_Z_CM)][::3])
    azimuth = np.linspace(-_REACH, _REACH, _COLUMNS)
    aside = np.abs(azimuth) / _REACH
    top = height(mask.top_cm + (_TOP_SIDE_CM - mask.top_cm) * aside**_TOP_CURVE)
    bottom = height(mean[chin, 1] + _CHIN_UNDER_CM - _SIDE_RISE_CM * aside**_BOTTOM_CURVE)
    down = np.linspace(0, 1, _ROWS)[:, None]
    y = top + down * (bottom - top)
    ray = np.stack([np.sin(azimuth), np.zeros(_COLUMNS), -np.cos(azimuth)], axis=-1)
    start = np.stack([np.zeros_like(y), y, np.full_like(y, _AXIS_Z_CM)], axis=-1)
    normal, offset = hull.equations[:, :3], hull.equations[:, 3]
    along = ray @ normal.T
    reach = -(start @ normal.T + offset) / np.where(along > _LEAST_ALONG, along, np.nan)
    radius = np.nanmin(reach, axis=-1).clip(_LEAST_RADIUS_CM) + _OFF_SKIN_CM
    radius -= _THROAT_CM * np.clip((down - _THROAT_FROM) / _THROAT_OVER, 0, 1) ** 2
    return start + radius[..., None] * ray, down, aside
