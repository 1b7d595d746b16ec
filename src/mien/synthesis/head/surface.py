"""Points fixed on a triangle mesh, and the nearest such point to a place in space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import cKDTree

__all__ = ["SurfacePoints", "nearest_on_surface"]


@dataclass(frozen=True)
class SurfacePoints:
    """Points that ride on a mesh: three vertices and their weights each."""

    corners: Int[np.ndarray, "points 3"]
    weights: Float[np.ndarray, "points 3"]

    @classmethod
    def at_vertices(cls, vertices: Int[np.ndarray, " points"]) -> SurfacePoints:
        """Points that sit on mesh vertices."""
        corners = np.repeat(np.asarray(vertices)[:, None], 3, axis=1)
        return cls(corners, np.tile(np.array([1, 0, 0], np.float32), (len(corners), 1)))

    def of(self, values: Float[np.ndarray, "... vertices 3"]) -> Float[np.ndarray, "... points 3"]:
        """Where the points lie, or move, when the vertices lie, or move, like ``values``."""
        picked = values[..., self.corners, :]
        blended: Float[np.ndarray, "... points 3"] = (picked * self.weights[..., None]).sum(axis=-2)
        return blended

    def take(self, rows: Int[np.ndarray, " rows"]) -> SurfacePoints:
        """Some of the points."""
        return SurfacePoints(self.corners[rows], self.weights[rows])


def nearest_on_surface(
    places: Float[np.ndarray, "points 3"],
    vertices: Float[np.ndarray, "vertices 3"],
    triangles: Int[np.ndarray, "triangles 3"],
    candidates: int = 24,
) -> SurfacePoints:
    """The nearest point of a mesh to each place, among the triangles with the nearest centres."""
    corners = vertices[triangles]
    ranks = np.arange(1, min(candidates, len(triangles)) + 1)
    _, near = cKDTree(corners.mean(axis=1)).query(places, k=ranks)
    a, b, c = (corners[near, i] for i in range(3))
    weights = _nearest_weights(places[:, None, :], a, b, c)
    nearest = (np.stack([a, b, c], axis=-2) * weights[..., None]).sum(axis=-2)
    best = np.linalg.norm(nearest - places[:, None, :], axis=-1).argmin(axis=1)
    rows = np.arange(len(places))
    return SurfacePoints(triangles[near[rows, best]], weights[rows, best].astype(np.float32))


def _nearest_weights(
    p: Float[np.ndarray, "points 1 3"],
    a: Float[np.ndarray, "points triangles 3"],
    b: Float[np.ndarray, "points triangles 3"],
    c: Float[np.ndarray, "points triangles 3"],
) -> Float[np.ndarray, "points triangles 3"]:
    """Barycentric weights of the point of each triangle abc that is nearest to p."""
    ab, ac, ap = b - a, c - a, p - a
    d00, d01, d11 = (ab * ab).sum(-1), (ab * ac).sum(-1), (ac * ac).sum(-1)
    d20, d21 = (ap * ab).sum(-1), (ap * ac).sum(-1)
    area = np.maximum(d00 * d11 - d01 * d01, 1e-12)
    v, w = (d11 * d20 - d01 * d21) / area, (d00 * d21 - d01 * d20) / area
    inside = (v >= 0) & (w >= 0) & (v + w <= 1)
    # Outside the triangle the nearest point lies on one of its three edges.
    on_ab = np.clip(d20 / np.maximum(d00, 1e-12), 0, 1)
    on_ac = np.clip(d21 / np.maximum(d11, 1e-12), 0, 1)
    bc = c - b
    on_bc = np.clip(((p - b) * bc).sum(-1) / np.maximum((bc * bc).sum(-1), 1e-12), 0, 1)
    zero = np.zeros_like(v)
    options = np.stack(
        [
            np.stack([1 - v - w, v, w], -1),
            np.stack([1 - on_ab, on_ab, zero], -1),
            np.stack([1 - on_ac, zero, on_ac], -1),
            np.stack([zero, 1 - on_bc, on_bc], -1),
        ],
        axis=-2,
    )
    triangle = np.stack([a, b, c], axis=-2)[..., None, :, :]
    reached = (options[..., None] * triangle).sum(-2)
    distance = np.linalg.norm(reached - p[..., None, :], axis=-1)
    distance[..., 0] = np.where(inside, -1, np.inf)
    choice = distance.argmin(-1)
    return np.take_along_axis(options, choice[..., None, None], axis=-2)[..., 0, :]
