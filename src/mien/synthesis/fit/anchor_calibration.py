"""Find where the points of the mark-ups sit on a head model: how ``ict_anchors.npz`` was made.

1. The MediaPipe meshes of well-seen train faces are averaged (Procrustes). The head is fitted to
   the average by the inner landmarks, then to its nearest surface points, in turns, until the
   surface lies within 0.3 mm of the mesh (median); the nearest points are kept.
2. Train faces are fitted with all evidence. Over them, what the teacher's 68 points and the clicked
   51 points miss their surface points by is turned back into the head's frame; the surface points
   move by its median; again, six times. The jaw of the 300W-LP convention turns out to lie up to
   1.5 cm behind that of Multi-PIE.

Clicked points count only where they know depth's sign: within 20 degrees of yaw.
"""

from __future__ import annotations

import logging

import numpy as np
from jaxtyping import Float, Int

from mien.datasets.ours.pack import FacePack
from mien.datasets.ours.pack_labels import known_points
from mien.errors import DataError
from mien.geometry.pose import yaw_deg
from mien.synthesis.fit.anchors import Anchors
from mien.synthesis.fit.fits import fit_photos, points_of
from mien.synthesis.fit.solver import Evidence, fit_heads
from mien.synthesis.head.morphable import MorphableHead
from mien.synthesis.head.surface import SurfacePoints, nearest_on_surface

__all__ = ["anchors_of_mesh", "calibrate_anchors", "inner_of_mesh"]

_log = logging.getLogger(__name__)
_MESH_VERTICES = 468
_USED = 180
_MESH_CHIN = 152
_EYES = slice(19, 31)
_HALF_JAW = 9
"""Points of a half of the jaw, the chin among them."""
_BELOW_EYES = 0.05
"""Where the jaw begins, on the way from the eyes' height to the chin's: as the published drawing of
the Menpo mark-up has it."""
_SAMPLE = 400
_AGREE, _AGREE_WELL = 0.04, 0.02
"""A face is believed where its teachers disagree by less than the first (`disagreement` of the
pack), and may shape the mean mesh below the second."""
_FIRST_SIGMA_CM, _LANDMARK_SIGMA_CM, _MESH_SIGMA_CM = 0.2, 0.15, 0.3
"""Expected errors: of landmarks before the mesh is known, beside it, and of the mesh."""
_DEPTH_SIGMA_CM = 0.3
_MESH_INNER = np.array(
    [
        *(70, 63, 105, 66, 107, 336, 296, 334, 293, 300),
        *(168, 197, 5, 4, 75, 97, 2, 326, 305),
        *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),
        *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181),
        *(78, 82, 13, 312, 308, 317, 14, 87),
    ]
)
"""Vertices of the MediaPipe mesh at the 51 inner iBUG points, in their order."""
_MESH_UNDER_BROWS = np.array([46, 53, 52, 65, 55, 285, 295, 282, 283, 276])
"""The lower rims of the brows, beside the upper ones above."""
# The rims of both eyes and both rims of the lips: always read by a fit.
_MESH_RIMS = (
    "33 246 161 160 159 158 157 173 133 155 154 153 145 144 163 7 362 398 384 385 386 387 388 466 "
    "263 249 390 373 374 380 381 382 61 185 40 39 37 0 267 269 270 409 291 375 321 405 314 17 84 "
    "181 91 146 78 191 80 81 82 13 312 311 310 415 308 324 318 402 317 14 87 178 88 95"
)


