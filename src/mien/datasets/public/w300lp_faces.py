"""300W-LP to learn from: a held-out part chosen by photo, so that no face stands on both sides.

The set turns each photo to up to 18 yaws (``AFW_134212_1_0`` to ``AFW_134212_1_17``), and some
photos hold several faces (``AFW_134212_1_0``, ``AFW_134212_2_0``). All of them are one photo here.
The mirrored folders are left out: training mirrors half of its crops itself.

Points count pixels from 0, as everywhere here; the set's count from 1:
``docs/decisions/0014-300w-lp.md``.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
from jaxtyping import Float

from mien.datasets.labelled_face import LabelledFace
from mien.datasets.public.head_basis import HeadBasis
from mien.datasets.public.w300lp import read_w300lp
from mien.errors import DataError

__all__ = ["W300lpFaces", "photo_of"]

_HELD_OUT = 0.02
"""Share of the photos that are validated on, one at least."""
_FACES_NUMBERED = ("AFW", "HELEN", "IBUG")
"""Subsets whose names number the faces of a photo before the turned copies."""


class W300lpFaces:
    """The train or val faces of a folder ``300W_LP``, read from their files when asked for."""

    def __init__(self, root: Path, *, split: str, basis: HeadBasis | None = None) -> None:
        """List the faces of ``split``, ``train`` or ``val``.

        Args:
            basis: gives depth; without one z is 0, and no loss must read it.

        Raises:
            DataError: not such a folder, or so few photos that one side stays empty.
        """
        self.name = "300w-lp"
        self._photos = read_w300lp(root, basis=basis)
        photos = [photo_of(entry.name) for entry in self._photos.entries]
        held_out = _held_out(set(photos))
        self._chosen = [
            index for index, photo in enumerate(photos) if (photo in held_out) == (split == "val")
        ]
        if not self._chosen:
            raise DataError(f"{root} has no photo left for {split}: give the whole of 300W-LP")

    def __len__(self) -> int:
        return len(self._chosen)

    def name_of(self, index: int) -> str:
        """The picture's name in the set, such as ``AFW/AFW_134212_1_0``."""
        return self._photos.entries[self._chosen[index]].name

    def load(self, index: int) -> LabelledFace:
        photo = self._photos[self._chosen[index]]
        points = photo.points_image
        return LabelledFace(photo.read_rgb(), _in_space(points), np.ones(len(points), bool))


def photo_of(name: str) -> str:
    """The photo behind a picture of the set: ``AFW/AFW_134212_1_0`` to ``AFW/AFW_134212``."""
    face = re.sub(r"_\d+$", "", name)
    if name.split("/")[0].removesuffix("_Flip") in _FACES_NUMBERED:
        face = re.sub(r"(_\d+)_\d+$", r"\1", face)
    return face.replace("_Flip/", "/", 1)


def _held_out(photos: set[str]) -> set[str]:
    """The photos with the smallest digests: as good as drawn, and the same on every machine."""
    ordered = sorted(photos, key=lambda photo: hashlib.sha256(photo.encode()).digest())
    return set(ordered[: max(1, round(_HELD_OUT * len(ordered)))])


def _in_space(points: Float[np.ndarray, "68 dims"]) -> Float[np.ndarray, "68 3"]:
    depth = points[:, 2] - points[:, 2].mean() if points.shape[1] == 3 else np.zeros(len(points))
    return np.column_stack([points[:, :2], depth]).astype(np.float32)
