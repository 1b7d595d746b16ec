"""Glasses and face masks as meshes on one head, in its frame and in centimetres.

They are built on the vertices of the head at hand: lenses stand before its brows and cheeks, bars
run along its temples to the ears, a mask is stretched over its nose and chin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import ConvexHull

from mien.synthesis.head.morphable import MorphableHead

__all__ = ["FaceMask", "Glasses", "WornMesh", "build_worn", "draw_glasses", "draw_mask"]

_Values = Float[np.ndarray, "*n"] | np.float64

_BRIDGE_CM = 1.8
"""Between the lenses."""
_EAR_TOP_CM = np.array([7.5, -3.0, 0.6])
"""Where a bar ends behind the ear of the mean head; the mirrored place is the other ear's."""
_EAR_LOOP_CM = np.array([6.9, -0.3, -1.0])
"""Where a mask's loops meet the ear."""
_NOSE_CM, _CHIN_CM = np.array([0, -1.6, -12.3]), np.array([0, 7.9, -9.7])
_MASK_AXIS_Z_CM = -2.0
_MASK_REACH = np.radians(62)
_ROWS, _COLUMNS = 26, 29
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
_RIMS_BGR = (
    (25, 25, 28),
    (25, 25, 28),
    (40, 60, 95),
    (130, 150, 165),
    (110, 175, 200),
    (90, 40, 30),
)
_DARK_LENSES_BGR = ((22, 20, 20), (28, 34, 42), (48, 36, 26), (35, 50, 38))


@dataclass(frozen=True)
class Glasses:
    """One pair; lengths in cm."""

    half_width: float
    half_height: float
    corner: float
    """Exponent of the lens outline: 2 is an ellipse, 5 nearly a rectangle."""
    rim: float
    rim_bgr: tuple[int, int, int]
    lens_bgr: tuple[int, int, int]
    lens_cover: float
    """0 is clear glass, 1 hides the eye."""
    shine: float
    """How strongly the upper part of the lenses mirrors a bright sky, 0 to 1."""
    wrap: float
    """How the front bends round the face: curvature in 1/cm."""


@dataclass(frozen=True)
class FaceMask:
    """One mask of surgical kind (with pleats) or of cloth."""

    bgr: tuple[int, int, int]
    top_cm: float
    """Height of its upper rim on the nose of the mean head."""
    pleats: bool


@dataclass(frozen=True)
class WornMesh:
    """Triangles to be seen from both sides."""

    vertices_cm: Float[np.ndarray, "vertices 3"]
    triangles: Int[np.ndarray, "triangles 3"]
    bgr: Float[np.ndarray, "vertices 3"]
    cover: Float[np.ndarray, " vertices"]
    """1 hides what lies behind; lenses let some of it through."""


def draw_glasses(rng: np.random.Generator) -> Glasses:
    """Any pair: half of them clear, the others dark or tinted."""
    dark = bool(rng.random() < 0.5)
    tone = rng.choice(_DARK_LENSES_BGR) if dark else np.array([200, 190, 180])
    rim = rng.choice(_RIMS_BGR)
    return Glasses(
        half_width=float(rng.uniform(2.35, 2.9)),
        half_height=float(rng.uniform(1.9, 2.4) if dark else rng.uniform(1.45, 2.2)),
        corner=float(rng.uniform(2, 4.5)),
        rim=float(rng.choice([0.07, 0.12, 0.2, 0.28])),
        rim_bgr=(int(rim[0]), int(rim[1]), int(rim[2])),
        lens_bgr=(int(tone[0]), int(tone[1]), int(tone[2])),
        lens_cover=float(rng.uniform(0.75, 0.97) if dark else rng.uniform(0.02, 0.14)),
        shine=float(rng.uniform(0, 0.5) if rng.random() < 0.6 else 0),
        wrap=float(rng.uniform(0.02, 0.07) if dark else rng.uniform(0.01, 0.03)),
    )


def draw_mask(rng: np.random.Generator) -> FaceMask:
    """Any mask."""
    bgr = np.clip(rng.choice(_CLOTHS_BGR) + rng.normal(0, 8, 3), 5, 250)
    return FaceMask(
        bgr=(int(bgr[0]), int(bgr[1]), int(bgr[2])),
        top_cm=float(rng.uniform(-2.4, -0.9)),
        pleats=bool(rng.random() < 0.6),
    )


def build_worn(
    thing: Glasses | FaceMask, head: MorphableHead, vertices_cm: Float[np.ndarray, "vertices 3"]
) -> WornMesh:
    """A thing on the head whose bald vertices are given."""
    if isinstance(thing, Glasses):
        return _glasses(thing, head, vertices_cm)
    return _mask(thing, head, vertices_cm)


