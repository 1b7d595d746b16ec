"""Fitted heads of a whole table of faces: made in batches, kept in one file."""

from __future__ import annotations

import logging
import zipfile
from dataclasses import fields
from pathlib import Path

import numpy as np
from jaxtyping import Float

from mien.datasets.ours.pack import FacePack
from mien.datasets.ours.pack_labels import known_points
from mien.errors import DataError, reason_of
from mien.files import write_npz
from mien.synthesis.fit.anchors import Anchors, gather_evidence
from mien.synthesis.fit.outline import cheek_rows, clicked_outline
from mien.synthesis.fit.solver import HeadFits, fit_heads
from mien.synthesis.head.morphable import MorphableHead
from mien.synthesis.head.surface import SurfacePoints

__all__ = ["fit_photos", "fit_sources", "load_fits", "points_of", "save_fits"]

_log = logging.getLogger(__name__)
_BATCH = 200
_ADDED = "distance_cm"
"""Not in files of fits written before perspective was known: those are of weak perspective."""


def fit_photos(
    head: MorphableHead,
    photos: FacePack,
    anchors: Anchors,
    perspective: bool = False,
    outline: bool = True,
) -> HeadFits:
    """Fit the head to every face of a table.

    ``perspective`` also finds how near the camera was; ``outline`` also reads clicked jaws.
    """
    batches, known = [], known_points(photos)
    cheeks = cheek_rows(head, anchors.points68) if outline else None
    for start in range(0, len(photos), _BATCH):
        rows = np.arange(start, min(start + _BATCH, len(photos)))
        some = photos.take(rows)
        batches.append(
            fit_heads(
                head,
                gather_evidence(some, known.take(rows), anchors),
                clicked_outline(some, cheeks) if cheeks and some.trusted_manual.any() else None,
                perspective,
            )
        )
        _log.info("fitted %d of %d faces", rows[-1] + 1, len(photos))
    return HeadFits(
        *(np.concatenate([getattr(b, field.name) for b in batches]) for field in fields(HeadFits))
    )


def points_of(
    head: MorphableHead, fits: HeadFits, surface: SurfacePoints
) -> Float[np.ndarray, "faces points 3"]:
    """Surface points of all heads in image px; z in px away from the camera, 0 at the origin."""
    modes = np.concatenate([head.identity, head.expression])
    coefficients = np.concatenate([fits.identity, fits.expression], axis=1)
    points = surface.of(head.mean) + np.tensordot(coefficients, surface.of(modes), 1)
    return fits.place(points)


def save_fits(path: Path, fits: HeadFits, photos: FacePack, model: Path | None) -> None:
    """Write one row a face, with the photo it belongs to and the files it was made from.

    ``model`` is ``None`` for the head that ships with mien.

    Raises:
        OutputError: the file cannot be written.
    """
    arrays = {field.name: getattr(fits, field.name) for field in fields(HeadFits)}
    named = {"table": str(photos.table.resolve()), "model": str(model.resolve()) if model else ""}
    names = {name: np.array(place) for name, place in named.items()}
    write_npz(path, {"path": photos.path, **names, **arrays})


def fit_sources(path: Path) -> tuple[Path, Path | None]:
    """The table of faces and the head model that fits were made from; ``None`` is the shipped one.

    Raises:
        DataError: the file holds no fits.
    """
    arrays = _read(path, ("table", "model"))
    model = str(arrays["model"])
    return Path(str(arrays["table"])), Path(model) if model else None


def load_fits(path: Path, photos: FacePack) -> HeadFits:
    """Read fits back; ``DataError`` when they were made from another table of faces."""
    names = {field.name for field in fields(HeadFits)} - {_ADDED}
    arrays = _read(path, ("path", *names), (_ADDED,))
    if not np.array_equal(arrays.pop("path"), photos.path):
        raise DataError(f"{path} was fitted to other faces than this table; run mien data fit anew")
    arrays.setdefault(_ADDED, np.full(len(photos), np.inf, np.float32))
    return HeadFits(**arrays)


def _read(
    path: Path, names: tuple[str, ...], optional: tuple[str, ...] = ()
) -> dict[str, np.ndarray]:
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            there = [name for name in optional if name in file]
            return {name: file[name] for name in (*names, *there)}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"expected fits (mien data fit), not {path}: {reason_of(error)}") from error
