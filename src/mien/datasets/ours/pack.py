"""The face pack: ``faces.npz`` with one row a face, and the pictures below ``faces`` beside it.

=================  ========================  ======================================================
``path``           (n,) text                 picture below ``faces``
``source``         (n,) text                 set that the photo comes from
``split``          (n,) text                 train, val or test
``manual68``       (n, 68, 2) int16          clicked points, px x 32
``mediapipe478``   (n, 478, 3) int16         MediaPipe Face Mesh, px x 16, z away from the camera
``tddfa68``        (n, 68, 3) int16          a teacher's 68 points, px x 32, z *towards* the camera
``disagreement``   (n,)                      NME between the two teachers
``confidence68``   (n, 68), may be missing   of ``tddfa68``, in rows of ``mien data annotate``
``tddfa_params``   (n, 62), may be missing   3DDFA's, whose pose says the yaw
``licence``        (n,) text, may be missing  what the photo's owner allows
``teacher``        (n,) text, may be missing  the network that found ``tddfa68``
=================  ========================  ======================================================

-32768 says that a point is not known, NaN that a number is not. All coordinates are px of the
stored picture, pixel centres at integers. ``pack_writer`` writes packs, ``pack_labels`` joins a
row's three opinions into one label.
"""

from __future__ import annotations

import logging
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from mien.datasets.photo import LabelledPhoto
from mien.errors import DataError, reason_of
from mien.geometry.convention import Convention
from mien.geometry.pose import pose_head
from mien.markup import load_markup

__all__ = [
    "MANUAL_UNITS",
    "MESH_UNITS",
    "SURE",
    "TABLE",
    "UNKNOWN",
    "FacePack",
    "read_face_pack",
    "read_pack",
]

TABLE = "faces.npz"
UNKNOWN = -32768
MANUAL_UNITS, MESH_UNITS = 32, 16
"""Steps a pixel, of the 68 points and of the mesh."""

_HALF_AUTOMATIC = ("ytf",)
"""Sources whose manual points a program made and people corrected now and then: those are measured
against, and nothing is learned from them (``docs/decisions/0003-training-labels.md``)."""
_AGREE = 0.05
"""NME between two teachers above which one of them is wrong."""
SURE = 0.6
"""Mean confidence of our own network's points above which a face is good enough to learn from."""

_SHAPES: dict[str, tuple[int, ...]] = {
    "path": (),
    "source": (),
    "split": (),
    "manual68": (68, 2),
    "mediapipe478": (478, 3),
    "tddfa68": (68, 3),
    "disagreement": (),
}
_OPTIONAL: dict[str, tuple[int, ...]] = {
    "confidence68": (68,),
    "tddfa_params": (62,),
    "licence": (),
    "teacher": (),
}
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FacePack:
    """One row a face; points are NaN where unknown, in px of the stored picture."""

    table: Path
    """``faces.npz``."""
    path: Shaped[np.ndarray, " faces"]
    source: Shaped[np.ndarray, " faces"]
    split: Shaped[np.ndarray, " faces"]
    manual68: Float[np.ndarray, "faces 68 2"]
    mesh478: Float[np.ndarray, "faces 478 3"]
    teacher68: Float[np.ndarray, "faces 68 3"]
    """z away from the camera."""
    disagreement: Float[np.ndarray, " faces"]
    """NME between the makers of ``mesh478`` and ``teacher68``; NaN where one is missing."""
    confidence68: Float[np.ndarray, "faces 68"] | None = None
    """Of ``teacher68`` where our own network made it; NaN in rows of other teachers."""
    tddfa_params: Float[np.ndarray, "faces 62"] | None = None
    licence: Shaped[np.ndarray, " faces"] | None = None
    teacher: Shaped[np.ndarray, " faces"] | None = None

    def __len__(self) -> int:
        return len(self.path)

    @property
    def trusted_manual(self) -> Bool[np.ndarray, " faces"]:
        """Faces whose inner manual points are better than any teacher's: people clicked them."""
        known = np.isfinite(self.manual68[:, 17:]).all(axis=(1, 2))
        trusted: Bool[np.ndarray, " faces"] = known & ~np.isin(self.source, _HALF_AUTOMATIC)
        return trusted

    @property
    def teachers_agree(self) -> Bool[np.ndarray, " faces"]:
        """Faces whose two teachers say the same; where they do not, the mesh is not believed."""
        seen = np.isfinite(self.mesh478).all(axis=(1, 2))
        agree: Bool[np.ndarray, " faces"] = seen & (self.disagreement <= _AGREE)
        return agree

    @property
    def point_confidence(self) -> Float[np.ndarray, "faces 68"]:
        """Of our own network's points, NaN where others made them."""
        if self.confidence68 is None:
            return np.full((len(self), 68), np.nan, np.float32)
        return self.confidence68

    @property
    def annotated(self) -> Bool[np.ndarray, " faces"]:
        """Faces whose points come from our own network: jaw as 300W-LP's, the rest as clicked."""
        own: Bool[np.ndarray, " faces"] = np.isfinite(self.point_confidence).all(axis=1)
        return own

    @property
    def surely_annotated(self) -> Bool[np.ndarray, " faces"]:
        """Those among them whose points the network was sure of, in their mean."""
        sure: Bool[np.ndarray, " faces"] = self.point_confidence.mean(axis=1) >= SURE
        return sure

    @property
    def yaw_deg(self) -> Float[np.ndarray, " faces"]:
        """Yaw of each face, good enough to sort faces into bins of 30 degrees; NaN if unknown.

        3DDFA's own pose where the pack has it (in 300W-LP's order of rotations, so that bins mean
        what they mean on AFLW2000-3D), else that of the mean head in ``teacher68``.
        """
        if self.tddfa_params is not None:
            return _yaw_of_params(self.tddfa_params)
        mean = load_markup(68).mean_shape
        yaws = [
            pose_head(points.astype(np.float64), mean).pose.yaw_deg
            if np.isfinite(points).all()
            else np.nan
            for points in self.teacher68
        ]
        return np.array(yaws, np.float64)

    def file(self, row: int) -> Path:
        """The stored picture of a face."""
        return self.table.parent / "faces" / str(self.path[row])

    def take(self, rows: Int[np.ndarray, " rows"]) -> FacePack:
        """Some of the faces."""
        columns = {field.name: getattr(self, field.name) for field in fields(self)[1:]}
        return replace(self, **{k: v[rows] for k, v in columns.items() if v is not None})