def calibrate_anchors(
    head: MorphableHead, photos: FacePack, rng: np.random.Generator, rounds: int = 6
) -> Anchors:
    """Anchors for a head model, from the train faces of a table."""
    good = (photos.split == "train") & (photos.disagreement < _AGREE)
    clear = np.flatnonzero(good & (photos.disagreement < _AGREE_WELL) & (photos.source != "ytf"))
    if len(clear) < 10:
        raise DataError(f"anchors need 10 train faces that teachers agree on, not {len(clear)}")
    mean_mesh = _procrustes_mean(photos.mesh478[clear, :_MESH_VERTICES])
    anchors = Anchors(
        mesh468=_place_mesh(head, mean_mesh),
        mesh_used=_spread_cover(mean_mesh),
        points68=SurfacePoints.at_vertices(head.landmarks68),
        manual51=SurfacePoints.at_vertices(head.landmarks68[17:]),
    )
    # Half with manual points, which would be rare among all.
    halves = [np.flatnonzero(good & (photos.trusted_manual == manual)) for manual in (True, False)]
    rows = [rng.choice(half, min(_SAMPLE, len(half)), replace=False) for half in halves]
    chosen = np.sort(np.concatenate(rows))
    sample, teacher68 = photos.take(chosen), known_points(photos).teacher68[chosen]
    for number in range(rounds):
        anchors = _move_anchors(head, sample, teacher68, anchors)
        _log.info("calibrated anchors, round %d of %d", number + 1, rounds)
    return anchors


def anchors_of_mesh(head: MorphableHead, meshes: Float[np.ndarray, "faces 478 3"]) -> Anchors:
    """Anchors from MediaPipe's meshes and the head alone: nothing that anybody clicked or fitted.

    The inner points of both mark-ups are those of `inner_of_mesh`. The jaw is the head's own jaw
    line, from a little below the eyes to where the mesh has the chin, cut into parts that look
    equally long from the front.
    """
    mean_mesh = _procrustes_mean(meshes[:, :_MESH_VERTICES])
    mesh = _place_mesh(head, mean_mesh)
    places = mesh.of(head.mean)
    inner = inner_of_mesh(places[None])[0]
    jaw = _even_jaw(head, places[_MESH_CHIN], float(inner[_EYES, 1].mean()))
    skin = head.triangles[(head.triangles < head.patches[0]).all(axis=1)]
    face = head.triangles[(head.triangles < head.face_vertices).all(axis=1)]
    return Anchors(
        mesh468=mesh,
        mesh_used=_spread_cover(mean_mesh),
        points68=nearest_on_surface(np.concatenate([jaw, inner]), head.mean, skin),
        manual51=nearest_on_surface(inner, head.mean, face),
        sources=("mediapipe", "ict"),
    )


def inner_of_mesh(mesh: Float[np.ndarray, "faces points 3"]) -> Float[np.ndarray, "faces 51 3"]:
    """The 51 inner iBUG points of MediaPipe's meshes: a vertex each, but for the brows.

    The mesh goes round a brow and its upper row lies above the hair; a brow's points are the middle
    of both rows.
    """
    inner = mesh[:, _MESH_INNER].copy()
    brows = len(_MESH_UNDER_BROWS)
    inner[:, :brows] = (inner[:, :brows] + mesh[:, _MESH_UNDER_BROWS]) / 2
    return inner


def _even_jaw(
    head: MorphableHead, chin: Float[np.ndarray, " 3"], eyes_height: float
) -> Float[np.ndarray, "17 3"]:
    """Down the jaw line to the chin, and up the other side."""
    line, halves = head.mean[head.jaw33], []
    middle, top = len(line) // 2, eyes_height + _BELOW_EYES * (chin[1] - eyes_height)
    for half in (line[:middle], line[::-1][:middle]):
        below, before = half[half[:, 1] > top], half[half[:, 1] <= top][-1]
        share = (top - before[1]) / (below[0, 1] - before[1])
        way = np.concatenate([[before + share * (below[0] - before)], below, chin[None]])
        length = np.linalg.norm(np.diff(way[:, :2], axis=0), axis=1).cumsum()
        at = np.linspace(0, length[-1], _HALF_JAW)
        known = np.concatenate([[0], length])
        halves.append(np.stack([np.interp(at, known, way[:, axis]) for axis in range(3)], axis=1))
    right, left = halves
    return np.concatenate([right, left[-2::-1]]).astype(np.float32)