def _glasses(
    glasses: Glasses, head: MorphableHead, vertices: Float[np.ndarray, "vertices 3"]
) -> WornMesh:
    eye_y = float(vertices[head.patches[:2], 1].mean())
    half_width, half_height = glasses.half_width, glasses.half_height
    centre_x, centre_y = half_width + _BRIDGE_CM / 2, eye_y + 0.15 * half_height

    def bend(x: _Values, y: _Values) -> Float[np.ndarray, "*n"]:
        return np.asarray(0.5 * glasses.wrap * x**2 + 0.08 * (y - centre_y))

    x, y, z = vertices[: head.face_vertices].T
    behind = ((np.abs(x) - centre_x) / half_width) ** 2 + ((y - centre_y) / half_height) ** 2 < 0.8
    front = float((z - bend(x, y))[behind & (z < 0)].min()) - 0.08
    turn = np.linspace(0, 2 * np.pi, 33)[:-1]
    power = 2 / glasses.corner
    u = half_width * np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** power
    v = half_height * np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** power
    # Narrower below than above, towards the nose.
    u *= 1 - 0.08 * v / half_height
    rim, rim_bgr = glasses.rim, np.array(glasses.rim_bgr, np.float32)
    parts = list[WornMesh]()
    for side in (-1, 1):
        outline_x, outline_y = side * centre_x + u, centre_y + v
        outline = np.stack([outline_x, outline_y, front + bend(outline_x, outline_y)], axis=-1)
        parts.append(_lens(glasses, outline, v / half_height))
        parts.append(_tube(outline, np.array([0, 0, 1.0]), rim / 2, 0.14, rim_bgr, closed=True))
        hinge = np.array([side * (centre_x + half_width), centre_y - 0.45 * half_height, 0])
        hinge[2] = front + bend(hinge[0], hinge[1])
        ear = _EAR_TOP_CM * [side, 1, 1]
        bar = _along_the_side(vertices, hinge, ear, 0.12)
        parts.append(_tube(bar, np.array([0, 1.0, 0]), 0.07, max(rim, 0.1), rim_bgr))
    x = np.linspace(-_BRIDGE_CM / 2, _BRIDGE_CM / 2, 9)
    y = np.full_like(x, centre_y - 0.35 * half_height)
    nose = vertices[: head.face_vertices]
    near = (np.abs(nose[:, 0]) < 0.6) & (np.abs(nose[:, 1] - y[0]) < 0.6)
    reach = float(nose[near, 2].min()) - 0.15 if near.any() else front
    arch = 1 - (2 * x / _BRIDGE_CM) ** 2
    bridge = np.stack([x, y - 0.25 * arch, front - max(front - reach, 0) * np.sqrt(arch)], -1)
    parts.append(_tube(bridge, np.array([0, 0, 1.0]), max(rim / 2, 0.07), 0.1, rim_bgr))
    return _joined(parts)


def _lens(
    glasses: Glasses,
    outline: Float[np.ndarray, "rim 3"],
    height: Float[np.ndarray, " rim"],
) -> WornMesh:
    """Rings from the middle to the rim, lighter where they mirror the sky."""
    middle, shares = outline.mean(axis=0), np.array([0.02, 0.35, 0.7, 1.0])
    rings = (middle + shares[:, None, None] * (outline - middle)).reshape(-1, 3)
    down = (shares[:, None] * height).ravel()
    tilt = (shares[:, None] * (outline[:, 0] - middle[0]) / glasses.half_width).ravel()
    sky = glasses.shine * np.clip(0.9 - 2.2 * np.abs(down + 0.45 + 0.25 * tilt), 0, 1)
    bgr = np.array(glasses.lens_bgr) * (1.15 + 0.35 * down[:, None])
    bgr = bgr * (1 - sky[:, None]) + np.array([250, 240, 228]) * sky[:, None]
    # Tinted glass lets more through below.
    cover = glasses.lens_cover * (1 - 0.12 * np.clip(down + 0.5, 0, 1))
    cover = cover + (1 - cover) * sky
    triangles = _grid(len(shares), len(outline), closed=True)
    return WornMesh(rings, triangles, bgr, cover.astype(np.float32))


