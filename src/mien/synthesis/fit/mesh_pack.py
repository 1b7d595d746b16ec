"""A face pack whose only teacher is MediaPipe's mesh, for weights that are free for any use.

Clicked points and 3DDFA_V2's are for research only, and what is learned from them inherits that.
The mesh (Apache-2.0) has no jaw of the mark-ups', and its depth is rough; so the ICT head (MIT) is
fitted to it, and gives the jaw and all depth. The inner points' x and y stay the mesh's own.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from mien.datasets.ours.pack import TABLE, FacePack
from mien.datasets.ours.pack_writer import refuse_pack_there, write_pack
from mien.errors import DataError
from mien.files import told_as_output_error
from mien.synthesis.fit.anchor_calibration import anchors_of_mesh, inner_of_mesh
from mien.synthesis.fit.anchors import Anchors, save_anchors
from mien.synthesis.fit.fits import fit_photos, points_of
from mien.synthesis.head.morphable import MorphableHead

__all__ = ["TEACHER", "write_mesh_pack"]

TEACHER = "teacher points by MediaPipe Face Mesh (Apache-2.0)"
"""As the ledger of sources names it."""
_FEWEST = 10
_NO_LICENCE = np.array("no licence given")


def write_mesh_pack(
    packs: Sequence[FacePack], sources: Sequence[str], out: Path, head: MorphableHead
) -> FacePack:
    """Write the faces of some sources that have a mesh to ``out``, with ``anchors.npz`` beside.

    Args:
        sources: of all packs together; none means all.

    Returns:
        What was written: ``teacher68`` is the mesh's inner points with the fitted jaw and depth,
        ``disagreement`` how far mesh and fitted head are apart, and nothing is clicked.

    Raises:
        DataError: fewer than ten train faces of them have a mesh, or two pictures have one name.
        OutputError: ``out`` holds a pack already, or cannot be written.
    """
    refuse_pack_there(out)
    chosen = [_with_mesh(pack, sources) for pack in packs]
    faces = _joined(chosen, out / TABLE)
    learned = faces.split == "train"
    if learned.sum() < _FEWEST:
        raise DataError(
            f"{int(learned.sum())} train faces of {', '.join(sources) or 'these packs'} have a "
            f"mesh, and {_FEWEST} are the fewest that say where it lies on a head"
        )
    anchors = anchors_of_mesh(head, faces.mesh478[learned])
    taught = _taught_by_mesh(head, faces, anchors)
    with told_as_output_error(out):
        for pack in chosen:
            for row in range(len(pack)):
                copy = out / "faces" / str(pack.path[row])
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(pack.file(row), copy)
    save_anchors(out / "anchors.npz", anchors, head)
    write_pack(taught, {})
    return taught


def _with_mesh(pack: FacePack, sources: Sequence[str]) -> FacePack:
    chosen = np.isfinite(pack.mesh478).all(axis=(1, 2))
    if sources:
        chosen &= np.isin(pack.source, sources)
    return pack.take(np.flatnonzero(chosen))


def _joined(packs: Sequence[FacePack], table: Path) -> FacePack:
    """All faces of the packs, as those of one table: what a mesh pack needs of them."""
    path = np.concatenate([pack.path for pack in packs])
    if len(np.unique(path)) < len(path):
        names, counts = np.unique(path, return_counts=True)
        raise DataError(f"{names[counts.argmax()]} is a picture of more than one of the packs")
    licences = [_NO_LICENCE if one.licence is None else one.licence for one in packs]
    return FacePack(
        table=table,
        path=path,
        source=np.concatenate([pack.source for pack in packs]),
        split=np.concatenate([pack.split for pack in packs]),
        manual68=np.full((len(path), 68, 2), np.nan, np.float32),
        mesh478=np.concatenate([pack.mesh478 for pack in packs]),
        teacher68=np.full((len(path), 68, 3), np.nan, np.float32),
        disagreement=np.zeros(len(path), np.float32),
        licence=np.concatenate(
            [np.broadcast_to(one, len(p)) for one, p in zip(licences, packs, strict=True)]
        ),
        teacher=np.full(len(path), TEACHER),
    )


def _taught_by_mesh(head: MorphableHead, faces: FacePack, anchors: Anchors) -> FacePack:
    fits = fit_photos(head, faces, anchors, outline=False)
    points = points_of(head, fits, anchors.points68)
    mesh = inner_of_mesh(faces.mesh478)[..., :2]
    apart = np.linalg.norm(points[:, 17:, :2] - mesh, axis=2).mean(axis=1)
    points[:, 17:, :2] = mesh
    return dataclasses.replace(
        faces,
        teacher68=points.astype(np.float32),
        disagreement=(apart / _size(points)).astype(np.float32),
    )


def _size(points: Float[np.ndarray, "faces 68 3"]) -> Float[np.ndarray, " faces"]:
    """Root of the area of the points' box, px."""
    sides = np.ptp(points[..., :2], axis=1)
    size: Float[np.ndarray, " faces"] = np.sqrt(sides.prod(axis=1))
    return size
