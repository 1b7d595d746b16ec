"""The inside of a mouth that the photo shows shut and that now stands open: teeth and darkness."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, UInt8

from mien.synthesis.head.raster import Raster
from mien.synthesis.head.regions import HeadRegions, falls, rises

__all__ = ["fill_mouth"]

# Inner lip points of the label, upper and lower.
_LIPS_UPPER, _LIPS_LOWER = [61, 62, 63], [67, 66, 65]
_SHUT_CM, _OPENS_CM = 0.4, 0.8
"""A gap of the lips below the first was shut in the photo; one larger by the second stood open,
and its own inside is kept."""
_WORTH = 0.05
"""Share below which nothing is painted over the photo's own mouth."""
_LEAST_TALL_CM = 0.1
"""A mouth counts as at least so tall: else edges of teeth would divide by nothing."""
_TOOTH_BGR, _GUM_BGR = np.array([0.82, 0.88, 0.92]), np.array([0.16, 0.13, 0.30])
"""As shares of white, in the light of skin that is white."""
_TOOTH_EDGE_CM = 0.15
"""Over which teeth fade into the dark of the mouth."""
_GUM_TOP, _GUM_BELOW = 0.6, 0.8
"""Brightness of the inside below the upper lip, and what it gains to the lower one: the tongue."""
_DARK, _BY_SKIN = 0.35, 0.9
"""Brightness of the inside beside black skin, and what it gains with the skin's."""
_CORNERS_DIM = 0.65
"""How much darker the corners of an open mouth are than its middle."""


def fill_mouth(
    painted: UInt8[np.ndarray, "side side 3"],
    after: Raster,
    regions: HeadRegions,
    points_cm: Float[np.ndarray, "68 3"],
    teeth_cm: tuple[float, float],
    px_per_cm: float,
) -> None:
    """Paint it into a picture in place.

    ``after`` is the head as drawn, ``points_cm`` are the landmarks before the mouth was opened,
    ``teeth_cm`` how much of the upper and the lower teeth shows.
    """
    inside = np.flatnonzero(after.corners[:, 2] == regions.mouth_patch)
    gap = float((points_cm[_LIPS_LOWER, 1] - points_cm[_LIPS_UPPER, 1]).mean())
    share = 1 - float(rises(gap, _SHUT_CM, _OPENS_CM))
    if not len(inside) or share < _WORTH:
        return
    height = (after.weights[inside] * regions.mouth_height[after.corners[inside]]).sum(1)
    rows = after.pixel[inside] // after.width
    tall_cm = max(float(np.ptp(rows)) / px_per_cm, _LEAST_TALL_CM)
    skin = float(painted.reshape(-1, 3)[after.pixel].mean()) / 255
    columns = after.pixel[inside] % after.width
    middle, half = np.median(columns), max(float(np.ptp(columns)) / 2, 1)
    dim = 1 - _CORNERS_DIM * np.clip(np.abs(columns - middle) / half, 0, 1) ** 2
    upper, lower = teeth_cm
    tooth = np.maximum(
        falls(height * tall_cm, upper, _TOOTH_EDGE_CM),
        falls((1 - height) * tall_cm, lower, _TOOTH_EDGE_CM),
    )
    gum = _GUM_BGR * (_GUM_TOP + _GUM_BELOW * height[:, None])
    tone = gum * (1 - tooth[:, None]) + _TOOTH_BGR * tooth[:, None]
    colour = 255 * tone * (dim * (_DARK + _BY_SKIN * skin))[:, None]
    flat = painted.reshape(-1, 3)
    mixed = flat[after.pixel[inside]] * (1 - share) + colour * share
    flat[after.pixel[inside]] = np.clip(mixed, 0, 255)
