"""How a head that stands before the camera lands in the image: the one place that says it.

A point of the head, turned into the image frame (cm from the head's origin, z away from the
camera), lands at ``shift + scale * (x, y) / (1 + z / distance)``. The distance is that from the
lens to the head's origin; an infinite one is weak perspective. Turns are those relative to the ray
through the head's origin: where in the whole photo a face stood is not known of a cut-out. Depth
stays linear, ``scale * z``, so that it orders surfaces and can be inverted.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

__all__ = ["project", "shrink", "unproject"]


def shrink(
    z_cm: Float[np.ndarray, "*faces points"], distance_cm: Float[np.ndarray, "*faces"] | float
) -> Float[np.ndarray, "*faces points"]:
    """How much smaller than at the head's origin things look at some depth."""
    smaller: Float[np.ndarray, "*faces points"] = 1 / (1 + z_cm / _each_point(distance_cm))
    return smaller


def project(
    turned_cm: Float[np.ndarray, "*faces points 3"],
    scale: Float[np.ndarray, "*faces"] | float,
    shift: Float[np.ndarray, "*faces 2"],
    distance_cm: Float[np.ndarray, "*faces"] | float,
) -> Float[np.ndarray, "*faces points 3"]:
    """From cm in the image frame to px; z in px away from the camera, 0 at the head's origin."""
    placed = turned_cm * _each_point(_each_point(scale))
    placed[..., :2] *= shrink(turned_cm[..., 2], distance_cm)[..., None]
    placed[..., :2] += shift[..., None, :]
    return placed


def unproject(
    points_image: Float[np.ndarray, "*faces points 3"],
    scale: Float[np.ndarray, "*faces"] | float,
    shift: Float[np.ndarray, "*faces 2"],
    distance_cm: Float[np.ndarray, "*faces"] | float,
) -> Float[np.ndarray, "*faces points 3"]:
    """Back from px to cm in the image frame."""
    turned_cm = points_image.copy()
    turned_cm[..., :2] -= shift[..., None, :]
    turned_cm /= _each_point(_each_point(scale))
    turned_cm[..., :2] /= shrink(turned_cm[..., 2], distance_cm)[..., None]
    return turned_cm


def _each_point(value: Float[np.ndarray, "*any"] | float) -> Float[np.ndarray, "*any 1"] | float:
    return value[..., None] if isinstance(value, np.ndarray) else value