def read_pack(place: Path) -> FacePack:
    """Read ``faces.npz``, or the folder that holds it.

    Raises:
        DataError: there is no such file, it is damaged, or an array is missing or misshapen.
    """
    table = place / TABLE if place.is_dir() else place
    if not table.is_file():
        raise DataError(f"{place} holds no faces.npz: give the folder of a face pack")
    try:
        with table.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {name: file[name] for name in (*_SHAPES, *_OPTIONAL) if name in file}
    except (OSError, ValueError, KeyError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise DataError(
            f"{table} is not a whole face pack ({reason_of(error)}): copy it again"
        ) from error
    if missing := [name for name in _SHAPES if name not in arrays]:
        raise DataError(f"{table} is not a whole face pack: it lacks {', '.join(missing)}")
    rows = len(arrays["path"])
    for name, array in arrays.items():
        expected = (rows, *(_SHAPES | _OPTIONAL)[name])
        if array.shape != expected:
            raise DataError(f"{table}: {name} should be {expected}, not {array.shape}")
    teacher = _in_px(arrays["tddfa68"], MANUAL_UNITS)
    teacher[..., 2] *= -1
    optional = {name: arrays.get(name) for name in _OPTIONAL}
    confidence = optional["confidence68"]
    optional["confidence68"] = None if confidence is None else confidence.astype(np.float32)
    return FacePack(
        table=table,
        path=arrays["path"],
        source=arrays["source"],
        split=arrays["split"],
        manual68=_in_px(arrays["manual68"], MANUAL_UNITS),
        mesh478=_in_px(arrays["mediapipe478"], MESH_UNITS),
        teacher68=teacher,
        disagreement=arrays["disagreement"].astype(np.float32),
        confidence68=optional["confidence68"],
        tddfa_params=optional["tddfa_params"],
        licence=optional["licence"],
        teacher=optional["teacher"],
    )


def read_face_pack(
    root: Path, *, split: str = "test", sources: Sequence[str] = ()
) -> tuple[LabelledPhoto, ...]:
    """The faces of one split to measure on, of all sources or of those named.

    Where any of them has manual points, those that have; else those that a network annotated, with
    a warning: what is measured then is how far a model agrees with that network.

    Raises:
        DataError: no such pack, no such split or source, or no labels among them.
    """
    pack = read_pack(root)
    _check_known(pack.table, "split", (split,), pack.split)
    _check_known(pack.table, "source", sources, pack.source)
    wanted = (pack.split == split) & (np.isin(pack.source, sources) if sources else True)
    labels: Float[np.ndarray, "faces 68 dims"] = pack.manual68
    labelled = wanted & np.isfinite(labels).all(axis=(1, 2))
    if not labelled.any() and (wanted & pack.annotated).any():
        labels, labelled = pack.teacher68[..., :2], wanted & pack.annotated
        logger.warning(
            "%s: nobody clicked points of these %d faces: measured against those that mien data "
            "annotate found",
            pack.table,
            int(labelled.sum()),
        )
    if not labelled.any():
        raise DataError(
            f"none of the {int(wanted.sum())} faces chosen has manual labels (split {split}, "
            f"sources {', '.join(sources) or 'all'}): choose others"
        )
    yaws = pack.yaw_deg
    return tuple(
        LabelledPhoto(
            name=str(pack.path[row]),
            image_path=pack.file(row),
            points_image=labels[row].astype(np.float64),
            yaw_deg=float(yaws[row]) if np.isfinite(yaws[row]) else None,
            convention=Convention.CLICKED,
        )
        for row in np.flatnonzero(labelled).tolist()
    )


def _check_known(
    file: Path, what: str, asked: Sequence[str], have: Shaped[np.ndarray, " faces"]
) -> None:
    known = sorted(set(have.astype(str).tolist()))
    for name in asked:
        if name not in known:
            raise DataError(f"{file} has no {what} {name!r}: it has {', '.join(known)}")


def _in_px(points: Int[np.ndarray, "*any"], units: int) -> Float[np.ndarray, "*any"]:
    values = points.astype(np.float32) / units
    values[points == UNKNOWN] = np.nan
    return values


def _yaw_of_params(params: Float[np.ndarray, "faces 62"]) -> Float[np.ndarray, " faces"]:
    """From the 3x4 pose (x right, y up, z towards the camera): turn of the face about its neck."""
    forward = params[:, :12].reshape(-1, 3, 4)[:, :, 2].astype(np.float64)
    length = np.linalg.norm(forward, axis=1)
    length[length == 0] = np.nan
    yaw: Float[np.ndarray, " faces"] = np.degrees(np.arcsin(forward[:, 0] / length))
    return yaw
