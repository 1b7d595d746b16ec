"""Glasses as meshes on one head, in its frame and in centimetres.

Lenses stand before the brows and cheeks of the head at hand, bars run along its temples to the
ears. Sizes are those opticians name: see each number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from mien.synthesis.head.morphable import MorphableHead
from mien.synthesis.render.worn_mesh import WornMesh, along_the_side, grid, joined, tube

__all__ = ["Glasses", "draw_glasses", "glasses_mesh"]

_Values = Float[np.ndarray, "*n"] | np.float64

# What is drawn at random, least and most.
_HALF_WIDTH_CM = (2.35, 2.9)
"""Half a lens: those of grown-ups are 46 to 58 mm wide."""
_HALF_HEIGHT_CM, _DARK_HALF_HEIGHT_CM = (1.45, 2.2), (1.9, 2.4)
"""Half a lens: reading glasses are 29 to 44 mm high, sunglasses 38 to 48 mm."""
_CORNER = (2.0, 4.5)
_RIMS_CM = (0.07, 0.12, 0.2, 0.28)
"""Wire, metal, plastic, thick plastic."""
_CLEAR_COVER, _DARK_COVER = (0.02, 0.14), (0.75, 0.97)
"""Clear glass returns 2 to 14 % of the light; dark glass lets 3 to 25 % through, as sunglasses of
filter categories 2 to 4 do."""
_SHINING, _SHINE_MOST = 0.6, 0.5
"""Share of pairs that mirror a sky, and how strongly the strongest does."""
_CLEAR_WRAP, _DARK_WRAP = (0.01, 0.03), (0.02, 0.07)
"""Curvature of the front, 1/cm: nearly flat; sunglasses reach round the face."""

_RIMS_BGR = (
    (25, 25, 28),
    (25, 25, 28),
    (40, 60, 95),
    (130, 150, 165),
    (110, 175, 200),
    (90, 40, 30),
)
_DARK_LENSES_BGR = ((22, 20, 20), (28, 34, 42), (48, 36, 26), (35, 50, 38))

# How the front stands before the face; shares of a lens's half height where not in cm.
_BRIDGE_CM = 1.8
"""Between the lenses: bridges are 14 to 24 mm."""
_BELOW_PUPIL = 0.15
"""The middle of a lens lies below the pupil: opticians fit 2 to 4 mm."""
_LEAN = 0.08
"""Tangent of the tilt by which the lower rims come nearer the cheeks: 5 degrees, as is fitted."""
_OVER_SKIN = 0.8
"""Square of the share of a lens's radius within which brows and cheeks must lie behind it."""
_SKIN_GAP_CM = 0.08
"""Between the lens and the foremost skin behind it: lashes must pass."""
_NARROWER_BELOW = 0.08
"""How much narrower a lens is at its lower rim than at its middle."""
_RIM_DEPTH_CM = 0.14
"""Half of a rim's extent from front to back."""

# Bars and bridge.
_EAR_TOP_CM = np.array([7.5, -3.0, 0.6])
"""Where a bar ends behind the ear of the mean head; the mirrored place is the other ear's."""
_HINGE_UP = 0.45
"""How far above the lens's middle the bars begin."""
_BAR_GAP_CM, _BAR_HALF_CM, _BAR_LEAST_CM = 0.12, 0.07, 0.1
"""Of a bar: off the skin, half its thickness, and the least half of its height."""
_BRIDGE_UP, _BRIDGE_ARCH_CM = 0.35, 0.25
"""How far above the middle the bridge lies, and how far its own middle rises above its ends."""
_NOSE_NEAR_CM, _NOSE_GAP_CM = 0.6, 0.15
"""Skin of the nose so near the bridge keeps it so far off."""
_BRIDGE_HALF_CM, _BRIDGE_DEPTH_CM = 0.07, 0.1
"""Least half thickness of the bridge, and half its depth."""

# The look of a lens: heights are shares of the half height, -1 above, 1 below.
_RINGS = np.array([0.02, 0.35, 0.7, 1.0])
"""Shares of a lens's radius at which its colour is computed."""
_SKY_BGR = np.array([250, 240, 228])
_SKY_PEAK, _SKY_FALL = 0.9, 2.2
"""Strength of the mirrored sky in the middle of its band, and how fast it falls off."""
_SKY_UP, _SKY_SLANT = 0.45, 0.25
"""Where that band lies, and how it slants to the side."""
_TONE_MIDDLE, _TONE_BELOW = 1.15, 0.35
"""Brightness of the glass at its middle, and what it gains to the lower rim."""
_COVER_BELOW = 0.12
"""How much less the lower part of a lens hides than its upper part."""


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


def draw_glasses(rng: np.random.Generator) -> Glasses:
    """Any pair: half of them clear, the others dark or tinted."""
    dark = bool(rng.random() < 0.5)
    tone = rng.choice(_DARK_LENSES_BGR) if dark else np.array([200, 190, 180])
    rim = rng.choice(_RIMS_BGR)
    return Glasses(
        half_width=float(rng.uniform(*_HALF_WIDTH_CM)),
        half_height=float(rng.uniform(*(_DARK_HALF_HEIGHT_CM if dark else _HALF_HEIGHT_CM))),
        corner=float(rng.uniform(*_CORNER)),
        rim=float(rng.choice(_RIMS_CM)),
        rim_bgr=(int(rim[0]), int(rim[1]), int(rim[2])),
        lens_bgr=(int(tone[0]), int(tone[1]), int(tone[2])),
        lens_cover=float(rng.uniform(*(_DARK_COVER if dark else _CLEAR_COVER))),
        shine=float(rng.uniform(0, _SHINE_MOST) if rng.random() < _SHINING else 0),
        wrap=float(rng.uniform(*(_DARK_WRAP if dark else _CLEAR_WRAP))),
    )


