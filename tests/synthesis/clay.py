"""A head made of sines: an ellipsoid with holes for eyes, mouth and neck, and a table of faces."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from mien.synthesis.head.morphable import MorphableHead

RADII = np.array([7.5, 17.0, 10.0])
EYE, MOUTH = np.array([3.2, 3.5]), np.array([0.0, -4.0])
SIDES = ("L", "R")
PLAIN = ("jawOpen", "jawLeft", "jawRight", "jawForward", "mouthFunnel", "mouthPucker")
PLAIN += ("mouthLeft", "mouthRight", "mouthRollLower", "mouthRollUpper")
PLAIN += ("mouthShrugLower", "mouthShrugUpper")
SIDED = ("browDown", "browInnerUp", "browOuterUp", "eyeBlink")
SIDED += ("mouthUpperUp", "mouthLowerDown", "mouthSmile", "mouthFrown", "mouthStretch")
SIDED += ("mouthDimple", "mouthPress", "noseSneer", "cheekPuff")
# Vertices of the MediaPipe mesh that the editor reads on the lids, image left then right.
LIDS_UPPER, LIDS_LOWER = (160, 159, 158, 387, 386, 385), (144, 145, 153, 373, 374, 380)


def head_of_size(head: MorphableHead, vertices: int) -> MorphableHead:
    """The same head with so many vertices, all of them in one place."""
    return replace(
        head,
        mean=np.zeros((vertices, 3), np.float32),
        identity=np.zeros((len(head.identity), vertices, 3), np.float32),
        expression=np.zeros((len(head.expression), vertices, 3), np.float32),
    )


def bump(points: np.ndarray, centre: tuple[float, float], width: float) -> np.ndarray:
    away = ((points[:, :2] - centre) ** 2).sum(axis=1) / width**2
    return np.exp(-away) * (points[:, 2] > 0)


JAW = np.array(
    [
        [-7.3, 2, 2],
        *(
            [-7 * np.cos(t), -9 * np.sin(t), 4 + 5 * np.sin(t)]
            for t in np.linspace(0.05, np.pi - 0.05, 15)
        ),
        [7.3, 2, 2],
    ]
)


def write_head(path: Path) -> None:
    """In the file's own frame: x to the person's left, y up, z forward."""
    rows, columns = 90, 120
    height = np.linspace(np.pi / 2, -0.43 * np.pi, rows)
    around = np.arange(columns) * 2 * np.pi / columns
    v, u = np.meshgrid(height, around, indexing="ij")
    ball = np.stack([np.cos(v) * np.sin(u), np.sin(v), np.cos(v) * np.cos(u)], -1).reshape(-1, 3)
    points = ball * RADII
    grid = np.arange(rows * columns).reshape(rows, columns)
    grid[0] = 0  # the crown is one vertex
    right = np.roll(grid, -1, axis=1)
    a, b, c, d = grid[:-1], grid[1:], right[1:], right[:-1]
    triangles = np.concatenate([np.stack(t, -1).reshape(-1, 3) for t in ((a, b, c), (a, c, d))])
    triangles = triangles[(triangles != np.roll(triangles, 1, axis=1)).all(axis=1)]
    centre = points[triangles].mean(axis=1)
    hole = np.zeros(len(triangles), bool)
    for middle, size in (
        ((EYE[0], EYE[1]), (1.5, 0.6)),
        ((-EYE[0], EYE[1]), (1.5, 0.6)),
        (tuple(MOUTH), (2.4, 0.5)),
    ):
        hole |= (((centre[:, :2] - middle) / size) ** 2).sum(axis=1) < 1
    triangles = triangles[~(hole & (centre[:, 2] > 0))]
    front_first = np.argsort(points[:, 2] <= 0, kind="stable")
    number = np.empty(len(points), int)
    number[front_first] = np.arange(len(points))
    points, triangles = points[front_first], number[triangles]
    faces = int((points[:, 2] > 0).sum())
    identity = np.stack([0.05 * points * axis for axis in np.eye(3)]).astype(np.float16)
    names = [*PLAIN, *(f"{name}_{side}" for name in SIDED for side in SIDES)]
    expression = np.zeros((len(names), len(points), 3))
    expression[names.index("jawOpen"), :, 1] = -1.5 * bump(points, (0, -8), 4)
    for side, x in (("L", EYE[0]), ("R", -EYE[0])):
        lid = bump(points, (x, EYE[1] + 0.8), 1.0)
        expression[names.index(f"eyeBlink_{side}"), :, 1] = -lid
        expression[names.index(f"browInnerUp_{side}"), :, 1] = bump(points, (x, 6.5), 2.0)
    tree = cKDTree(points[:faces])
    inner = np.random.default_rng(3).uniform([-4, -6, 8], [4, 7, 9], (51, 3))
    landmarks = tree.query(np.concatenate([JAW, inner]))[1]
    np.savez(
        path,
        mean=points.astype(np.float32),
        identity=identity,
        expression=expression.astype(np.float16),
        expression_names=np.array(names),
        triangles=triangles.astype(np.int32),
        landmarks68=landmarks,
        jaw_right=landmarks[:8],
        jaw_left=landmarks[9:17],
        chin=landmarks[8],
        region_names=np.array(["face", "head_neck"]),
        region_ranges=np.array([[0, faces], [faces, len(points)]]),
    )


@dataclass(frozen=True)
class KnownFaces:
    """Faces whose heads are known, and the table that tells of them."""

    table: Path
    rotation: np.ndarray
    scale: np.ndarray
    shift: np.ndarray
    identity: np.ndarray
