"""FDDB: 5171 faces in 2845 news photos, each face an ellipse (Jain and Learned-Miller, 2010).

``FDDB-folds.tgz`` unpacks to ``FDDB-folds/FDDB-fold-01-ellipseList.txt`` and nine more::

    2002/08/11/big/img_591
    1
    123.583300 85.549500 1.265839 269.693400 161.781200  1

which is the photo, without its suffix, below ``originalPics``; how many faces; and for each its
major and minor radius, the angle of the major axis from the x axis in radians, the centre and
a 1 (http://vis-www.cs.umass.edu/fddb/README.txt). The README says neither where pixels count from
nor which way the angle turns. Pixels are taken to count from 0, because the makers' evaluation
hands the centre to OpenCV as it is; the box is the same for both ways to turn.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from mien.datasets.photo import read_labelled_rgb
from mien.errors import DataError
from mien.types import Box

__all__ = ["FaceEllipse", "FddbPhoto", "read_fddb"]


@dataclass(frozen=True)
class FaceEllipse:
    """A face as an ellipse, in image pixels."""

    major_radius: float
    minor_radius: float
    angle_rad: float
    """Of the major axis from the x axis, as stored: its sign is not documented."""
    centre: tuple[float, float]

    def __post_init__(self) -> None:
        numbers = (self.major_radius, self.minor_radius, self.angle_rad, *self.centre)
        if not all(map(math.isfinite, numbers)) or min(numbers[:2]) <= 0:
            raise ValueError(f"an ellipse has positive radii and finite numbers, not {numbers}")

    @property
    def box(self) -> Box:
        """The tightest upright box around the whole ellipse, also where it leaves the photo."""
        cos, sin = math.cos(self.angle_rad), math.sin(self.angle_rad)
        half_width = math.hypot(self.major_radius * cos, self.minor_radius * sin)
        half_height = math.hypot(self.major_radius * sin, self.minor_radius * cos)
        x, y = self.centre
        return Box(x - half_width, y - half_height, x + half_width, y + half_height)


@dataclass(frozen=True)
class FddbPhoto:
    """A photo with all its faces."""

    name: str
    """As the list writes it, such as ``2002/08/11/big/img_591``."""
    image_path: Path
    fold: int
    """1 to 10."""
    ellipses: tuple[FaceEllipse, ...]

    @property
    def boxes(self) -> tuple[Box, ...]:
        """A box a face: what a detector is measured against."""
        return tuple(ellipse.box for ellipse in self.ellipses)

    def read_rgb(self) -> UInt8[np.ndarray, "height width 3"]:
        """The picture, by :func:`mien.datasets.photo.read_labelled_rgb`."""
        return read_labelled_rgb(self.image_path)


def read_fddb(root: Path) -> tuple[FddbPhoto, ...]:
    """All photos of the ten folds, in the order of the lists; pictures are read on demand.

    ``root`` holds ``FDDB-folds`` and the photos: ``originalPics/2002/...``, or ``2002/...``.

    Raises:
        DataError: no such lists, a list that breaks the format or ends too early, or a photo that
            is not there.
    """
    folds = root / "FDDB-folds"
    lists = sorted(folds.glob("FDDB-fold-[0-9][0-9]-ellipseList.txt"))
    if not lists:
        raise DataError(
            f"{folds} holds no FDDB-fold-NN-ellipseList.txt: give the folder of FDDB that holds "
            "FDDB-folds and originalPics"
        )
    pictures = root / "originalPics"
    pictures = pictures if pictures.is_dir() else root
    photos = tuple(photo for file in lists for photo in _read_list(file, pictures))
    missing = [photo for photo in photos if not photo.image_path.is_file()]
    if missing:
        raise DataError(
            f"{missing[0].image_path} is missing, and {len(missing)} of {len(photos)} photos in "
            f"all: unpack originalPics.tar.gz in {root}"
        )
    return photos


def _read_list(file: Path, pictures: Path) -> Iterator[FddbPhoto]:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise DataError(f"{file} cannot be read ({error.strerror})") from error
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1)]
    lines = [(number, line) for number, line in lines if line]
    at = 0
    while at < len(lines):
        name = lines[at][1]
        count = _count(file, *lines[at + 1]) if at + 1 < len(lines) else 0
        faces = lines[at + 2 : at + 2 + count]
        if at + 1 == len(lines) or len(faces) < count:
            raise DataError(
                f"{file} ends within the faces of {name}: copy it again from FDDB-folds.tgz"
            )
        yield FddbPhoto(
            name=name,
            image_path=pictures / f"{name}.jpg",
            fold=int(file.name[10:12]),
            ellipses=tuple(_ellipse(file, *face) for face in faces),
        )
        at += 2 + count


def _count(file: Path, number: int, line: str) -> int:
    if not line.isdecimal():
        raise DataError(f"{file}, line {number}: expected the number of faces, not {line!r}")
    return int(line)


def _ellipse(file: Path, number: int, line: str) -> FaceEllipse:
    try:
        major, minor, angle_rad, x, y, _ = map(float, line.split())
        return FaceEllipse(major, minor, angle_rad, (x, y))
    except ValueError as error:
        raise DataError(
            f"{file}, line {number}: expected two radii, an angle, a centre and 1, not {line!r}"
        ) from error
