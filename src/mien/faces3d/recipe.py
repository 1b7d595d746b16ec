"""From fitted photos to a set: which photo is turned how far, and edited how."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial.transform import Rotation

from mien.faces3d.anchors import Anchors
from mien.faces3d.editing import ExpressionEditor
from mien.faces3d.fits import yaw_deg
from mien.faces3d.fitting import HeadFits
from mien.faces3d.morphable import MorphableHead
from mien.faces3d.photos import FacePhotos
from mien.faces3d.shards import SetEntry
from mien.faces3d.snapping import FittedPhoto, Snapper
from mien.faces3d.turning import HeadTurner, Turn

__all__ = ["Recipe", "make_entries"]

_log = logging.getLogger(__name__)
_SOURCE_YAW_DEG = 35.0
_MAX_NOD_DEG = 40.0


@dataclass(frozen=True)
class Recipe:
    """What a set is to hold."""

    pictures: int
    split: str = "train"
    min_yaw_deg: float = 30.0
    max_yaw_deg: float = 90.0
    eyes_shut: float = 0.0
    """Share of pictures with shut (a fifth of them: half shut) eyes."""
    mouth_open: float = 0.0
    brows: float = 0.0
    relit: float = 0.0
    edits_frontal: float = 0.4
    """Share of edited pictures that stay within 30 degrees of the camera."""
    source_shares: tuple[tuple[str, float], ...] = (
        ("helen", 0.24),
        ("afw", 0.1),
        ("mebeauty", 0.36),
        ("lfw", 0.2),
        ("ytf", 0.1),
    )


def make_entries(
    recipe: Recipe,
    head: MorphableHead,
    photos: FacePhotos,
    fits: HeadFits,
    anchors: Anchors,
    rng: np.random.Generator,
) -> Iterator[SetEntry]:
    """Yield the pictures of a set one by one; photos that cannot be trusted are left out."""
    snapper = Snapper(head, anchors, photos, fits)
    turner, editor = HeadTurner(head, anchors), ExpressionEditor(head, anchors)
    near = np.abs(yaw_deg(fits.rotation)) <= _SOURCE_YAW_DEG
    usable = snapper.labels.usable & near & (photos.split == recipe.split)
    pools = {
        name: np.flatnonzero(usable & (photos.source == name)) for name, _ in recipe.source_shares
    }
    decks = {name: _Deck(pool, rng) for name, pool in pools.items() if len(pool)}
    if not decks:
        _log.warning("no usable photo of split %s", recipe.split)
        return
    shares = np.array([share for name, share in recipe.source_shares if name in decks])
    names = [name for name, _ in recipe.source_shares if name in decks]
    for _ in range(recipe.pictures):
        row = decks[names[rng.choice(len(names), p=shares / shares.sum())]].draw()
        photo = snapper.photo(row)
        turn, edit = _draw_turn(recipe, photo, editor, rng)
        turned = turner.turn(photo, turn)
        yield SetEntry(
            image=turned.image,
            points_image=turned.points_image,
            hidden=turned.hidden,
            yaw_deg=turned.yaw_deg,
            source_path=str(photos.path[row]),
            split=str(photos.split[row]),
            inner_manual=bool(snapper.labels.inner_manual[row]),
            edit=edit,
        )


class _Deck:
    """Photos in random order, each drawn once before any is drawn again."""

    def __init__(self, rows: Int[np.ndarray, " rows"], rng: np.random.Generator) -> None:
        self._rows, self._rng, self._left = rows, rng, list[int]()

    def draw(self) -> int:
        if not self._left:
            self._left = self._rng.permutation(self._rows).tolist()
        return self._left.pop()


def _draw_turn(
    recipe: Recipe, photo: FittedPhoto, editor: ExpressionEditor, rng: np.random.Generator
) -> tuple[Turn, str]:
    """A random turn and what it does to the expression, in words."""
    change, words = np.zeros_like(photo.expression), list[str]()
    shut = False
    if rng.random() < recipe.eyes_shut:
        shut = bool(rng.random() < 0.8)
        part = 1.0 if shut else float(rng.uniform(0.3, 0.8))
        change += editor.shut_eyes(photo.vertices_cm, (part, part))
        words.append("eyes shut" if shut else "eyes half shut")
    if rng.random() < recipe.mouth_open:
        change += editor.open_mouth(photo.expression, rng)
        words.append("mouth open")
    if rng.random() < recipe.brows:
        change += editor.raise_brows(rng)
        words.append("brows moved")
    lamp = np.zeros(3, np.float32)
    if rng.random() < recipe.relit:
        way = np.array([rng.normal(), rng.normal() * 0.7 - 0.2, -0.7])
        lamp = (way / np.linalg.norm(way) * rng.uniform(0.2, 0.75)).astype(np.float32)
    frontal = bool(words) and rng.random() < recipe.edits_frontal
    low, high = (0.0, 30.0) if frontal else (recipe.min_yaw_deg, recipe.max_yaw_deg)
    turn = Turn(
        rotation=_draw_rotation(photo.rotation, (low, high), rng),
        hair_cm=float(rng.uniform(0.1, 1.0)),
        expression_change=change.astype(np.float32) if words else None,
        eyes_shut=shut,
        light=lamp,
        teeth_cm=(float(rng.uniform(0, 0.9)), float(rng.choice([0.0, 0.0, 0.35]))),
    )
    return turn, ", ".join(words)


def _draw_rotation(
    rotation: Float[np.ndarray, "3 3"], yaw_range: tuple[float, float], rng: np.random.Generator
) -> Float[np.ndarray, "3 3"]:
    # The photo's pose as people move: nod about the ears' axis, turn on the neck, then tilt.
    tilt, minus_yaw, nod = Rotation.from_matrix(rotation).as_euler("ZYX", degrees=True)
    yaw = -float(minus_yaw)
    # A head that already shows one side well turns on to that side: the other is not in the photo.
    across = 0.5 if abs(yaw) < 10 else 0.08
    side = np.sign(yaw) * (1 if rng.random() > across else -1)
    size = rng.uniform(*yaw_range)
    nodded, camera = (
        rng.normal(0, 7) if rng.random() < 0.7 else rng.uniform(-22, 22) for _ in "12"
    )
    new_nod = float(np.clip(nod + nodded, -_MAX_NOD_DEG, _MAX_NOD_DEG))
    view = Rotation.from_euler("ZX", [tilt, camera], degrees=True)
    turned = view * Rotation.from_euler("YX", [-side * size, new_nod], degrees=True)
    matrix: Float[np.ndarray, "3 3"] = turned.as_matrix()
    return matrix
