"""From the points that people click to those of 300W-LP and AFLW2000-3D.

The two put the same 68 landmarks in different places: brows by 0.026 and the nose by 0.021 of the
face's size, eyes and mouth by 0.008 (mean over our train photos, where both are known). Sets are
labelled as people click; `mien evaluate` also measures points moved over where a set is of the
other convention (docs/decisions/0012-conventions.md). The difference is fixed to the head, so it
turns with it: a head is fitted to the points rigidly, and carries them.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import numpy as np
from jaxtyping import Float

from mien.geometry.similarity import umeyama
from mien.markup import load_markup

__all__ = ["as_300w_lp", "as_clicked"]


def as_300w_lp(points_image: Float[np.ndarray, "68 3"]) -> Float[np.ndarray, "68 3"]:
    """Points as people click them, moved to where 300W-LP has them; the jaw stays."""
    clicked, published = _mean_faces()
    return _moved(points_image, clicked, published)


def as_clicked(points_image: Float[np.ndarray, "68 3"]) -> Float[np.ndarray, "68 3"]:
    """The inverse of `as_300w_lp`, but for the little that the rigid fit sees otherwise."""
    clicked, published = _mean_faces()
    return _moved(points_image, published, clicked)


def _moved(
    points_image: Float[np.ndarray, "68 3"],
    old: Float[np.ndarray, "68 3"],
    new: Float[np.ndarray, "68 3"],
) -> Float[np.ndarray, "68 3"]:
    scale, rotation, _ = umeyama(old, points_image)
    return np.asarray(points_image + scale * (new - old) @ rotation.T)


@cache
def _mean_faces() -> tuple[Float[np.ndarray, "68 3"], Float[np.ndarray, "68 3"]]:
    """The mean head's 68 points in cm, as clicked and as 300W-LP has them, made symmetric."""
    file = resources.files("mien.faces3d").joinpath("ict_anchors.npz")
    with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        published, inner = arrays["points68_mean_cm"], arrays["manual51_mean_cm"]
    clicked = np.concatenate([published[:17], inner])
    mirror = list(load_markup(68).mirror)
    clicked, published = (
        (face + face[mirror] * np.array([-1, 1, 1])) / 2 for face in (clicked, published)
    )
    return clicked.astype(np.float64), published.astype(np.float64)
