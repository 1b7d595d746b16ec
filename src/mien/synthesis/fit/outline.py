"""The jaw as people click it on turned heads: the visible outline, which slides over the cheek.

The points of a clicked jaw are fixed on the head only while it looks at the camera. On the far
side of a turned head they follow the outline, wherever on the cheek it runs. So every jaw point
has a row of surface points, from the jaw line towards the middle of the face; the one that reaches
furthest out of the face is where the outline is, and only the distance across the outline counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from mien.datasets.ours.pack import FacePack
from mien.synthesis.head.morphable import MorphableHead
from mien.synthesis.head.surface import SurfacePoints, nearest_on_surface

__all__ = ["JAW", "Outline", "cheek_rows", "clicked_outline", "outermost"]

JAW = 17
"""Points of the outline, the first ones of the 68."""
_ALONG = 12
_REACH = 0.6
"""How far rows run, from the jaw line (0) to the middle of the face (1)."""
_OUTLINE_CM = 0.2
"""From 0.3 to 0.15 outlines come nearer to clicks that were held back, inner points go further from
theirs: on helen val 0.0163 to 0.0135, and 0.0120 to 0.0123."""


@dataclass(frozen=True)
class Outline:
    """Clicked outlines of a batch of faces, image-left ear to image-right ear."""

    rows: SurfacePoints
    """For each of the 17 points as many surface points, from the jaw line inwards."""
    clicked_image: Float[np.ndarray, "faces 17 2"]
    """px; anything where ``sigma_cm`` is infinite."""
    across: Float[np.ndarray, "faces 17 2"]
    """Unit vectors of the image, across the outline and out of the face."""
    sigma_cm: Float[np.ndarray, "faces 17"]
    """Expected error across the outline on the head; infinite where nobody clicked."""


def cheek_rows(head: MorphableHead, points68: SurfacePoints) -> SurfacePoints:
    """The rows of a head whose landmarks sit at ``points68``."""
    landmarks = points68.of(head.mean)
    jaw, mouth = landmarks[:JAW], landmarks[48:].mean(axis=0)
    # Round the neck's axis: azimuth, height and radius change evenly from the jaw to the middle.
    azimuth, radius = np.arctan2(jaw[:, 0], -jaw[:, 2]), np.hypot(jaw[:, 0], jaw[:, 2])
    height = jaw[:, 1]
    part = np.linspace(0, _REACH, _ALONG)[None]
    azimuth = azimuth[:, None] * (1 - part)
    radius = radius[:, None] + part * (np.hypot(mouth[0], mouth[2]) - radius[:, None])
    height = height[:, None] + part * (np.minimum(height, mouth[1]) - height)[:, None]
    places = np.stack([radius * np.sin(azimuth), height, -radius * np.cos(azimuth)], axis=-1)
    skin = head.triangles[(head.triangles < head.patches[0]).all(axis=1)]
    return nearest_on_surface(places.reshape(-1, 3).astype(np.float32), head.mean, skin)


def clicked_outline(photos: FacePack, rows: SurfacePoints) -> Outline:
    """What people clicked, where they are trusted."""
    clicked = photos.manual68[:, :JAW]
    known = photos.trusted_manual & np.isfinite(clicked).all(axis=(1, 2))
    clicked = np.where(known[:, None, None], clicked, 0)
    along = np.gradient(clicked, axis=1)
    across = np.stack([-along[..., 1], along[..., 0]], axis=-1)
    across /= np.maximum(np.linalg.norm(across, axis=-1, keepdims=True), 1e-6)
    sigma = np.repeat(np.where(known, _OUTLINE_CM, np.inf)[:, None], JAW, axis=1)
    return Outline(
        rows, clicked.astype(np.float32), across.astype(np.float32), sigma.astype(np.float32)
    )


def outermost(
    places: Float[np.ndarray, "faces rows_points dims"], across: Float[np.ndarray, "faces 17 2"]
) -> Int[np.ndarray, "faces 17"]:
    """Which of the rows' points, placed in the image, is the outline at each jaw point."""
    plane = places[..., :2].reshape(len(places), JAW, -1, 2)
    furthest = (plane * across[:, :, None]).sum(axis=-1).argmax(axis=-1)
    index: Int[np.ndarray, "faces 17"] = furthest + np.arange(JAW) * plane.shape[2]
    return index
