"""Where the points of the mark-ups sit on the ICT head: ``ict_anchors.npz``.

Made by `anchor_calibration`.

Three sets of surface points: the 468 vertices of the MediaPipe mesh (its irises are left out),
the 68 points of the 300W-LP convention (fixed on the head, the jaw from ear to ear), and the 51
inner points as people click them (300-W).
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from mien.datasets.ours.pack import FacePack
from mien.datasets.ours.pack_labels import KnownPoints
from mien.errors import DataError, reason_of
from mien.files import write_npz
from mien.synthesis.fit.solver import Evidence
from mien.synthesis.head.morphable import MorphableHead
from mien.synthesis.head.surface import SurfacePoints

__all__ = ["Anchors", "gather_evidence", "load_anchors", "save_anchors"]

_SURFACES = ("mesh468", "points68", "manual51")
_SHIPPED_SOURCES = ("anchors",)
"""In the ledger, where a file does not say: what the shipped anchors were placed by."""

# Errors in centimetres on the head. The manual points are the best there are for x and y; the
# teacher is the only one that knows the jaw of a turned head. Neighbouring points of one source
# err together, so each counts for less than its own accuracy would say.
_MANUAL_CM, _GUESSED_CM = 0.12, 0.2
_MESH_CM, _MESH_DEPTH_CM = 0.3, 0.6
_TEACHER_CM, _JAW_CM, _TEACHER_DEPTH_CM = 0.5, 0.4, 0.6
_LEAST_CONFIDENCE = 0.2
"""Errors of our own network's points are divided by their confidence, but by no less than this."""


@dataclass(frozen=True)
class Anchors:
    """Surface points of the head for every kind of evidence."""

    mesh468: SurfacePoints
    mesh_used: Int[np.ndarray, " used"]
    """Vertices of the mesh that a fit reads: all of eyes and lips, a thin cover of the rest."""
    points68: SurfacePoints
    manual51: SurfacePoints
    sources: tuple[str, ...] = _SHIPPED_SOURCES
    """Keys of the ledger (`mien.runtime.ledger`): what they were placed by."""


def load_anchors(head: MorphableHead, path: Path | None = None) -> Anchors:
    """Anchors from a file, or those that ship with mien for the ICT head.

    Raises:
        DataError: not a file of anchors, or one made for a head with other vertices.
    """
    file = path or resources.files("mien.synthesis.fit").joinpath("ict_anchors.npz")
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            mesh, points, manual = (_surface(arrays, name) for name in _SURFACES)
            used = arrays["mesh_used"].astype(np.int64)
            sources = arrays["sources"].tolist() if "sources" in arrays else _SHIPPED_SOURCES
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(
            f"expected anchors (mien data anchors), not {path}: {reason_of(error)}"
        ) from error
    highest = max(int(surface.corners.max()) for surface in (mesh, points, manual))
    if highest >= len(head.mean):
        raise DataError(
            f"anchors name vertex {highest}, but this head has {len(head.mean)}: make anchors for "
            "it with mien data anchors"
        )
    return Anchors(mesh, used, points, manual, tuple(sources))


def save_anchors(path: Path, anchors: Anchors, head: MorphableHead) -> None:
    """Write anchors compactly, with their places on the mean head, as the package carries them."""
    arrays: dict[str, np.ndarray] = {
        "mesh_used": anchors.mesh_used.astype(np.int16),
        "sources": np.array(anchors.sources),
    }
    for name in _SURFACES:
        surface: SurfacePoints = getattr(anchors, name)
        arrays[f"{name}_corners"] = surface.corners.astype(np.uint16)
        arrays[f"{name}_weights"] = surface.weights.astype(np.float16)
        arrays[f"{name}_mean_cm"] = surface.of(head.mean).astype(np.float32)
    write_npz(path, arrays)


def _surface(arrays: Mapping[str, np.ndarray], name: str) -> SurfacePoints:
    return SurfacePoints(
        arrays[f"{name}_corners"].astype(np.int64), arrays[f"{name}_weights"].astype(np.float32)
    )


def gather_evidence(photos: FacePack, points: KnownPoints, anchors: Anchors) -> list[Evidence]:
    """All that is known of some faces, weighted by source: mesh, teacher, inner points."""
    used = anchors.mesh_used
    mesh_sigma = _rows(np.where(photos.teachers_agree, _MESH_CM, np.inf), len(used))
    teacher_sigma = np.full((len(photos), 68), _TEACHER_CM, np.float32)
    teacher_sigma[:, :17] = _JAW_CM
    teacher_depth = np.full((len(photos), 68), _TEACHER_DEPTH_CM, np.float32)
    unseen = ~np.isfinite(points.teacher68).all(axis=(1, 2))
    teacher_sigma[unseen] = teacher_depth[unseen] = np.inf
    known = np.isfinite(points.inner51[:, 0, 0])
    trust = np.where(photos.trusted_manual, _MANUAL_CM, _GUESSED_CM)
    inner_sigma = _rows(np.where(known, trust, np.inf), 51)
    depth = np.full((len(photos), 51, 1), np.nan, np.float32)
    inner_depth_sigma = np.full_like(inner_sigma, np.inf)
    # Our own network puts inner points where people click them, and knows their depth.
    own = photos.annotated
    unsure = 1 / np.clip(photos.point_confidence[own], _LEAST_CONFIDENCE, 1)
    depth[own] = points.teacher68[own, 17:, 2:]
    inner_sigma[own] *= unsure[:, 17:]
    inner_depth_sigma[own] = _TEACHER_DEPTH_CM * unsure[:, 17:]
    teacher_sigma[own, :17] *= unsure[:, :17]
    teacher_depth[own, :17] *= unsure[:, :17]
    teacher_sigma[own, 17:] = teacher_depth[own, 17:] = np.inf
    inner = np.concatenate([points.inner51, depth], axis=-1)
    return [
        Evidence(
            anchors.mesh468.take(used),
            photos.mesh478[:, used],
            mesh_sigma,
            mesh_sigma * (_MESH_DEPTH_CM / _MESH_CM),
        ),
        Evidence(anchors.points68, points.teacher68, teacher_sigma, teacher_depth),
        Evidence(anchors.manual51, inner, inner_sigma, inner_depth_sigma),
    ]


def _rows(sigma: Float[np.ndarray, " faces"], points: int) -> Float[np.ndarray, "faces points"]:
    return np.repeat(sigma[:, None], points, axis=1).astype(np.float32)
