"""Where the points of the mark-ups sit on the ICT head: ``ict_anchors.npz``, made by `settle`.

Three sets of surface points: the 468 vertices of the MediaPipe mesh (its irises are left out),
the 68 points of the 300W-LP convention (fixed on the head, the jaw from ear to ear), and the 51
inner points as people click them (300-W).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from jaxtyping import Float, Int

from mien.faces3d.fitting import Evidence
from mien.faces3d.photos import FacePhotos
from mien.faces3d.surface import SurfacePoints

__all__ = ["Anchors", "gather_evidence", "load_anchors"]

# Errors in centimetres on the head. The manual points are the best there are for x and y; the
# teacher is the only one that knows the jaw of a turned head. Neighbouring points of one source
# err together, so each counts for less than its own accuracy would say.
_MANUAL_CM = 0.12
_MESH_CM, _MESH_DEPTH_CM = 0.3, 0.6
_TEACHER_CM, _JAW_CM, _TEACHER_DEPTH_CM = 0.5, 0.4, 0.6
# Above this the two teachers contradict each other, and the mesh is not believed.
_DISAGREEMENT = 0.05


@dataclass(frozen=True)
class Anchors:
    """Surface points of the head for every kind of evidence."""

    mesh468: SurfacePoints
    mesh_used: Int[np.ndarray, " used"]
    """Vertices of the mesh that a fit reads: all of eyes and lips, a thin cover of the rest."""
    points68: SurfacePoints
    manual51: SurfacePoints


@cache
def load_anchors() -> Anchors:
    """The anchors that ship with mien, for the ICT head's topology."""
    with resources.files("mien.faces3d").joinpath("ict_anchors.npz").open("rb") as stream:
        file = np.load(stream, allow_pickle=False)

        def points(name: str) -> SurfacePoints:
            return SurfacePoints(
                file[f"{name}_corners"].astype(np.int64), file[f"{name}_weights"].astype(np.float32)
            )

        return Anchors(
            points("mesh468"),
            file["mesh_used"].astype(np.int64),
            points("points68"),
            points("manual51"),
        )


def gather_evidence(photos: FacePhotos, anchors: Anchors, manual: bool = True) -> list[Evidence]:
    """All that is known of some faces, weighted by source; ``manual=False`` hides what people said.

    Returns mesh, teacher and, if asked for, manual evidence in this order.
    """
    faces = len(photos)
    used = anchors.mesh_used
    mesh = photos.mesh478[:, used]
    believed = np.isfinite(mesh[:, 0, 0]) & (photos.disagreement <= _DISAGREEMENT)
    mesh_sigma = _column(believed, _MESH_CM, len(used))
    evidence = [
        Evidence(
            anchors.mesh468.take(used), mesh, mesh_sigma, mesh_sigma * (_MESH_DEPTH_CM / _MESH_CM)
        )
    ]
    teacher_sigma = np.full((faces, 68), _TEACHER_CM, np.float32)
    teacher_sigma[:, :17] = _JAW_CM
    teacher_depth = np.full((faces, 68), _TEACHER_DEPTH_CM, np.float32)
    evidence.append(Evidence(anchors.points68, photos.teacher68, teacher_sigma, teacher_depth))
    if manual:
        clicked: Float[np.ndarray, "faces 51 3"] = np.full((faces, 51, 3), np.nan, np.float32)
        clicked[..., :2] = photos.manual68[:, 17:]
        sigma = _column(photos.trusted_manual, _MANUAL_CM, 51)
        evidence.append(Evidence(anchors.manual51, clicked, sigma, np.full_like(sigma, np.inf)))
    return evidence


def _column(
    known: Int[np.ndarray, " faces"], sigma: float, points: int
) -> Float[np.ndarray, "faces points"]:
    return np.repeat(np.where(known, sigma, np.inf)[:, None], points, axis=1).astype(np.float32)
