"""Photos with iBUG ``.pts`` files beside them: 300-W, HELEN, LFPW, AFW, Menpo and kin.

A file counts pixels from 1 and lists 68 points, 51 (no jaw), or 84 (the denser jaw of the Menpo
3D benchmark)::

    version: 1
    n_points: 68
    {
    251.1 317.2
    ...
    }
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from jaxtyping import Float

from mien.datasets.photo import LabelledPhoto
from mien.errors import DataError
from mien.geometry.convention import Convention
from mien.markup import load_markup

__all__ = ["parse_pts", "read_pts"]

_IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
_FACE_NUMBER = re.compile(r"_\d+$")
_JAW_POINTS = 17


def read_pts(root: Path) -> tuple[LabelledPhoto, ...]:
    """Every ``.pts`` file below ``root`` with its photo, in the order of their paths.

    ``name_1.pts`` belongs to ``name_1.jpg`` (or .png, ...) if there is one, else it is a face of
    ``name.jpg``.

    Raises:
        DataError: no such files, a file without its photo, or one that breaks the format.
    """
    files = sorted(path for path in root.rglob("*.pts") if not path.name.startswith("."))
    if not files:
        raise DataError(f"{root} holds no .pts file: give a folder of photos with .pts beside them")
    folders = {file.parent: _images_by_stem(file.parent) for file in files}
    return tuple(
        LabelledPhoto(
            name=file.relative_to(root).with_suffix("").as_posix(),
            image_path=_image_of(file, folders[file.parent]),
            points_image=_to_68(parse_pts(file), file),
            convention=Convention.CLICKED,
        )
        for file in files
    )


def parse_pts(path: Path) -> Float[np.ndarray, "points 2"]:
    """The points of one file, however many, with pixel centres at integers counted from 0.

    Raises:
        DataError: the file is not of the format, or ends too early.
    """
    try:
        text = path.read_bytes().decode("utf-8", errors="replace")
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror})") from error
    header, opened, rest = text.partition("{")
    body, closed, _ = rest.partition("}")
    declared = re.search(r"n_points\s*:\s*(\d+)", header)
    if declared is None or not opened:
        raise DataError(f"{path} is no .pts file: expected 'n_points: N' and points in {{ }}")
    rows = [line.split() for line in body.splitlines() if line.strip()]
    count = int(declared[1])
    if not closed or len(rows) != count:
        raise DataError(
            f"{path} declares {count} points but holds {len(rows)}"
            f"{'' if closed else ' and no closing brace'}: copy it again"
        )
    try:
        points = np.array([[float(x), float(y)] for x, y in rows]).reshape(count, 2)
    except ValueError as error:
        raise DataError(
            f"{path}: each line between the braces should be two numbers ({error})"
        ) from error
    if not np.isfinite(points).all():
        raise DataError(f"{path} has points that are not finite numbers: copy it again")
    return points - 1.0  # the format counts pixels from 1


def _to_68(points: Float[np.ndarray, "points 2"], path: Path) -> Float[np.ndarray, "68 2"]:
    if len(points) == 68:
        return points
    if len(points) == 84:
        return np.take(points, load_markup(84).ibug68, axis=0)
    if len(points) == 51:
        return np.concatenate([np.full((_JAW_POINTS, 2), np.nan), points])
    raise DataError(f"{path} has {len(points)} points: expected 68, 51 (no jaw) or 84")


def _images_by_stem(folder: Path) -> dict[str, Path]:
    """Where two photos share a stem, the suffix that comes first in our list wins."""
    images = [path for path in folder.iterdir() if path.suffix.lower() in _IMAGE_SUFFIXES]
    images.sort(key=lambda path: (-_IMAGE_SUFFIXES.index(path.suffix.lower()), path.name))
    return {path.stem: path for path in images}


def _image_of(file: Path, images: dict[str, Path]) -> Path:
    for stem in (file.stem, _FACE_NUMBER.sub("", file.stem)):
        if stem in images:
            return images[stem]
    raise DataError(
        f"{file} has no photo: expected {file.stem} with one of {', '.join(_IMAGE_SUFFIXES)} "
        "in the same folder"
    )