def glasses_mesh(
    glasses: Glasses, head: MorphableHead, vertices: Float[np.ndarray, "vertices 3"]
) -> WornMesh:
    """A pair on the head whose bald vertices are given, cm."""
    eye_y = float(vertices[head.patches[:2], 1].mean())
    half_width, half_height = glasses.half_width, glasses.half_height
    centre_x, centre_y = half_width + _BRIDGE_CM / 2, eye_y + _BELOW_PUPIL * half_height

    def bend(x: _Values, y: _Values) -> Float[np.ndarray, "*n"]:
        return np.asarray(0.5 * glasses.wrap * x**2 + _LEAN * (y - centre_y))

    x, y, z = vertices[: head.face_vertices].T
    away = ((np.abs(x) - centre_x) / half_width) ** 2 + ((y - centre_y) / half_height) ** 2
    front = float((z - bend(x, y))[(away < _OVER_SKIN) & (z < 0)].min()) - _SKIN_GAP_CM
    turn = np.linspace(0, 2 * np.pi, 33)[:-1]
    power = 2 / glasses.corner
    u = half_width * np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** power
    v = half_height * np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** power
    # Towards the nose.
    u *= 1 - _NARROWER_BELOW * v / half_height
    rim, rim_bgr = glasses.rim, np.array(glasses.rim_bgr, np.float32)
    parts = list[WornMesh]()
    for side in (-1, 1):
        outline_x, outline_y = side * centre_x + u, centre_y + v
        outline = np.stack([outline_x, outline_y, front + bend(outline_x, outline_y)], axis=-1)
        parts.append(_lens(glasses, outline, v / half_height))
        ahead = np.array([0, 0, 1.0])
        parts.append(tube(outline, ahead, rim / 2, _RIM_DEPTH_CM, rim_bgr, closed=True))
        hinge = np.array([side * (centre_x + half_width), centre_y - _HINGE_UP * half_height, 0])
        hinge[2] = front + bend(hinge[0], hinge[1])
        bar = along_the_side(vertices, hinge, _EAR_TOP_CM * [side, 1, 1], _BAR_GAP_CM)
        tall = max(rim, _BAR_LEAST_CM)
        parts.append(tube(bar, np.array([0, 1.0, 0]), _BAR_HALF_CM, tall, rim_bgr))
    parts.append(
        _bridge(
            vertices[: head.face_vertices], front, centre_y - _BRIDGE_UP * half_height, rim, rim_bgr
        )
    )
    return joined(parts)


def _bridge(
    face: Float[np.ndarray, "vertices 3"],
    front: float,
    height: float,
    rim: float,
    rim_bgr: Float[np.ndarray, " 3"],
) -> WornMesh:
    """An arch over the nose between the lenses; all lengths in cm."""
    x = np.linspace(-_BRIDGE_CM / 2, _BRIDGE_CM / 2, 9)
    y = np.full_like(x, height)
    near = (np.abs(face[:, 0]) < _NOSE_NEAR_CM) & (np.abs(face[:, 1] - y[0]) < _NOSE_NEAR_CM)
    reach = float(face[near, 2].min()) - _NOSE_GAP_CM if near.any() else front
    arch = 1 - (2 * x / _BRIDGE_CM) ** 2
    path = np.stack(
        [x, y - _BRIDGE_ARCH_CM * arch, front - max(front - reach, 0) * np.sqrt(arch)], -1
    )
    half = max(rim / 2, _BRIDGE_HALF_CM)
    return tube(path, np.array([0, 0, 1.0]), half, _BRIDGE_DEPTH_CM, rim_bgr)


def _lens(
    glasses: Glasses,
    outline: Float[np.ndarray, "rim 3"],
    height: Float[np.ndarray, " rim"],
) -> WornMesh:
    """Rings from the middle to the rim, lighter where they mirror the sky."""
    middle = outline.mean(axis=0)
    rings = (middle + _RINGS[:, None, None] * (outline - middle)).reshape(-1, 3)
    down = (_RINGS[:, None] * height).ravel()
    tilt = (_RINGS[:, None] * (outline[:, 0] - middle[0]) / glasses.half_width).ravel()
    off = np.abs(down + _SKY_UP + _SKY_SLANT * tilt)
    sky = glasses.shine * np.clip(_SKY_PEAK - _SKY_FALL * off, 0, 1)
    bgr = np.array(glasses.lens_bgr) * (_TONE_MIDDLE + _TONE_BELOW * down[:, None])
    bgr = bgr * (1 - sky[:, None]) + _SKY_BGR * sky[:, None]
    cover = glasses.lens_cover * (1 - _COVER_BELOW * np.clip(down + 0.5, 0, 1))
    cover = cover + (1 - cover) * sky
    triangles = grid(len(_RINGS), len(outline), closed=True)
    return WornMesh(rings, triangles, bgr, cover.astype(np.float32))
