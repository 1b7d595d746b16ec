"""One 3D label a face of our pack, joined from its three sources.

The pack holds manual 2D points, MediaPipe's mesh and a teacher's 68 points (3DDFA_V2's, or our own
network's); no one of them is best everywhere (``docs/decisions/0003-training-labels.md``):

* inner 51 points: manual where people clicked them; our own network's where it found them;
  elsewhere, if the teachers agree, a ridge regression from both teachers to the manual points,
  learned on the clicked *train* photos. Both teachers see the same features, but each puts its
  points a little elsewhere than people do, and differently so for each shape and pose of a face;
* jaw and depth: the teacher's (the 300W-LP convention, fixed on the head), moved by the similarity
  that takes its inner points to ours. 3DDFA_V2 errs as a whole, by 0.014 of the face's size to the
  image's left on frontal faces.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int

from mien.datasets.ours.pack import FacePack, read_pack

__all__ = ["KnownPoints", "PackLabels", "guess_clicks", "known_points", "load_pack_labels"]

_RIDGE = 1.0
"""Least error on helen val and afw val of 0.03 to 10 in half decades
(``docs/decisions/0015-clicked-points.md``)."""
_MIN_EXAMPLES = 20
"""So many examples already guess better than the teacher's own points."""
_RIGHT_EYE, _LEFT_EYE = slice(36, 42), slice(42, 48)


@dataclass(frozen=True)
class KnownPoints:
    """The best that is known of some faces, in px of the stored pictures."""

    inner51: Float[np.ndarray, "faces 51 2"]
    """Manual where trusted, our own network's where it made them, guessed where teachers agree,
    NaN elsewhere."""
    teacher68: Float[np.ndarray, "faces 68 3"]
    """The teacher's points, aligned with ``inner51`` where they are known."""

    def take(self, rows: Int[np.ndarray, " rows"]) -> KnownPoints:
        """Some of the faces."""
        return KnownPoints(self.inner51[rows], self.teacher68[rows])


@dataclass(frozen=True)
class PackLabels:
    """Labels and provenance of the pack's faces, in the pixels of the stored pictures."""

    path: tuple[str, ...]
    source: tuple[str, ...]
    split: tuple[str, ...]
    points: Float[np.ndarray, "faces 68 3"]
    """z away from the camera, 0 at each face's mean."""
    trusted: Bool[np.ndarray, "faces 68"]
    """Points good enough to learn from."""

    def __len__(self) -> int:
        return len(self.path)


@functools.cache
def load_pack_labels(root: Path) -> PackLabels:
    """Read the face pack of a folder and join its labels.

    Raises:
        DataError: the folder holds no such pack.
    """
    pack = read_pack(root)
    known = known_points(pack)
    points = known.teacher68.astype(np.float64)
    inner = np.isfinite(known.inner51)
    points[:, 17:, :2] = np.where(inner, known.inner51, points[:, 17:, :2])
    points[..., 2] -= points[..., 2].mean(axis=1, keepdims=True)
    good = pack.teachers_agree | pack.surely_annotated
    trusted = np.repeat(good[:, None], 68, axis=1)
    trusted[pack.trusted_manual, 17:] = True
    return PackLabels(
        path=tuple(map(str, pack.path)),
        source=tuple(map(str, pack.source)),
        split=tuple(map(str, pack.split)),
        points=points.astype(np.float32),
        trusted=trusted,
    )


def known_points(pack: FacePack) -> KnownPoints:
    """Join manual points and teachers.

    Guesses need some twenty clicked train photos in the pack; with fewer there are none.
    """
    inner = np.full((len(pack), 51, 2), np.nan, np.float32)
    clicked, agree = pack.trusted_manual, pack.teachers_agree
    examples = clicked & agree & (pack.split == "train")
    if examples.sum() >= _MIN_EXAMPLES:
        inner[agree] = guess_clicks(pack, examples, _RIDGE)[agree]
    inner[pack.annotated] = pack.teacher68[pack.annotated, 17:, :2]
    inner[clicked] = pack.manual68[clicked, 17:]
    return KnownPoints(inner, _aligned(pack.teacher68, inner))


def guess_clicks(
    pack: FacePack, examples: Bool[np.ndarray, " faces"], ridge: float
) -> Float[np.ndarray, "faces 51 2"]:
    """Where people would have clicked the inner points of every face, learned from ``examples``.

    A ridge regression from all points of both teachers, each face upright and of one size. Of
    faces without a mesh the result means nothing.
    """
    teacher = pack.teacher68[..., :2].astype(np.float64)
    centre = teacher.mean(axis=1, keepdims=True)
    # Upright and of one size: the line through the eyes' middles and the spread of the points.
    across = teacher[:, _LEFT_EYE].mean(axis=1) - teacher[:, _RIGHT_EYE].mean(axis=1)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    spread = np.sqrt(((teacher - centre) ** 2).mean(axis=(1, 2)))[:, None, None]
    upright = np.stack([across, across[:, ::-1] * [-1, 1]], axis=1) / spread
    both = np.concatenate([np.nan_to_num(pack.mesh478[..., :2]), teacher], axis=1)
    inputs = ((both - centre) @ upright.transpose(0, 2, 1)).reshape(len(both), -1)
    goals = (pack.manual68[:, 17:] - centre) @ upright.transpose(0, 2, 1)
    goals = goals.reshape(len(goals), -1)[examples]
    mean, goal_mean = inputs[examples].mean(axis=0), goals.mean(axis=0)
    known = inputs[examples] - mean
    gram = known.T @ known + ridge * np.eye(known.shape[1])
    weights = np.linalg.solve(gram, known.T @ (goals - goal_mean))
    guess = ((inputs - mean) @ weights + goal_mean).reshape(len(both), 51, 2)
    back: Float[np.ndarray, "faces 51 2"] = guess @ upright * spread**2 + centre
    return back.astype(np.float32)


def _aligned(
    teacher: Float[np.ndarray, "faces 68 3"], inner: Float[np.ndarray, "faces 51 2"]
) -> Float[np.ndarray, "faces 68 3"]:
    """Least-squares similarities of the plane, as products of complex numbers."""
    aligned = teacher.astype(np.float32)
    known = np.isfinite(inner).all(axis=(1, 2)) & np.isfinite(teacher).all(axis=(1, 2))
    plane = teacher[known, :, 0] + 1j * teacher[known, :, 1]
    goal = inner[known, :, 0] + 1j * inner[known, :, 1]
    middle, goal_middle = (x.mean(axis=1, keepdims=True) for x in (plane[:, 17:], goal))
    away = plane[:, 17:] - middle
    factor = ((goal - goal_middle) * away.conj()).sum(1) / (np.abs(away) ** 2).sum(1)
    moved = (plane - middle) * factor[:, None] + goal_middle
    depth = teacher[known, :, 2] * np.abs(factor)[:, None]
    aligned[known] = np.stack([moved.real, moved.imag, depth], axis=-1)
    return aligned