def _procrustes_mean(meshes: Float[np.ndarray, "faces points 3"]) -> Float[np.ndarray, "points 3"]:
    centred = meshes - meshes.mean(axis=1, keepdims=True)
    centred = centred / np.sqrt((centred**2).sum(axis=(1, 2), keepdims=True) / meshes.shape[1])
    mean = centred[0]
    for _ in range(5):
        u, _, vt = np.linalg.svd(np.einsum("pk,npj->nkj", mean, centred))
        u[:, :, 2] *= np.linalg.det(u @ vt)[:, None]
        mean = np.einsum("nij,nkj->nki", u @ vt, centred).mean(axis=0)
        mean = mean / np.sqrt((mean**2).sum() / len(mean))
    return np.asarray(mean, np.float32)


def _place_mesh(head: MorphableHead, mesh: Float[np.ndarray, "points 3"]) -> SurfacePoints:
    inner = _MESH_INNER
    landmarks = SurfacePoints.at_vertices(head.landmarks68[17:])
    face = head.triangles[(head.triangles < head.face_vertices).all(axis=1)]
    evidence = [_one_face(landmarks, mesh[inner], _FIRST_SIGMA_CM)]
    depth_points, depth_mesh = landmarks, mesh[inner]
    surface = landmarks
    for _ in range(8):
        fit = fit_heads(head, evidence, iterations=20)
        vertices = head.vertices(fit.identity[0], fit.expression[0])
        placed = fit.place(vertices[None])[0]
        placed[:, 2] += np.median(depth_mesh[:, 2] - depth_points.of(placed)[:, 2])
        surface = nearest_on_surface(mesh, placed, face)
        depth_points, depth_mesh = surface, mesh
        evidence = [
            _one_face(landmarks, mesh[inner], _LANDMARK_SIGMA_CM),
            _one_face(surface, mesh, _MESH_SIGMA_CM),
        ]
    return surface


def _one_face(
    surface: SurfacePoints, points: Float[np.ndarray, "points 3"], sigma_cm: float
) -> Evidence:
    sigma = np.full((1, len(points)), sigma_cm, np.float32)
    return Evidence(surface, points[None], sigma, np.full_like(sigma, _DEPTH_SIGMA_CM))


def _spread_cover(mesh: Float[np.ndarray, "points 3"]) -> Int[np.ndarray, " used"]:
    """The rims, and vertices far from each other until there are enough."""
    chosen = [int(vertex) for vertex in _MESH_RIMS.split()]
    distance = np.linalg.norm(mesh[:, None] - mesh[chosen], axis=2).min(axis=1)
    while len(chosen) < _USED:
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(mesh - mesh[chosen[-1]], axis=1))
    return np.array(sorted(chosen))


def _move_anchors(
    head: MorphableHead,
    photos: FacePack,
    teacher68: Float[np.ndarray, "faces 68 3"],
    anchors: Anchors,
) -> Anchors:
    fits = fit_photos(head, photos, anchors, outline=False)

    def in_head(missed: Float[np.ndarray, "faces points 3"]) -> Float[np.ndarray, "points 3"]:
        back = missed @ fits.rotation[:, :, :] / fits.scale[:, None, None]
        return np.asarray(np.nanmedian(back, axis=0), np.float32)

    placed = points_of(head, fits, anchors.points68)
    teacher = teacher68 - placed
    teacher[..., 2] -= teacher[..., 2].mean(axis=1)[:, None]
    points68 = anchors.points68.of(head.mean) + in_head(teacher)
    skin = head.triangles[(head.triangles < head.patches[0]).all(axis=1)]
    manual51 = anchors.manual51
    frontal = photos.trusted_manual & (np.abs(yaw_deg(fits.rotation)) < 20)
    if frontal.any():
        clicked = np.full((len(photos), 51, 3), np.nan, np.float32)
        clicked[frontal, :, :2] = photos.manual68[frontal, 17:]
        clicked[frontal, :, :2] -= points_of(head, fits, manual51)[frontal][..., :2]
        clicked[frontal, :, 2] = 0
        moved = manual51.of(head.mean) + in_head(clicked)
        face = head.triangles[(head.triangles < head.face_vertices).all(axis=1)]
        manual51 = nearest_on_surface(moved, head.mean, face)
    return Anchors(
        mesh468=anchors.mesh468,
        mesh_used=anchors.mesh_used,
        points68=nearest_on_surface(points68, head.mean, skin),
        manual51=manual51,
    )
