"""What lies around a head, bent along when the head is turned.

The photo outside the head is stretched in polar coordinates about the head's middle, so that the
old outline of the head comes to lie on the new one and the picture's rim stays where it is.
Nothing tears, and hair that stood outside the head keeps standing there.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float

from mien.synthesis.head.regions import rises

__all__ = ["BINS", "at_angle", "bend_background", "outline", "outline_of_mask"]

BINS = 180
"""Directions an outline is known in, from image right on clockwise."""
_COARSE = 4
"""The bend is smooth: it is computed on every fourth pixel and interpolated."""
_RIM = 0.75
"""Share of the picture's longer side beyond which nothing moves: about its half diagonal."""
_WITHIN_RIM = 0.95
"""Largest share of that radius the head's old outline may reach."""
_LEAST_PX = 1e-3
_MIRROR_FROM, _MIRROR_OVER = 0.45, 0.3
"""From this share of the old head's mask on, over so much, the picture beyond is mirrored in."""
_MIRROR_RATE = 0.6
"""Pixels of the picture beyond a pixel of what is mirrored in."""


def bend_background(
    mask_source: Bool[np.ndarray, "height width"],
    mask_turned: Bool[np.ndarray, "height width"],
    old: Float[np.ndarray, " bins"],
    centre: Float[np.ndarray, " 2"],
    skip: Float[np.ndarray, " bins"],
) -> Float[np.ndarray, "height width 2"]:
    """Source place (x, y) of every pixel outside the turned head.

    ``centre`` lies inside both masks; ``old`` is the head's outline in the source about it, also
    where that leaves the picture. ``skip`` (180 bins of 2 degrees, from image right on
    clockwise) leaves out a part of the head's radius beyond its old outline: where a profile now
    looks into the open, the hair beside the old cheek must not stand before it.
    """
    height, width = mask_source.shape
    new = outline_of_mask(mask_turned, centre)
    start = old * (1 + skip)
    ys, xs = np.mgrid[0 : height + _COARSE : _COARSE, 0 : width + _COARSE : _COARSE].astype(
        np.float32
    )
    dx, dy = xs - centre[0], ys - centre[1]
    radius, turn = np.hypot(dx, dy), np.arctan2(dy, dx)
    rim = _RIM * max(height, width)
    new_here, start_here = at_angle(new, turn), np.minimum(at_angle(start, turn), rim * _WITHIN_RIM)
    grow = (rim - start_here) / np.maximum(rim - new_here, 1)
    beyond = radius - new_here
    safe = np.maximum(radius, _LEAST_PX)
    # Inside the new outline, in its dents beside the neck, stays what stood in the old dents; where
    # the old head was, the picture beyond is mirrored in.
    dent = radius * start_here / np.maximum(new_here, 1)
    x, y = (
        (middle + away / safe * dent).astype(np.float32)
        for middle, away in zip(centre, (dx, dy), strict=True)
    )
    on_head = cv2.remap(cv2.blur(mask_source.astype(np.float32), (9, 9)), x, y, cv2.INTER_LINEAR)
    mirrored = rises(on_head, _MIRROR_FROM, _MIRROR_OVER)
    inside = dent + (start_here - _MIRROR_RATE * beyond - dent) * mirrored
    place = np.where(beyond >= 0, start_here + beyond * grow, inside)
    place = np.where(radius > rim, radius, place)
    coarse = np.stack([centre[0] + dx / safe * place, centre[1] + dy / safe * place], axis=-1)
    fine = cv2.warpAffine(
        coarse.astype(np.float32),
        np.array([[_COARSE, 0, 0], [0, _COARSE, 0]], np.float32),
        (width, height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(fine, np.float32)


def outline_of_mask(
    mask: Bool[np.ndarray, "height width"], centre: Float[np.ndarray, " 2"]
) -> Float[np.ndarray, " bins"]:
    """Largest radius of the mask in every direction, smoothed a little."""
    ys, xs = np.nonzero(mask[::2, ::2])
    return outline(np.stack([xs, ys], axis=1) * np.float32(2), centre)


def outline(
    places: Float[np.ndarray, "places 2"], centre: Float[np.ndarray, " 2"]
) -> Float[np.ndarray, " bins"]:
    """Largest radius of dense places in every direction, smoothed a little."""
    dx, dy = (places - centre).T
    bins = ((np.arctan2(dy, dx) / (2 * np.pi) * BINS) % BINS).astype(np.int64) % BINS
    radius = np.zeros(BINS, np.float64)
    np.maximum.at(radius, bins, np.hypot(dx, dy))
    wrapped = np.concatenate([radius[-4:], radius, radius[:4]])
    highest = np.maximum(np.maximum(wrapped[:-2], wrapped[1:-1]), wrapped[2:])
    smooth = np.convolve(highest, np.array([1, 2, 3, 2, 1]) / 9, mode="same")[3:-3]
    return smooth.astype(np.float32)


def at_angle(
    values: Float[np.ndarray, " bins"], turn: Float[np.ndarray, "*grid"]
) -> Float[np.ndarray, "*grid"]:
    """Periodic linear interpolation of bin values at angles in radians."""
    place = (turn / (2 * np.pi) * BINS - 0.5) % BINS
    low = np.floor(place).astype(np.int64)
    part = (place - low).astype(np.float32)
    out: Float[np.ndarray, "*grid"] = (
        values[low % BINS] * (1 - part) + values[(low + 1) % BINS] * part
    )
    return out
