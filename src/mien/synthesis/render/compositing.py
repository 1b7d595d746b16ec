"""Paint things worn on a head into its picture, behind and before the head as they stand."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from mien.synthesis.head.raster import Raster, rasterise
from mien.synthesis.head.regions import vertex_normals
from mien.synthesis.render.worn_mesh import WornMesh

__all__ = ["Dressed", "dress", "light_on"]

_FINE = 2
"""Rims are about as thin as a pixel: they are drawn on a grid so many times finer."""
_SAMPLES, _LEAST_SAMPLES = 600, 50
"""Of skin, to read the light from; with fewer than the second no light is read."""
_SHADES = (0.3, 1.6)
"""Least and greatest light that a worn thing gets: skin is not white, so estimates run over."""
_SHADOW_BLUR_CM, _SHADOW_BLUR_PX = 0.25, 0.5
"""Of the shadow below rims; never less than the second."""
_SHADOW_CM, _SHADOW = 0.2, 0.25
"""How far below a rim its shadow lies, and how dark it is."""
_SKIN_GREY = 140
"""Grey level of well-lit skin."""
_HELD = 0.05
"""Ridge on the slopes of light: skin differs in more than its light."""
_LEVELS, _LEAST_LEVEL = (0.45, 1.25), 0.1
"""Least and greatest exposure of skin that is believed; what the slopes may not divide by."""
_AMBIENT, _BY_LEVEL, _DARKEST_LEVEL = 0.4, 0.6, 0.6
"""Worn things are less dark than dark skin in the same light: of their brightness the second share
does not follow the skin's, down to the third."""


@dataclass(frozen=True)
class Dressed:
    """A picture with what is worn in it."""

    image: UInt8[np.ndarray, "side side 3"]
    cover: Float[np.ndarray, "side side"]
    """How far a worn thing hides what is behind, 0 to 1."""


def dress(
    image: UInt8[np.ndarray, "side side 3"],
    head: Raster,
    worn: WornMesh,
    placed: Float[np.ndarray, "vertices 3"],
    light: Float[np.ndarray, " 4"],
    px_per_cm: float,
) -> Dressed:
    """Lay a mesh, its vertices ``placed`` in px of the picture, over a picture of its head.

    ``light`` is that of the head's skin (`light_on`).
    """
    side = len(image)
    fine = placed.copy()
    fine[:, :2] = fine[:, :2] * _FINE + (_FINE - 1) / 2
    skin = np.repeat(np.repeat(head.depth, _FINE, axis=0), _FINE, axis=1)
    normals = vertex_normals(placed, worn.triangles)
    normals = normals * np.where(normals[:, 2:] > 0, -1, 1)
    shade = np.clip(light[0] + normals @ light[1:], *_SHADES)
    tone = worn.bgr * shade[:, None]
    lens = worn.cover[worn.triangles].max(axis=1) < 1
    behind = _drawn(fine, worn.triangles[~lens], skin, tone, worn.cover)
    glass = _drawn(fine, worn.triangles[lens], skin, worn.bgr * min(light[0], 1), worn.cover)
    nearest, under = (glass, behind)
    nearer = behind.depth < glass.depth
    cover = np.where(nearer, 0, nearest.cover)[..., None]
    colour = cover * nearest.bgr + (1 - cover) * under.cover[..., None] * under.bgr
    hides = cover[..., 0] + (1 - cover[..., 0]) * under.cover
    size = (side, side)
    colour = cv2.resize(colour.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    hides = cv2.resize(hides.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    # A thin shadow below rims, on the head only.
    shadow = cv2.GaussianBlur(hides, (0, 0), max(_SHADOW_BLUR_CM * px_per_cm, _SHADOW_BLUR_PX))
    shadow = np.roll(shadow, round(_SHADOW_CM * px_per_cm), axis=0) * head.mask * _SHADOW
    below = image * (1 - shadow[..., None])
    mixed = below * (1 - hides[..., None]) + colour
    return Dressed(np.clip(np.round(mixed), 0, 255).astype(np.uint8), hides)


def light_on(
    image: UInt8[np.ndarray, "side side 3"],
    head: Raster,
    placed: Float[np.ndarray, "vertices 3"],
    triangles: Int[np.ndarray, "triangles 3"],
    face: Bool[np.ndarray, " vertices"],
) -> Float[np.ndarray, " 4"]:
    """Exposure of the skin, and how it grows along x, y, z of its normal; 1 is a well-lit face."""
    chosen = np.flatnonzero(face[head.corners[:, 0]])
    if len(chosen) < _LEAST_SAMPLES:
        return np.array([1, 0, 0, 0], np.float32)
    chosen = chosen[:: max(1, len(chosen) // _SAMPLES)]
    normals = vertex_normals(placed, triangles)[head.corners[chosen, 0]]
    grey = image.reshape(-1, 3)[head.pixel[chosen]].mean(axis=1) / _SKIN_GREY
    ones = np.ones((len(chosen), 1), np.float32)
    sides = np.concatenate([ones, normals], axis=1)
    hold = len(chosen) * np.diag([0, _HELD, _HELD, _HELD])
    found = np.linalg.solve(sides.T @ sides + hold, sides.T @ grey)
    level = float(np.clip(np.median(grey), *_LEVELS))
    scale = level / max(float(np.median(sides @ found)), _LEAST_LEVEL)
    share = _AMBIENT + _BY_LEVEL / max(level, _DARKEST_LEVEL)
    return np.asarray(share * scale * found, np.float32)


@dataclass(frozen=True)
class _Layer:
    depth: Float[np.ndarray, "height width"]
    bgr: Float[np.ndarray, "height width 3"]
    cover: Float[np.ndarray, "height width"]


def _drawn(
    placed: Float[np.ndarray, "vertices 3"],
    triangles: Int[np.ndarray, "triangles 3"],
    skin: Float[np.ndarray, "height width"],
    bgr: Float[np.ndarray, "vertices 3"],
    cover: Float[np.ndarray, " vertices"],
) -> _Layer:
    """Both sides of a mesh, as far as it stands before the head."""
    height, width = skin.shape
    both = np.concatenate([triangles, triangles[:, ::-1]])
    raster = rasterise(placed, both, height, width)
    values = raster.blend(np.concatenate([bgr, cover[:, None]], axis=1))
    depth = raster.depth.ravel()[raster.pixel]
    seen = depth < skin.ravel()[raster.pixel]
    pixel, out = raster.pixel[seen], np.zeros((height * width, 4), np.float32)
    out[pixel] = values[seen]
    free = np.full(height * width, np.inf, np.float32)
    free[pixel] = depth[seen]
    return _Layer(
        free.reshape(height, width),
        out[:, :3].reshape(height, width, 3),
        out[:, 3].reshape(height, width),
    )
