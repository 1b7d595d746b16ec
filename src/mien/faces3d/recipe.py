"""From fitted photos to a set: which photo is turned how far, and edited how."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial.transform import Rotation

from mien.faces3d.anchors import Anchors
from mien.faces3d.fits import yaw_deg
from mien.faces3d.fitting import HeadFits
from mien.faces3d.labels import FaceLabels, best_labels
from mien.faces3d.morphable import MorphableHead
from mien.faces3d.photos import FacePhotos, read_photo
from mien.faces3d.shards import SetEntry
from mien.faces3d.turning import FittedPhoto, HeadTurner, Turn

__all__ = ["Recipe", "make_entries"]

_log = logging.getLogger(__name__)
_SOURCE_YAW_DEG = 35.0
_MAX_PITCH_DEG = 40.0


@dataclass(frozen=True)
class Recipe:
    """What a set is to hold."""

    pictures: int
    split: str = "train"
    min_yaw_deg: float = 30.0
    max_yaw_deg: float = 90.0
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
    labels = best_labels(head, fits, photos, anchors)
    yaw = yaw_deg(fits.rotation)
    turner = HeadTurner(head)
    near = anchors.points68.corners[np.arange(68), anchors.points68.weights.argmax(axis=1)]
    fit = labels.usable & (np.abs(yaw) <= _SOURCE_YAW_DEG) & (photos.split == recipe.split)
    pools = {name: np.flatnonzero(fit & (photos.source == name)) for name, _ in recipe.source_shares}
    shares = np.array([share * (len(pools[name]) > 0) for name, share in recipe.source_shares])
    names = [name for name, _ in recipe.source_shares]
    if shares.sum() == 0:
        _log.warning("no usable photo of split %s", recipe.split)
        return
    decks = {name: _Deck(pool, rng) for name, pool in pools.items() if len(pool)}
    for _ in range(recipe.pictures):
        row = decks[str(rng.choice(names, p=shares / shares.sum()))].draw()
        photo = _fitted(photos, fits, labels, row)
        turn = _draw_turn(recipe, photo.rotation, rng)
        turned = turner.turn(photo, turn, near)
        yield SetEntry(
            image=turned.image,
            points_image=turned.points_image,
            hidden=turned.hidden,
            yaw_deg=turned.yaw_deg,
            source_path=str(photos.path[row]),
            split=str(photos.split[row]),
            inner_manual=bool(labels.inner_manual[row]),
        )


class _Deck:
    """Photos in random order, each drawn once before any is drawn again."""

    def __init__(self, rows: Int[np.ndarray, " rows"], rng: np.random.Generator) -> None:
        self._rows, self._rng, self._left = rows, rng, list[int]()

    def draw(self) -> int:
        if not self._left:
            self._left = self._rng.permutation(self._rows).tolist()
        return self._left.pop()


def _fitted(photos: FacePhotos, fits: HeadFits, labels: FaceLabels, row: int) -> FittedPhoto:
    return FittedPhoto(
        image=read_photo(photos, row),
        rotation=fits.rotation[row],
        scale=float(fits.scale[row]),
        shift=fits.shift[row],
        identity=fits.identity[row],
        expression=fits.expression[row],
        points_image=labels.points_image[row],
    )


def _draw_turn(
    recipe: Recipe, rotation: Float[np.ndarray, "3 3"], rng: np.random.Generator
) -> Turn:
    # The photo's pose as people move: nod about the ears' axis, turn on the neck, then tilt.
    tilt, minus_yaw, nod = Rotation.from_matrix(rotation).as_euler("ZYX", degrees=True)
    yaw = -float(minus_yaw)
    # A head that already shows one side well turns on to that side: the other is not in the photo.
    across = 0.5 if abs(yaw) < 10 else 0.08
    side = np.sign(yaw) * (1 if rng.random() > across else -1)
    size = rng.uniform(recipe.min_yaw_deg, recipe.max_yaw_deg)
    nodded, camera = (rng.normal(0, 7) if rng.random() < 0.7 else rng.uniform(-22, 22) for _ in "12")
    new_nod = float(np.clip(nod + nodded, -_MAX_PITCH_DEG, _MAX_PITCH_DEG))
    view = Rotation.from_euler("ZX", [tilt, camera], degrees=True)
    turned = view * Rotation.from_euler("YX", [-side * size, new_nod], degrees=True)
    return Turn(turned.as_matrix(), hair_cm=float(rng.uniform(0.1, 1.0)))
