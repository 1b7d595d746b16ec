"""Which triangle a pixel sees: a z-buffer in numpy, for meshes of small triangles."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

__all__ = ["Raster", "rasterise"]

_ON_EDGE = -1e-4
"""Barycentric weight from which on a pixel counts as inside: no crack between two triangles."""


@dataclass(frozen=True)
class Raster:
    """The covered pixels of a picture, each with what it sees."""

    height: int
    width: int
    pixel: Int[np.ndarray, " covered"]
    """Row-major index of every covered pixel, each once."""
    corners: Int[np.ndarray, "covered 3"]
    """Vertices of the triangle seen there."""
    weights: Float[np.ndarray, "covered 3"]
    """Barycentric place inside that triangle."""
    depth: Float[np.ndarray, "height width"]
    """z of the surface, infinite where there is none."""

    @property
    def mask(self) -> Bool[np.ndarray, "height width"]:
        """Pixels that see the mesh."""
        covered: Bool[np.ndarray, "height width"] = np.isfinite(self.depth)
        return covered

    def part(self, covered: Int[np.ndarray, " some"]) -> Raster:
        """Only some of the covered pixels, given by their places in ``pixel``."""
        return replace(
            self,
            pixel=self.pixel[covered],
            corners=self.corners[covered],
            weights=self.weights[covered],
        )

    def blend(
        self, values: Float[np.ndarray, "vertices dims"]
    ) -> Float[np.ndarray, "covered dims"]:
        """Values given at vertices, interpolated at the covered pixels."""
        w = self.weights
        a, b, c = self.corners.T
        out: Float[np.ndarray, "covered dims"] = (
            values[a] * w[:, :1] + values[b] * w[:, 1:2] + values[c] * w[:, 2:]
        )
        return out


def rasterise(
    points_image: Float[np.ndarray, "vertices 3"],
    triangles: Int[np.ndarray, "triangles 3"],
    height: int,
    width: int,
) -> Raster:
    """Draw a mesh seen along z; triangles wound against the camera are culled.

    The work grows with the area of the triangles' bounding boxes, so small triangles are cheap.
    """
    p = points_image.astype(np.float32)
    x, y = p[:, 0][triangles], p[:, 1][triangles]
    area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    # Column by column here and below: numpy is slow at reducing an axis of three.
    (left, right), (top, bottom) = (
        (
            np.ceil(np.clip(np.minimum(np.minimum(a, b), c), 0, size)).astype(np.int32),
            np.floor(np.clip(np.maximum(np.maximum(a, b), c), -1, size - 1)).astype(np.int32),
        )
        for (a, b, c), size in ((x.T, width), (y.T, height))
    )
    seen = np.flatnonzero((area < -1e-6) & (right >= left) & (bottom >= top))
    columns, rows = right[seen] - left[seen] + 1, bottom[seen] - top[seen] + 1
    count = columns * rows
    owner = np.repeat(np.arange(len(seen)), count)
    place = np.arange(len(owner), dtype=np.int32) - np.repeat(np.cumsum(count) - count, count)
    row = place // columns[owner]
    pixel_x = left[seen][owner] + place - row * columns[owner]
    pixel_y = top[seen][owner] + row
    # Barycentric weights are affine in the pixel: precompute their slopes once a triangle.
    x, y, inverse = x[seen], y[seen], (1 / area[seen])[:, None]
    slope_x = (np.roll(y, -1, 1) - np.roll(y, 1, 1)) * inverse
    slope_y = (np.roll(x, 1, 1) - np.roll(x, -1, 1)) * inverse
    level = np.array([1, 0, 0], np.float32) - slope_x * x[:, :1] - slope_y * y[:, :1]
    first, second = (
        level[owner, k] + slope_x[owner, k] * pixel_x + slope_y[owner, k] * pixel_y for k in (0, 1)
    )
    third = 1 - first - second
    inside = np.flatnonzero((first >= _ON_EDGE) & (second >= _ON_EDGE) & (third >= _ON_EDGE))
    owner = owner[inside]
    weights = np.stack([first[inside], second[inside], third[inside]], axis=1).astype(np.float32)
    pixel = pixel_y[inside].astype(np.int64) * width + pixel_x[inside]
    z = p[:, 2][triangles[seen]]
    depth = sum(weights[:, k] * z[owner, k] for k in range(3))
    buffer = np.full(height * width, np.inf, np.float32)
    np.minimum.at(buffer, pixel, depth)
    winner = np.full(height * width, -1, np.int64)
    nearest = np.flatnonzero(depth <= buffer[pixel])
    winner[pixel[nearest]] = nearest
    covered = np.flatnonzero(winner >= 0)
    chosen = winner[covered]
    return Raster(
        height=height,
        width=width,
        pixel=covered,
        corners=triangles[seen][owner[chosen]],
        weights=weights[chosen],
        depth=buffer.reshape(height, width),
    )