def _mask(
    mask: FaceMask, head: MorphableHead, vertices: Float[np.ndarray, "vertices 3"]
) -> WornMesh:
    mean, face = head.mean[: head.face_vertices], vertices[: head.face_vertices]
    nose, chin = (np.linalg.norm(mean - place, axis=1).argmin() for place in (_NOSE_CM, _CHIN_CM))
    stretch = (face[chin, 1] - face[nose, 1]) / (mean[chin, 1] - mean[nose, 1])

    def height(mean_y: np.ndarray) -> np.ndarray:
        return np.asarray(face[nose, 1] + stretch * (mean_y - mean[nose, 1]))

    under = (mean[:, 1] > -2.6 + 0.3 * np.abs(mean[:, 0])) & (mean[:, 2] < _MASK_AXIS_Z_CM)
    hull = ConvexHull(face[under][::3])
    azimuth = np.linspace(-_MASK_REACH, _MASK_REACH, _COLUMNS)
    aside = np.abs(azimuth) / _MASK_REACH
    top = height(mask.top_cm + (1.6 - mask.top_cm) * aside**0.75)
    bottom = height(mean[chin, 1] + 0.5 - 3.8 * aside**1.6)
    down = np.linspace(0, 1, _ROWS)[:, None]
    y = top + down * (bottom - top)
    ray = np.stack([np.sin(azimuth), np.zeros(_COLUMNS), -np.cos(azimuth)], axis=-1)
    start = np.stack([np.zeros_like(y), y, np.full_like(y, _MASK_AXIS_Z_CM)], axis=-1)
    normal, offset = hull.equations[:, :3], hull.equations[:, 3]
    along = ray @ normal.T
    reach = -(start @ normal.T + offset) / np.where(along > 1e-3, along, np.nan)
    radius = np.nanmin(reach, axis=-1).clip(3.0) + 0.22
    # The lower rim lies against the throat.
    radius -= 0.8 * np.clip((down - 0.85) / 0.15, 0, 1) ** 2
    places = start + radius[..., None] * ray
    tone = np.ones_like(y)
    if mask.pleats:
        for pleat in (0.36, 0.5, 0.64):
            tone -= 0.16 * np.exp(-(((down - pleat) / 0.025) ** 2)) * (aside < 0.93)
    tone -= 0.1 * ((down < 0.05) | (down > 0.95) | (aside > 0.95))
    cloth = np.array(mask.bgr) * tone[..., None]
    flat = WornMesh(
        places.reshape(-1, 3),
        _grid(_ROWS, _COLUMNS, closed=False),
        cloth.reshape(-1, 3),
        np.ones(y.size, np.float32),
    )
    parts = [flat]
    for column, side in ((0, -1), (-1, 1)):
        for row, rise in ((1, -0.9), (-2, 1.1)):
            ear = _EAR_LOOP_CM * [side, 1, 1] + [0, rise, 0]
            path = _along_the_side(vertices, places[row, column], ear, 0.08)
            parts.append(
                _tube(path, np.array([0, 1.0, 0]), 0.04, 0.06, 0.9 * np.array(mask.bgr) + 20)
            )
    return _joined(parts)


def _along_the_side(
    vertices: Float[np.ndarray, "vertices 3"],
    start: Float[np.ndarray, " 3"],
    end: Float[np.ndarray, " 3"],
    off_cm: float,
) -> Float[np.ndarray, "steps 3"]:
    """A line over the skin of one side of the head, ``off_cm`` off it, to the ear."""
    path = start + np.linspace(0, 1, 12)[:, None] * (end - start)
    side = np.sign(end[0])
    for place in path[1:]:
        near = np.abs(vertices[:, 1:] - place[1:]).max(axis=1) < 0.5
        # The ear itself flares out further behind.
        if near.any() and place[2] < -1.5:
            skin = float((side * vertices[near, 0]).max()) + off_cm
            place[0] = side * max(side * place[0], skin)
    return np.asarray(path)


def _tube(
    path: Float[np.ndarray, "steps 3"],
    upright: Float[np.ndarray, " 3"],
    half_across: float,
    half_up: float,
    bgr: Float[np.ndarray, " 3"],
    closed: bool = False,
) -> WornMesh:
    """A beam of rectangular section along a path."""
    ahead = np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0)
    if not closed:
        ahead[0], ahead[-1] = path[1] - path[0], path[-1] - path[-2]
    across = np.cross(ahead, upright)
    across *= half_across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-6)
    up = half_up * upright
    corners = [path + a * across + b * up for a, b in ((1, 1), (1, -1), (-1, -1), (-1, 1), (1, 1))]
    steps = np.stack(corners, axis=1)
    if closed:
        steps = np.concatenate([steps, steps[:1]])
    count = steps.shape[0] * steps.shape[1]
    return WornMesh(
        steps.reshape(-1, 3),
        _grid(steps.shape[0], steps.shape[1], closed=False),
        np.tile(np.asarray(bgr, np.float64), (count, 1)),
        np.ones(count, np.float32),
    )


def _grid(rows: int, columns: int, closed: bool) -> Int[np.ndarray, "triangles 3"]:
    """Triangles of a grid of vertices; ``closed`` joins its last column to the first."""
    number = np.arange(rows * columns).reshape(rows, columns)
    if closed:
        number = np.concatenate([number, number[:, :1]], axis=1)
    a, b = number[:-1, :-1].ravel(), number[:-1, 1:].ravel()
    c, d = number[1:, :-1].ravel(), number[1:, 1:].ravel()
    return np.concatenate([np.stack([a, b, c], axis=-1), np.stack([b, d, c], axis=-1)])


def _joined(parts: list[WornMesh]) -> WornMesh:
    first = np.cumsum([0, *(len(part.vertices_cm) for part in parts)])
    return WornMesh(
        np.concatenate([part.vertices_cm for part in parts]).astype(np.float32),
        np.concatenate([part.triangles + n for part, n in zip(parts, first[:-1], strict=True)]),
        np.clip(np.concatenate([part.bgr for part in parts]), 0, 255).astype(np.float32),
        np.concatenate([part.cover for part in parts]),
    )
