"""CFP profiles (Sengupta et al., WACV 2016) with the 30 points that people clicked.

A folder of ``NNN_NN.jpg`` and ``labels.npz``: ``name``, ``points68`` (n, 68, 2) in px of the photo,
NaN where nobody clicked (the far half), ``yaw_abs_deg``, ``faces_image_right`` and ``split`` (by
person). The clicked points lie at the places of the 68-point markup; those of the jaw follow the
outline that the photo shows. Research only.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, UInt8

from mien.datasets.labelled_face import LabelledFace
from mien.datasets.photo import decode_rgb, read_encoded
from mien.errors import DataError, reason_of
from mien.geometry import pose_head
from mien.geometry.convention import Convention, in_convention, mean_head_cm
from mien.geometry.jaw import with_dense_jaw, with_dense_jaw_flags

__all__ = ["CfpFaces", "ClickedProfile", "complete_profile", "read_cfp"]


@dataclass(frozen=True)
class ClickedProfile:
    """One photo of a turned head, and what was clicked on it."""

    name: str
    image_path: Path
    points_image: Float[np.ndarray, "68 2"]
    """Px; NaN where nobody clicked."""
    yaw_deg: float
    """An estimate from the points; positive when the face turns to the image's right."""

    @property
    def clicked(self) -> Bool[np.ndarray, " 68"]:
        """Which points there are."""
        return np.asarray(np.isfinite(self.points_image).all(axis=1))


def read_cfp(root: Path, *, split: str) -> tuple[ClickedProfile, ...]:
    """The photos of one split, ``train`` or ``val``.

    Raises:
        DataError: no such folder, a damaged table, or no photo of that split.
    """
    file = root / "labels.npz"
    if not file.is_file():
        raise DataError(f"{root} holds no labels.npz: give the folder of the clicked CFP profiles")
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as table:
            names, points = table["name"], table["points68"]
            yaw = np.where(table["faces_image_right"], 1, -1) * table["yaw_abs_deg"]
            chosen = np.flatnonzero(table["split"] == split)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{file} is damaged or not the table of clicked points: {reason_of(error)}"
        ) from error
    if not len(chosen):
        raise DataError(f"{root} has no photos of the split '{split}'")
    return tuple(
        ClickedProfile(
            str(names[row]),
            root / str(names[row]),
            points[row].astype(np.float64),
            float(yaw[row]),
        )
        for row in chosen
    )


def complete_profile(points_image: Float[np.ndarray, "68 2"]) -> Float[np.ndarray, "68 3"]:
    """The clicked points, and for the others those of the mean head as it stands behind them.

    What nobody clicked is good enough to place a crop by, and is not to be learned from.

    Raises:
        ValueError: fewer than four points were clicked.
    """
    clicked = np.isfinite(points_image).all(axis=1)
    mean = mean_head_cm(Convention.CLICKED)
    head = pose_head(points_image[clicked], mean[clicked])
    complete = np.column_stack([head.project(mean), head.scale * mean @ head.rotation[2]])
    complete[clicked, :2] = points_image[clicked]
    complete[:, 2] -= complete[:, 2].mean()
    return complete


class CfpFaces:
    """Clicked profiles to learn from: in the plane, and only where people clicked."""

    def __init__(
        self,
        root: Path,
        *,
        split: str,
        points: int = 68,
        convention: Convention = Convention.CLICKED,
    ) -> None:
        self.name = "cfp"
        self._profiles = read_cfp(root, split=split)
        self._points = [
            in_convention(complete_profile(one.points_image), Convention.CLICKED, convention)
            for one in self._profiles
        ]
        self._trusted = [one.clicked for one in self._profiles]
        if points == 84:
            self._points = [with_dense_jaw(face) for face in self._points]
            self._trusted = [with_dense_jaw_flags(face) for face in self._trusted]
        self._bytes: dict[int, UInt8[np.ndarray, " bytes"]] = {}

    def __len__(self) -> int:
        return len(self._profiles)

    def load(self, index: int) -> LabelledFace:
        file = self._profiles[index].image_path
        if index not in self._bytes:
            self._bytes[index] = read_encoded(file)
        image = decode_rgb(self._bytes[index], str(file))
        points = self._points[index].astype(np.float32)
        return LabelledFace(image, points, self._trusted[index], has_depth=False)
