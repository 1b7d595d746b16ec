"""The best 68-point label in 3D that a photo and its fit give.

Inner points: where people clicked them (helen, afw), else where they would have (`clicks`: median
NME 0.015 on helen val, against 0.020 for a fit to the teachers and 0.029 for 3DDFA_V2 itself). Jaw:
the mean of teacher and fit, as each errs on its own; what the fits of a table miss the teacher by
as a rule (on the pack 0.2 cm too wide below the ears) is taken off them first. Depth: the fitted
surface under the inner points, so that a label turns exactly as the skin under it; the mean of
both on the jaw.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from mien.datasets.ours.pack import FacePack
from mien.datasets.ours.pack_labels import known_points
from mien.geometry.pose import yaw_deg
from mien.synthesis.fit.anchors import Anchors
from mien.synthesis.fit.fits import points_of
from mien.synthesis.fit.solver import HeadFits
from mien.synthesis.head.morphable import MorphableHead

__all__ = ["FaceLabels", "best_labels"]

_RESIDUAL_CM = 0.24
_FRONTAL_DEG = 25.0
_FEW_FACES = 30
"""A table of so many frontal faces has half of its bias taken off, one of many more nearly all."""


@dataclass(frozen=True)
class FaceLabels:
    """One label a face, in px of the stored photo."""

    points_image: Float[np.ndarray, "faces 68 3"]
    """x, y in px; z in px away from the camera, 0 at the head's origin."""
    inner_manual: Bool[np.ndarray, " faces"]
    usable: Bool[np.ndarray, " faces"]
    """Faces whose teachers agree, or whose points our own network was sure of, and whose fit is
    close: the others are left out of sets."""


def best_labels(
    head: MorphableHead, fits: HeadFits, photos: FacePack, anchors: Anchors
) -> FaceLabels:
    """Join manual points, teacher and fit into one label a face."""
    jaw_fit = points_of(head, fits, anchors.points68)
    inner_fit = points_of(head, fits, anchors.manual51)
    known = known_points(photos)
    teacher = known.teacher68.copy()
    teacher[..., 2] += (jaw_fit[..., 2] - teacher[..., 2]).mean(axis=1)[:, None]
    usable = (photos.teachers_agree | photos.surely_annotated) & (fits.residual_cm <= _RESIDUAL_CM)
    jaw_fit, jaw_teacher = jaw_fit[:, :17], teacher[:, :17]
    jaw_cm = fits.lift(jaw_fit)
    jaw_fit = fits.place(jaw_cm - _jaw_bias_cm(jaw_cm - fits.lift(jaw_teacher), fits, usable))
    points = np.concatenate([(jaw_fit + jaw_teacher) / 2, inner_fit], axis=1)
    inner = np.isfinite(known.inner51)
    points[:, 17:, :2] = np.where(inner, known.inner51, points[:, 17:, :2])
    return FaceLabels(
        points_image=points.astype(np.float32),
        inner_manual=photos.trusted_manual,
        usable=usable,
    )


def _jaw_bias_cm(
    missed_cm: Float[np.ndarray, "faces 17 3"], fits: HeadFits, usable: Bool[np.ndarray, " faces"]
) -> Float[np.ndarray, "17 3"]:
    """What fits miss the teacher's jaw by as a rule: a median on the head."""
    frontal = usable & (np.abs(yaw_deg(fits.rotation)) < _FRONTAL_DEG)
    if not frontal.any():
        return np.zeros((17, 3), np.float32)
    share = np.float32(frontal.sum() / (frontal.sum() + _FEW_FACES))
    bias_cm: Float[np.ndarray, "17 3"] = share * np.median(missed_cm[frontal], axis=0)
    return bias_cm
