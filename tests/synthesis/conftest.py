"""The clay head, faces that are known to be it, and their files."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.spatial import cKDTree

from mien.geometry.pose import rotation_from_angles
from mien.synthesis.fit.anchors import Anchors, save_anchors
from mien.synthesis.head.morphable import MorphableHead, load_head
from mien.synthesis.head.surface import SurfacePoints
from mien.types import HeadPose

sys.path.insert(0, str(Path(__file__).parent))

from clay import EYE, LIDS_LOWER, LIDS_UPPER, KnownFaces, write_head


@pytest.fixture(scope="session")
def head_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("head") / "head.npz"
    write_head(path)
    return path


@pytest.fixture(scope="session")
def head(head_file: Path) -> MorphableHead:
    return load_head(head_file)


@pytest.fixture(scope="session")
def anchors(head: MorphableHead) -> Anchors:
    vertices = np.random.default_rng(5).choice(head.face_vertices, 468, replace=False)
    tree = cKDTree(head.mean[: head.face_vertices, :2])
    for side, x in ((0, -EYE[0]), (3, EYE[0])):
        for step in range(3):
            column = x + 0.4 * (step - 1)
            vertices[LIDS_UPPER[side + step]] = tree.query([column, -EYE[1] - 0.75])[1]
            vertices[LIDS_LOWER[side + step]] = tree.query([column, -EYE[1] + 0.75])[1]
    return Anchors(
        mesh468=SurfacePoints.at_vertices(vertices),
        mesh_used=np.arange(0, 468, 4),
        points68=SurfacePoints.at_vertices(head.landmarks68),
        manual51=SurfacePoints.at_vertices(head.landmarks68[17:]),
    )


@pytest.fixture(scope="session")
def known_faces(
    tmp_path_factory: pytest.TempPathFactory, head: MorphableHead, anchors: Anchors
) -> KnownFaces:
    """Nine faces, three a split, drawn from known heads; photos are noise of a single tone."""
    folder = tmp_path_factory.mktemp("faces")
    rng = np.random.default_rng(7)
    count, side = 9, 200
    poses = [HeadPose(*rng.uniform([-30, -15, -15], [30, 15, 15])) for _ in range(count)]
    rotation = np.stack([rotation_from_angles(pose) for pose in poses])
    scale, shift = rng.uniform(4, 6, count), rng.uniform(90, 110, (count, 2))
    identity = rng.normal(size=(count, 3))
    split = np.array(["train", "val", "test"] * 3)
    source = np.array(["helen"] * count)
    mesh, points = np.zeros((count, 478, 3)), np.zeros((count, 68, 3))
    paths = []
    (folder / "faces").mkdir()
    for face in range(count):
        vertices = head.vertices(identity[face], np.zeros(len(head.expression)))
        placed = vertices @ rotation[face].T * scale[face] + [*shift[face], 0]
        mesh[face, :468], points[face] = anchors.mesh468.of(placed), anchors.points68.of(placed)
        paths.append(f"{split[face]}-{face}.jpg")
        tone = rng.integers(90, 160)
        photo = np.clip(rng.normal(tone, 12, (side, side, 3)), 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / "faces" / paths[-1]), photo)
    teacher = points * [1, 1, -1]  # the file's z grows towards the camera
    np.savez(
        folder / "faces.npz",
        path=np.array(paths),
        source=source,
        split=split,
        size=np.full(count, side, np.int16),
        manual68=np.round(points[..., :2] * 32).astype(np.int16),
        mediapipe478=np.round(mesh * 16).astype(np.int16),
        tddfa68=np.round(teacher * 32).astype(np.int16),
        disagreement=np.full(count, 0.01, np.float32),
    )
    return KnownFaces(folder / "faces.npz", rotation, scale, shift, identity)


@pytest.fixture(scope="session")
def anchors_file(
    tmp_path_factory: pytest.TempPathFactory, anchors: Anchors, head: MorphableHead
) -> Path:
    path = tmp_path_factory.mktemp("anchors") / "anchors.npz"
    save_anchors(path, anchors, head)
    return path
