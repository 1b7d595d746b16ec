"""Our own pack of faces, read for measuring: ``faces.npz`` with the pictures below ``faces/``.

Only faces with manual labels can be measured on; for the labels one learns from, joined from
three sources, see ``pack_labels``.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from mien.datasets.photo import LabelledPhoto
from mien.errors import DataError
from mien.geometry.convention import Convention

__all__ = ["read_face_pack"]

_UNITS_PER_PX = 32
_MISSING = -32768


def read_face_pack(
    root: Path, *, split: str = "test", sources: Sequence[str] = ()
) -> tuple[LabelledPhoto, ...]:
    """The faces of one split that have manual labels, of all sources or of those named.

    The yaw is 3DDFA_V2's estimate: good enough to sort faces into bins of 30 degrees.

    Raises:
        DataError: no such pack, no such split or source, or no manual labels among them.
    """
    file = root / "faces.npz"
    if not file.is_file():
        raise DataError(f"{root} holds no faces.npz: give the folder of the face pack")
    try:
        with file.open("rb") as stream, np.load(stream) as pack:
            path, source, splits = (pack[key].astype(str) for key in ("path", "source", "split"))
            stored, parameters = pack["manual68"], pack["tddfa_params"]
    except (OSError, ValueError, KeyError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise DataError(f"{file} is not a whole face pack ({error}): copy it again") from error
    if stored.shape != (len(path), 68, 2) or len(parameters) != len(path):
        raise DataError(
            f"{file}: manual68 should be ({len(path)}, 68, 2) with as many tddfa_params, not "
            f"{stored.shape} and {len(parameters)}"
        )
    _check_known(file, "split", (split,), splits)
    _check_known(file, "source", sources, source)
    wanted = (splits == split) & (np.isin(source, sources) if sources else True)
    labelled = wanted & (stored != _MISSING).all(axis=(1, 2))
    if not labelled.any():
        raise DataError(
            f"none of the {int(wanted.sum())} faces chosen has manual labels (split {split}, "
            f"sources {', '.join(sources) or 'all'}): choose others"
        )
    return tuple(
        LabelledPhoto(
            name=str(path[row]),
            image_path=root / "faces" / str(path[row]),
            points_image=stored[row].astype(np.float64) / _UNITS_PER_PX,
            yaw_deg=_yaw_deg(parameters[row]),
            convention=Convention.CLICKED,
        )
        for row in np.flatnonzero(labelled)
    )


def _check_known(file: Path, what: str, asked: Sequence[str], have: np.ndarray) -> None:
    known = sorted(set(have.tolist()))
    for name in asked:
        if name not in known:
            raise DataError(f"{file} has no {what} {name!r}: it has {', '.join(known)}")


def _yaw_deg(parameters: Float[np.ndarray, " 62"]) -> float | None:
    """Turn of the face about its neck, from the 3x4 pose (x right, y up, z towards the camera).

    The angle of 300W-LP's order of rotations, so that bins mean what they mean on AFLW2000-3D.
    """
    forward = parameters[:12].reshape(3, 4)[:, 2]
    length = float(np.linalg.norm(forward))
    if not np.isfinite(length) or length == 0:
        return None
    return float(np.degrees(np.arcsin(forward[0] / length)))
