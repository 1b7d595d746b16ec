"""300W-LP: 61,225 photos turned to large yaws, and as many mirrored (Zhu et al., CVPR 2016).

``300W-LP.zip`` unpacks to::

    AFW/AFW_134212_1_0.jpg                  450 px square
    AFW/AFW_134212_1_0.mat                  Pose_Para (1, 7), Shape_Para (199, 1),
                                            Exp_Para (29, 1), pt2d (2, 68), roi, colours
    AFW_Flip/..., HELEN/..., IBUG/..., LFPW/...
    landmarks/AFW/AFW_134212_1_0_pts.mat    pts_2d (68, 2), pts_3d (68, 2)

``pts_3d`` is, in spite of its name, the picture of the 68 points fixed on the head, hidden ones
too: what the field trains on. ``pts_2d`` slides along the visible outline. Neither has depth, nor
has any file: it comes out of the head model (:class:`HeadBasis`), which few may pass on.

All count pixels from 1, as MATLAB does: the makers' code turns a projected head over with
``height + 1 - y`` before it draws it (``docs/decisions/0010-aflw2000.md`` measures the same). Here
1 is subtracted. AFLW2000-3D keeps its pixel for the sake of published numbers, so a network that
learns here and is perfect lies one pixel off there.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Float
from PIL import Image

from mien.datasets.lazy import OnDemand
from mien.datasets.photo import LabelledPhoto, OtherTruth
from mien.datasets.public.head_basis import HeadBasis
from mien.datasets.public.mat_file import MatFile
from mien.errors import DataError, reason_of
from mien.geometry.convention import Convention
from mien.markup import load_markup

__all__ = ["SUBSETS", "read_w300lp"]

_log = logging.getLogger(__name__)

SUBSETS = ("AFW", "HELEN", "IBUG", "LFPW")
_FLIP = "_Flip"
_SET = "300W-LP"


class _Source(Enum):
    """Where the 68 points come from."""

    LANDMARKS = auto()
    BASIS = auto()
    PT2D = auto()


@dataclass(frozen=True)
class _Entry:
    image: Path
    landmarks: Path
    """Its ``_pts.mat``, or that of the photo it mirrors."""
    mirror: bool
    """Whether ``landmarks`` must be mirrored."""

    @property
    def name(self) -> str:
        return f"{self.image.parent.name}/{self.image.stem}"


def read_w300lp(
    root: Path, *, basis: HeadBasis | None = None, flipped: bool = False
) -> OnDemand[_Entry, LabelledPhoto]:
    """All photos, subset by subset in the order of their names; each is read when asked for.

    The truth is ``pts_3d``, with depth where a ``basis`` is given; ``pts_2d`` is the other truth
    ``contour``. Without the folder ``landmarks`` the basis gives x and y too, and without both
    ``pt2d`` is the truth, which slides along the outline like ``pts_2d``.

    ``flipped``: the mirrored photos of the ``_Flip`` folders too.

    Raises:
        DataError: not such a folder, or a photo without its ``.mat`` or ``_pts.mat``. Files that
            are damaged or of another shape are reported when their photo is asked for.
    """
    folders = [root / f"{name}{tail}" for name in SUBSETS for tail in ("", _FLIP)[: 1 + flipped]]
    folders = [folder for folder in folders if folder.is_dir()]
    source = _source(root, basis)
    entries = tuple(entry for folder in folders for entry in _list(folder, source))
    if not entries:
        raise DataError(
            f"{root} holds no photos in AFW, HELEN, IBUG or LFPW: give the folder 300W_LP"
        )
    if source is _Source.PT2D:
        _log.warning(
            "%s has no folder landmarks: the points are pt2d, which slide along the outline", root
        )
    return OnDemand(entries, partial(_read_photo, source=source, basis=basis))


def _source(root: Path, basis: HeadBasis | None) -> _Source:
    if (root / "landmarks").is_dir():
        return _Source.LANDMARKS
    if basis is not None:
        return _Source.BASIS
    return _Source.PT2D


def _list(folder: Path, source: _Source) -> Iterator[_Entry]:
    files = _stems(folder)
    photos, mats = sorted(files(".jpg")), files(".mat")
    for stem in photos:
        if stem not in mats:
            raise DataError(f"{folder / stem}.jpg has no {stem}.mat beside it: unpack {_SET} again")
    original = folder.name.removesuffix(_FLIP)
    labels = folder.parent / "landmarks" / folder.name
    mirror = labels.name != original and not labels.is_dir()
    labels = labels.with_name(original) if mirror else labels
    if source is _Source.LANDMARKS:
        pts = _stems(labels)("_pts.mat")
        for stem in photos:
            if stem not in pts:
                raise DataError(
                    f"{folder / stem}.jpg has no {labels / stem}_pts.mat: unpack {_SET} again"
                )
    for stem in photos:
        yield _Entry(folder / f"{stem}.jpg", labels / f"{stem}_pts.mat", mirror)


def _stems(folder: Path) -> Callable[[str], set[str]]:
    """Of the folder's files the stems of those that end in a given way; no file is opened."""
    names = os.listdir(folder) if folder.is_dir() else []
    names = [name for name in names if not name.startswith(".")]
    return lambda ending: {name.removesuffix(ending) for name in names if name.endswith(ending)}


