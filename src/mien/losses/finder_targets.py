"""What the maps of a face finder should say of a picture whose faces are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from mien.datasets.ours.finder_set import PictureFaces

__all__ = ["TARGET_CHANNELS", "LevelSpec", "level_target"]

TARGET_CHANNELS = 18
"""Heat, weight of the heat, weight of the place, centre (2), log size, points (10), weight of the
points, and the face's size in strides."""

_SPREAD, _LEAST_SPREAD, _MOST_SPREAD = 0.15, 0.55, 1.6
_PLACE_FROM = 0.3
"""Heat from which a cell's place is learned."""
_NEAR_RANGE = 1.35
"""A face outside a map's range by up to this factor is not counted against the map."""
_LEAST_IGNORED = 0.8
"""Cells about the middle of a face that is not asked for: its own cell at least."""
_NEAREST = 0.999
"""Of the heat so far: a cell is the place of the face whose heat it has, a rounding error apart."""


@dataclass(frozen=True)
class LevelSpec:
    """One map: its stride, px, and the smallest and largest faces it is for, in strides."""

    stride: int
    least: float
    most: float


def level_target(
    faces: PictureFaces, level: LevelSpec, rows: int, cols: int
) -> Float32[np.ndarray, "18 rows cols"]:
    """The target of one map; where two faces meet, the smaller has the cell.

    Heat falls from 1 at the cell of a face's centre as a Gaussian about the centre itself, with a
    spread of 0.15 sizes. Cells about a face that is not sure have no weight.
    """
    target = np.zeros((TARGET_CHANNELS, rows, cols), np.float32)
    heat, heat_weight = target[0], target[1]
    heat_weight[:] = 1
    down, right = np.mgrid[0:rows, 0:cols].astype(np.float64)
    for face in np.argsort(-faces.size):
        size = faces.size[face] / level.stride
        centre = (faces.centre[face] + 0.5) / level.stride - 0.5  # in cells, middles at integers
        away = np.hypot(right - centre[0], down - centre[1])
        wanted = level.least <= size <= level.most
        if not (wanted and faces.sure[face]):
            near = level.least / _NEAR_RANGE <= size <= level.most * _NEAR_RANGE
            if near or not faces.sure[face]:
                heat_weight[away <= max(0.5 * size, _LEAST_IGNORED)] = 0
            continue
        spread = float(np.clip(_SPREAD * size, _LEAST_SPREAD, _MOST_SPREAD))
        own = np.exp(-(away**2) / (2 * spread**2))
        row, col = (round(float(v)) for v in (centre[1], centre[0]))
        if 0 <= row < rows and 0 <= col < cols:
            own[row, col] = 1
            heat_weight[row, col] = 1
        np.maximum(heat, own, out=heat)
        mine = own >= np.maximum(_PLACE_FROM, heat * _NEAREST)
        _write_place(target, mine, faces, int(face), centre, size, right, down)
    return target


def _write_place(
    target: np.ndarray,
    mine: np.ndarray,
    faces: PictureFaces,
    face: int,
    centre: np.ndarray,
    size: float,
    right: np.ndarray,
    down: np.ndarray,
) -> None:
    """Centre, size and points of one face into its cells."""
    target[2][mine] = target[0][mine]
    target[3][mine] = (centre[0] - right)[mine]
    target[4][mine] = (centre[1] - down)[mine]
    target[5][mine] = np.log(size)
    shares = ((faces.points[face] - faces.centre[face]) / faces.size[face]).ravel()
    known = bool(np.isfinite(shares).all())
    for channel, share in enumerate(shares, start=6):
        target[channel][mine] = share if known else 0
    target[16][mine] = float(known)
    target[17][mine] = size
