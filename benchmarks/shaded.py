"""A mesh drawn as clay, lit from the camera: for pictures in the docs."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, Integer, UInt8

from mien.synthesis.head.raster import rasterise

__all__ = ["shaded"]


def shaded(
    points_image: Float[np.ndarray, "vertices 3"],
    triangles: Integer[np.ndarray, "triangles 3"],
    size: tuple[int, int],
    *,
    clay: tuple[int, int, int] = (206, 190, 178),
    paper: tuple[int, int, int] = (250, 250, 248),
) -> UInt8[np.ndarray, "height width 3"]:
    """Vertices in px of a picture of (width, height), z away from the camera in the same unit."""
    width, height = 2 * size[0], 2 * size[1]  # twice as fine, then shrunk
    points = (points_image * 2).astype(np.float32)
    corners = points[triangles]
    faces = np.cross(corners[:, 2] - corners[:, 0], corners[:, 1] - corners[:, 0])
    normals = np.zeros_like(points)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], faces)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    seen = rasterise(points, triangles.astype(np.int64), height, width)
    normal = seen.blend(normals)
    light = np.array([-0.3, -0.35, -0.9])
    toward = np.abs(normal @ (light / np.linalg.norm(light)))
    shade = (0.32 + 0.68 * toward)[:, None]
    picture = np.empty((height * width, 3), np.float32)
    picture[:] = paper
    picture[seen.pixel] = np.array(clay) * shade
    picture = cv2.resize(picture.reshape(height, width, 3), size, interpolation=cv2.INTER_AREA)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)