def _read_photo(entry: _Entry, *, source: _Source, basis: HeadBasis | None) -> LabelledPhoto:
    path = entry.image.with_suffix(".mat")
    fields = MatFile.read(path, "Pose_Para", "Shape_Para", "Exp_Para", "pt2d", belongs_to=_SET)
    pose = fields.vector("Pose_Para", 7)
    others: tuple[OtherTruth, ...] = ()
    projected = None if basis is None else _project(basis, fields, entry.image)
    if source is _Source.LANDMARKS:
        points, contour = _read_landmarks(entry)
        others = (OtherTruth("contour", contour),)
        if projected is not None:
            points = np.column_stack([points, projected[:, 2]])
    elif projected is not None:
        points = projected
    else:
        points = fields.matrix("pt2d", (2, 68)).T - 1
    # Pose_Para is pitch, yaw, roll, ...; its yaw is positive towards the image's left.
    yaw_deg = -math.degrees(pose[1])
    return LabelledPhoto(
        entry.name,
        entry.image,
        points,
        yaw_deg,
        other_truths=others,
        convention=Convention.W300LP,
    )


def _project(basis: HeadBasis, fields: MatFile, image: Path) -> Float[np.ndarray, "68 3"]:
    return basis.project(
        fields.vector("Pose_Para", 7),
        fields.vector("Shape_Para", basis.shape.shape[2]),
        fields.vector("Exp_Para", basis.expression.shape[2]),
        _size_px(image)[1],
    )


def _read_landmarks(
    entry: _Entry,
) -> tuple[Float[np.ndarray, "68 2"], Float[np.ndarray, "68 2"]]:
    """``pts_3d`` and ``pts_2d`` of the photo."""
    stored = MatFile.read(entry.landmarks, "pts_3d", "pts_2d", belongs_to=_SET)
    fixed, contour = (stored.matrix(name, (68, 2)) - 1 for name in ("pts_3d", "pts_2d"))
    if entry.mirror:
        width_px = _size_px(entry.image)[0]
        return _mirrored(fixed, width_px), _mirrored(contour, width_px)
    return fixed, contour


def _mirrored(points: Float[np.ndarray, "68 2"], width_px: int) -> Float[np.ndarray, "68 2"]:
    partners = points[list(load_markup(68).mirror)]
    return np.column_stack([width_px - 1 - partners[:, 0], partners[:, 1]])


def _size_px(image: Path) -> tuple[int, int]:
    """Width and height, from the head of the file."""
    try:
        with Image.open(image) as picture:
            return picture.size
    except (OSError, ValueError, SyntaxError) as error:
        raise DataError(
            f"{image} is no readable picture ({reason_of(error)}): unpack {_SET} again"
        ) from error
