"""AFLW2000-3D: 2000 photos of 450 px with 68 points in 3D (Zhu et al., CVPR 2016).

The folder holds ``imageNNNNN.jpg`` with ``imageNNNNN.mat`` beside it, as the authors publish it.
Why x and y are taken as stored, and z and yaw are not: ``docs/decisions/0010-aflw2000.md``.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from pathlib import Path

import numpy as np
from jaxtyping import Float

from mien.datasets.photo import LabelledPhoto, OtherTruth
from mien.datasets.public.mat_file import MatFile
from mien.errors import DataError, reason_of
from mien.geometry.convention import Convention

__all__ = ["read_aflw2000"]


def read_aflw2000(root: Path) -> tuple[LabelledPhoto, ...]:
    """All photos of the folder, in the order of their names.

    A ``labels.npz`` beside them with ``name`` and ``reannotated_68`` (n, 68, 2) gives each photo
    it names a second truth, ``reannotated``.

    Raises:
        DataError: not such a folder, or a ``.mat`` file is missing, damaged or of another shape.
    """
    photos = sorted(root.glob("image*.jpg")) if root.is_dir() else []
    if not photos:
        raise DataError(
            f"{root} holds no imageNNNNN.jpg: give the folder of AFLW2000-3D that holds the "
            "photos and their .mat files"
        )
    second = _read_reannotation(root / "labels.npz")
    return tuple(_read_photo(path, second.get(path.stem)) for path in photos)


def _read_photo(image_path: Path, reannotated: Float[np.ndarray, "68 2"] | None) -> LabelledPhoto:
    mat_path = image_path.with_suffix(".mat")
    if not mat_path.is_file():
        raise DataError(f"{image_path.name} has no {mat_path.name} beside it: copy the set again")
    fields = MatFile.read(mat_path, "pt3d_68", "Pose_Para", belongs_to="AFLW2000-3D")
    points = fields.matrix("pt3d_68", (3, 68)).T
    points[:, 2] = points[:, 2].mean() - points[:, 2]  # stored: towards the camera
    others = () if reannotated is None else (OtherTruth("reannotated", reannotated),)
    euler = _euler_deg(fields)
    return LabelledPhoto(
        image_path.stem,
        image_path,
        points,
        yaw_deg=None if euler is None else -euler[1],  # theirs is positive towards the image's left
        euler_300w_lp_deg=euler,
        other_truths=others,
        convention=Convention.W300LP,
    )


def _euler_deg(fields: MatFile) -> tuple[float, float, float] | None:
    """``Pose_Para`` is pitch, yaw, roll, ... in radians."""
    if "Pose_Para" not in fields:
        return None
    pitch, yaw, roll = (math.degrees(angle) for angle in fields.vector("Pose_Para", 3))
    return pitch, yaw, roll


def _read_reannotation(path: Path) -> dict[str, Float[np.ndarray, "68 2"]]:
    """``labels.npz``, if it is there: stem of the photo -> its second truth."""
    if not path.is_file():
        return {}
    try:
        with path.open("rb") as stream, np.load(stream) as labels:
            if "name" not in labels or "reannotated_68" not in labels:
                return {}
            names, points = labels["name"], labels["reannotated_68"].astype(np.float64)
    except (OSError, ValueError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path} is no readable .npz file ({reason_of(error)}): copy it again"
        ) from error
    if points.shape != (len(names), 68, 2):
        raise DataError(
            f"{path}: reannotated_68 should be ({len(names)}, 68, 2), one row a name, not "
            f"{points.shape}"
        )
    return {Path(str(name)).stem: row for name, row in zip(names, points, strict=True)}
