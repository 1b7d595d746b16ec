"""The best 68-point label in 3D that a photo and its fit give.

Inner points: where people clicked them (helen, afw), else where the fit puts the same points, which
on faces with manual points is nearer to them (median NME 0.020) than the teacher is (0.029). Jaw:
the mean of teacher and fit, as both err on their own. Depth: the fitted surface under the inner
points, so that a label turns exactly as the skin under it; the mean of both on the jaw.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from mien.faces3d.anchors import Anchors
from mien.faces3d.fits import points_of
from mien.faces3d.fitting import HeadFits
from mien.faces3d.morphable import MorphableHead
from mien.faces3d.photos import FacePhotos

__all__ = ["FaceLabels", "best_labels"]

_DISAGREEMENT = 0.05
_RESIDUAL_CM = 0.24


@dataclass(frozen=True)
class FaceLabels:
    """One label a face, in px of the stored photo."""

    points_image: Float[np.ndarray, "faces 68 3"]
    """x, y in px; z in px away from the camera, 0 at the head's origin."""
    inner_manual: Bool[np.ndarray, " faces"]
    usable: Bool[np.ndarray, " faces"]
    """Faces whose teachers agree and whose fit is close: the others are left out of sets."""


def best_labels(
    head: MorphableHead, fits: HeadFits, photos: FacePhotos, anchors: Anchors
) -> FaceLabels:
    """Join manual points, teacher and fit into one label a face."""
    jaw_fit = points_of(head, fits, anchors.points68)
    inner_fit = points_of(head, fits, anchors.manual51)
    teacher = photos.teacher68.copy()
    teacher[..., 2] += (jaw_fit[..., 2] - teacher[..., 2]).mean(axis=1)[:, None]
    points = np.concatenate([(jaw_fit[:, :17] + teacher[:, :17]) / 2, inner_fit], axis=1)
    trusted = photos.trusted_manual
    points[trusted, 17:, :2] = photos.manual68[trusted, 17:]
    agree = np.nan_to_num(photos.disagreement, nan=1.0) <= _DISAGREEMENT
    return FaceLabels(
        points_image=points.astype(np.float32),
        inner_manual=trusted,
        usable=agree & (fits.residual_cm <= _RESIDUAL_CM),
    )
