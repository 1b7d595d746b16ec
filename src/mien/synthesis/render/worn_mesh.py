"""Meshes of worn things: beams along a path, grids, and paths over the skin of one side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

__all__ = ["WornMesh", "along_the_side", "grid", "joined", "tube"]

_BESIDE_CM = 0.5
"""Skin up to so far from a place along the side, up, down, before or behind, keeps it off."""
_EAR_FROM_CM = -1.5
"""Depth from which the ear itself flares out: a bar or loop lies behind its root there."""


@dataclass(frozen=True)
class WornMesh:
    """Triangles to be seen from both sides."""

    vertices_cm: Float[np.ndarray, "vertices 3"]
    triangles: Int[np.ndarray, "triangles 3"]
    bgr: Float[np.ndarray, "vertices 3"]
    cover: Float[np.ndarray, " vertices"]
    """1 hides what lies behind; lenses let some of it through."""


def along_the_side(
    vertices: Float[np.ndarray, "vertices 3"],
    start: Float[np.ndarray, " 3"],
    end: Float[np.ndarray, " 3"],
    off_cm: float,
) -> Float[np.ndarray, "steps 3"]:
    """A line over the skin of one side of the head, ``off_cm`` off it, to the ear."""
    path = start + np.linspace(0, 1, 12)[:, None] * (end - start)
    side = np.sign(end[0])
    for place in path[1:]:
        near = np.abs(vertices[:, 1:] - place[1:]).max(axis=1) < _BESIDE_CM
        if near.any() and place[2] < _EAR_FROM_CM:
            skin = float((side * vertices[near, 0]).max()) + off_cm
            place[0] = side * max(side * place[0], skin)
    return np.asarray(path)


def tube(
    path: Float[np.ndarray, "steps 3"],
    upright: Float[np.ndarray, " 3"],
    half_across: float,
    half_up: float,
    bgr: Float[np.ndarray, " 3"],
    closed: bool = False,
) -> WornMesh:
    """A beam of rectangular section along a path."""
    ahead = np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0)
    if not closed:
        ahead[0], ahead[-1] = path[1] - path[0], path[-1] - path[-2]
    across = np.cross(ahead, upright)
    across *= half_across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-6)
    up = half_up * upright
    corners = [path + a * across + b * up for a, b in ((1, 1), (1, -1), (-1, -1), (-1, 1), (1, 1))]
    steps = np.stack(corners, axis=1)
    if closed:
        steps = np.concatenate([steps, steps[:1]])
    count = steps.shape[0] * steps.shape[1]
    return WornMesh(
        steps.reshape(-1, 3),
        grid(steps.shape[0], steps.shape[1], closed=False),
        np.tile(np.asarray(bgr, np.float64), (count, 1)),
        np.ones(count, np.float32),
    )


def grid(rows: int, columns: int, closed: bool) -> Int[np.ndarray, "triangles 3"]:
    """Triangles of a grid of vertices; ``closed`` joins its last column to the first."""
    number = np.arange(rows * columns).reshape(rows, columns)
    if closed:
        number = np.concatenate([number, number[:, :1]], axis=1)
    a, b = number[:-1, :-1].ravel(), number[:-1, 1:].ravel()
    c, d = number[1:, :-1].ravel(), number[1:, 1:].ravel()
    return np.concatenate([np.stack([a, b, c], axis=-1), np.stack([b, d, c], axis=-1)])


def joined(parts: list[WornMesh]) -> WornMesh:
    """One mesh of several."""
    first = np.cumsum([0, *(len(part.vertices_cm) for part in parts)])
    return WornMesh(
        np.concatenate([part.vertices_cm for part in parts]).astype(np.float32),
        np.concatenate([part.triangles + n for part, n in zip(parts, first[:-1], strict=True)]),
        np.clip(np.concatenate([part.bgr for part in parts]), 0, 255).astype(np.float32),
        np.concatenate([part.cover for part in parts]),
    )
