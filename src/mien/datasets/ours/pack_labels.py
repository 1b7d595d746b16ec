"""One 3D label a face of our pack, joined from its three sources.

The pack (``faces.npz``) holds manual 2D points, MediaPipe's mesh and 3DDFA_V2's points; no one of
them is best everywhere (``docs/decisions/0003-training-labels.md``):

* inner 51 points: manual where the annotation is careful (helen, afw); elsewhere a ridge
  regression from both teachers to the manual points, learned on the careful *train* photos;
* jaw and depth: 3DDFA_V2 (the 300W-LP convention, fixed on the head), moved by the similarity
  that takes its inner points to ours.
"""

from __future__ import annotations

import functools
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from mien.errors import DataError
from mien.geometry.similarity import umeyama

__all__ = ["PackLabels", "load_pack_labels"]

_MISSING = -32768
_CAREFUL = ("helen", "afw")
_TRUSTED_DISAGREEMENT = 0.05
"""Above it one of the teachers is wrong (data README: 0.04 is the first doubt)."""
_RIDGE = 0.3
"""Least error on helen val of 0.003 to 1 in half decades."""


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
    manual_inner: Bool[np.ndarray, " faces"]

    def __len__(self) -> int:
        return len(self.path)


@functools.cache
def load_pack_labels(root: Path) -> PackLabels:
    """Read ``faces.npz`` below ``root`` and join its labels.

    Raises:
        DataError: the folder holds no such pack, or none with careful manual labels to learn from.
    """
    file = root / "faces.npz"
    if not file.is_file():
        raise DataError(f"{root} holds no faces.npz: give the folder of the face pack")
    try:
        with file.open("rb") as stream, np.load(stream) as pack:
            source, split = pack["source"], pack["split"]
            manual = _points(pack["manual68"], 32)
            mesh = _points(pack["mediapipe478"], 16)[:, :, :2]
            teacher = _points(pack["tddfa68"], 32)
            disagreement = pack["disagreement"].astype(np.float64)
            path = pack["path"]
    except (OSError, ValueError, KeyError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise DataError(f"{file} is not a whole face pack ({error}): copy it again") from error
    teacher[:, :, 2] *= -1  # the file's z grows towards the camera
    careful = np.isin(source, _CAREFUL) & np.isfinite(manual[:, 0, 0])
    agreed = disagreement < _TRUSTED_DISAGREEMENT  # False where it is NaN
    if agreed.any() and not (agreed & careful & (split == "train")).any():
        raise DataError(
            f"{file} has no train face of {' or '.join(_CAREFUL)} with manual labels and both "
            "teachers: the others' labels are learned from these"
        )
    inner = teacher[:, 17:, :2].copy()
    inner[agreed] = _regress_inner(mesh, teacher, manual, agreed, careful & (split == "train"))
    inner[careful] = manual[careful, 17:]
    points = np.stack([_join(face, own) for face, own in zip(teacher, inner, strict=True)])
    trusted = np.repeat(agreed[:, None], 68, axis=1)
    trusted[careful, 17:] = True
    return PackLabels(
        tuple(map(str, path)), tuple(map(str, source)), tuple(map(str, split)),
        points.astype(np.float32), trusted, careful,
    )  # fmt: skip


def _points(stored: np.ndarray, units_per_px: int) -> Float[np.ndarray, "faces points dims"]:
    points = stored.astype(np.float64) / units_per_px
    points[stored == _MISSING] = np.nan
    return points


def _regress_inner(
    mesh: Float[np.ndarray, "faces 478 2"],
    teacher: Float[np.ndarray, "faces 68 3"],
    manual: Float[np.ndarray, "faces 68 2"],
    wanted: Bool[np.ndarray, " faces"],
    known: Bool[np.ndarray, " faces"],
) -> Float[np.ndarray, "wanted 51 2"]:
    """Manual inner points guessed from both teachers, in each face's own scale and place."""
    centre = teacher[:, :, :2].mean(axis=1, keepdims=True)
    spread = np.sqrt(((teacher[:, :, :2] - centre) ** 2).mean(axis=(1, 2)))[:, None, None]
    both = np.concatenate([mesh, teacher[:, :, :2]], axis=1)
    features = ((both - centre) / spread).reshape(len(mesh), -1)
    learn = known & wanted
    targets = ((manual - centre) / spread)[learn, 17:].reshape(int(learn.sum()), -1)
    mean, target_mean = features[learn].mean(axis=0), targets.mean(axis=0)
    inputs = features[learn] - mean
    gram = inputs.T @ inputs + _RIDGE * np.eye(inputs.shape[1])
    weights = np.linalg.solve(gram, inputs.T @ (targets - target_mean))
    guess = ((features[wanted] - mean) @ weights + target_mean).reshape(-1, 51, 2)
    result: Float[np.ndarray, "wanted 51 2"] = guess * spread[wanted] + centre[wanted]
    return result


def _join(
    teacher: Float[np.ndarray, "68 3"], inner: Float[np.ndarray, "51 2"]
) -> Float[np.ndarray, "68 3"]:
    """The teacher's jaw and depth under our inner points."""
    scale, rotation, translation = umeyama(teacher[17:, :2], inner)
    jaw = scale * teacher[:17, :2] @ rotation.T + translation
    depth = scale * teacher[:, 2]
    return np.column_stack([np.concatenate([jaw, inner]), depth - depth.mean()])
