"""A face pack of made-up faces whose true points are known, for labels, training and export.

Each face is the mean head, posed, with an open mouth and a smile of its own. The pack's teachers
are wrong in known ways: 3DDFA's points are the truth moved by one similarity, MediaPipe's mesh is a
linear mixture of the inner points.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mien.geometry import Similarity, rotation_from_angles
from mien.markup import load_markup
from mien.types import HeadPose

SIDE = 96
MISSING = -32768
TEACHERS_MISTAKE = Similarity.about((48.0, 48.0), scale=1.08, angle_rad=0.05, shift=(2.0, -1.5))


@dataclass(frozen=True)
class TinyPack:
    """Where it is, and the truth: points (n, 68, 3) in px, z away from the camera."""

    root: Path
    points: np.ndarray
    source: tuple[str, ...]
    split: tuple[str, ...]


def write_tiny_pack(
    root: Path,
    sources: tuple[str, ...] = ("helen", "lfw"),
    *,
    train: int = 6,
    val: int = 2,
) -> TinyPack:
    """Write ``faces.npz`` and ``faces/``: so many train and val faces of each source.

    Faces of lfw have no manual points, and lie in the file's order after those of helen.
    """
    rng = np.random.default_rng(0)
    source = tuple(name for name in sources for _ in range(train + val))
    split = ("train",) * train + ("val",) * val
    split = split * len(sources)
    points = np.stack([a_face(rng) for _ in source])
    mixture = rng.dirichlet(np.ones(51) * 0.05, 478)
    mesh = np.concatenate([mixture @ points[:, 17:, :2] + [1.0, -2.0], np.zeros((len(source), 478, 1))], axis=2)  # fmt: skip  # noqa: E501
    teacher = np.stack([TEACHERS_MISTAKE.apply(face) for face in points]) * [1, 1, -1]
    manual = stored(points[:, :, :2], 32)
    manual[[name == "lfw" for name in source]] = MISSING
    paths = [f"{name}/{index:03d}.png" for index, name in enumerate(source)]
    for path, face in zip(paths, points, strict=True):
        file = root / "faces" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), picture(face, rng))
    np.savez(
        root / "faces.npz",
        path=np.array(paths),
        source=np.array(source),
        split=np.array(split),
        manual68=manual,
        mediapipe478=stored(mesh, 16),
        tddfa68=stored(teacher, 32),
        disagreement=np.full(len(source), 0.02, np.float32),
    )
    return TinyPack(root, points, source, split)


def stored(points: np.ndarray, units_per_px: int) -> np.ndarray:
    """As the pack keeps them."""
    return np.asarray(np.round(points * units_per_px), dtype=np.int16)


def a_face(rng: np.random.Generator) -> np.ndarray:
    markup = load_markup(68)
    shape = markup.mean_shape.copy()
    shape[list(markup.part("mouth_outer").indices), 1] *= 1 + 0.3 * rng.random()
    shape[list(markup.part("brow_left").indices), 1] -= 0.06 * rng.random()
    shape[list(markup.part("brow_right").indices), 1] -= 0.06 * rng.random()
    yaw, pitch, roll = rng.uniform(-8, 8, 3)
    rotation = rotation_from_angles(HeadPose(yaw, pitch, roll))
    place = np.append(rng.uniform(45, 51, 2), 0)
    face: np.ndarray = rng.uniform(36, 44) * shape @ rotation.T
    return np.asarray(face - [0, 0, face[:, 2].mean()] + place)


def picture(face: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A smooth ground with the face's parts drawn on it, in OpenCV's colour order."""
    ground = rng.integers(60, 200, (3, 3, 3), dtype=np.uint8)
    image = cv2.resize(ground, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    for part in load_markup(68).parts:
        line = np.round(face[list(part.indices), :2] * 16).astype(np.int32)
        cv2.polylines(image, [line], part.closed, (10, 10, 10), 1, cv2.LINE_AA, 4)
    return np.asarray(image)
