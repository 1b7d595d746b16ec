"""Draw a fitted head the last millimetres onto the points it was fitted to.

A linear model cannot follow every lid and lip. What is left between the fit and the evidence is
spread over the surface around each point, so that the skin of the photo is cut out exactly where
the label says it is, and lids can be closed along their real rims.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from scipy.spatial import cKDTree

from mien.datasets.ours.pack import FacePack
from mien.synthesis.fit.anchors import Anchors
from mien.synthesis.fit.fits import points_of
from mien.synthesis.fit.labels import FaceLabels, best_labels
from mien.synthesis.fit.photo_border import read_photo
from mien.synthesis.fit.solver import HeadFits
from mien.synthesis.head.camera import project, unproject
from mien.synthesis.head.morphable import MorphableHead

__all__ = ["FittedPhoto", "ResidualWarp"]

_REACH_CM = 0.4
_LIMIT_CM = 0.5
_INNER_WEIGHT = 5.0
# A vertex with little evidence near it keeps the model's place.
_STAY_WEIGHT = 0.25


@dataclass(frozen=True)
class FittedPhoto:
    """A photo and the head found in it."""

    image: UInt8[np.ndarray, "height width 3"]
    """In OpenCV's colour order."""
    rotation: Float[np.ndarray, "3 3"]
    """Head to image frame."""
    scale: float
    """px per cm."""
    shift: Float[np.ndarray, " 2"]
    """Image place of the head's origin, px."""
    vertices_cm: Float[np.ndarray, "vertices 3"]
    """The head in its own frame."""
    points_cm: Float[np.ndarray, "68 3"]
    """The label in the head's frame."""
    expression: Float[np.ndarray, " expressions"]
    distance_cm: float = np.inf
    """From the lens to the head's origin; infinite is weak perspective."""

    def project(self, turned_cm: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, "points 3"]:
        """From cm in the image frame, from the head's origin, to px of the photo."""
        return project(turned_cm, self.scale, self.shift, self.distance_cm)


class ResidualWarp:
    """Hands out fitted photos of one table, their heads drawn onto what is known of them."""

    def __init__(
        self, head: MorphableHead, anchors: Anchors, photos: FacePack, fits: HeadFits
    ) -> None:
        self._head, self._photos, self._fits = head, photos, fits
        self.labels: FaceLabels = best_labels(head, fits, photos, anchors)
        spots = np.concatenate([anchors.mesh468.of(head.mean), anchors.manual51.of(head.mean)])
        distance, self._near = cKDTree(spots).query(head.mean, k=12)
        self._weight = np.exp(-0.5 * (distance / _REACH_CM) ** 2).astype(np.float32)
        self._inner_fit = points_of(head, fits, anchors.manual51)
        self._mesh_fit = points_of(head, fits, anchors.mesh468)

    def photo(self, row: int) -> FittedPhoto:
        """One photo of the table, read from disk."""
        fits, photos = self._fits, self._photos
        rotation, scale, shift = fits.rotation[row], float(fits.scale[row]), fits.shift[row]
        distance = float(fits.distance_cm[row])
        vertices = self._head.vertices(fits.identity[row], fits.expression[row])
        found = np.concatenate([self._mesh_fit[row], self._inner_fit[row]])
        wanted = found.copy()
        known = np.zeros(468 + 51, np.float32)
        mesh = photos.mesh478[row, :468, :2]
        if np.isfinite(mesh).all() and self.labels.usable[row]:
            wanted[:468, :2], known[:468] = mesh, 1
        wanted[468:, :2] = self.labels.points_image[row, 17:, :2]
        known[468:] = _INNER_WEIGHT

        def in_head(points: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, "points 3"]:
            turned_cm = unproject(points, scale, shift, distance)
            return np.asarray(turned_cm @ rotation, np.float32)

        missed = in_head(wanted) - in_head(found)
        missed *= 1 / np.maximum(1, np.linalg.norm(missed, axis=1, keepdims=True) / _LIMIT_CM)
        weight = self._weight * known[self._near]
        moved = (missed[self._near] * weight[..., None]).sum(axis=1)
        vertices = vertices + moved / (weight.sum(axis=1, keepdims=True) + _STAY_WEIGHT)
        return FittedPhoto(
            image=read_photo(photos, row),
            rotation=rotation,
            scale=scale,
            shift=shift,
            vertices_cm=vertices.astype(np.float32),
            points_cm=in_head(self.labels.points_image[row]),
            expression=fits.expression[row],
            distance_cm=distance,
        )
