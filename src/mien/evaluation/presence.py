"""Does the score tell a crop with a well aligned face from one without?

Each picture gives three crops: aligned by the true points; a corner that the face does not reach;
and one misplaced as training's counter-examples are, which often shows a
part of the face, and black where the picture ends. The last two follow from the picture's name.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from mien.augmentation.crops import counter_example
from mien.datasets.photo import LabelledPhoto
from mien.evaluation.metrics import face_size
from mien.evaluation.ranks import ranks_of
from mien.geometry import FACE_SHARE, Similarity, crop_from_landmarks
from mien.types import Box

__all__ = ["PresenceScore", "View", "corner_view", "misplaced_crop", "roc_auc", "score_presence"]

Image = UInt8[np.ndarray, "height width 3"]

_SEED = 4
_MARGIN = 0.1
"""Between the landmarks' box and a corner, in box sizes."""
_SMALLEST_PX = 24
_LEAST_OF_ROOM = 0.6
"""Least side of a corner without a face, as a share of the room there."""


@dataclass(frozen=True)
class View:
    """A crop of a picture."""

    image_rgb: Image
    image_from_crop: Similarity


def corner_view(photo: LabelledPhoto, image_rgb: Image, side: int) -> View | None:
    """A square in a corner of the picture, as large as the face allows or down to 0.6 of that.

    Half of the squares are enlarged to a whole crop; half keep the scale at which the face would
    be seen, and are continued by their mirror images until they fill the crop. ``None`` where the
    face leaves no corner of 24 px.
    """
    rng = _rng(photo)
    height, width = image_rgb.shape[:2]
    box = Box.around(photo.points_image)
    gap = _MARGIN * max(box.width, box.height)
    columns = {0: box.left - gap, 1: width - 1 - box.right - gap}
    rows = {0: box.top - gap, 1: height - 1 - box.bottom - gap}
    # A square in a corner is clear of the face if it ends before it in one direction.
    room = {(x, y): max(columns[x], rows[y]) for x in columns for y in rows}
    largest = {corner: min(px, width, height) for corner, px in room.items() if px >= _SMALLEST_PX}
    if not largest:
        return None
    x, y = sorted(largest)[int(rng.integers(len(largest)))]
    px = max(int(largest[x, y] * rng.uniform(_LEAST_OF_ROOM, 1)), _SMALLEST_PX)
    left, top = x * (width - px), y * (height - px)
    square = image_rgb[top : top + px, left : left + px]
    whole_px = face_size(photo.points_image) / FACE_SHARE
    if rng.random() < 0.5 and whole_px > px:
        square = np.pad(square, ((0, math.ceil(whole_px - px)),) * 2 + ((0, 0),), mode="symmetric")
    scale = len(square) / side
    start = (scale - 1) / 2  # the first pixel's centre
    return View(square, Similarity(scale, 0.0, (start, start)))


def misplaced_crop(
    photo: LabelledPhoto, mean_shape: Float[np.ndarray, "68 3"], side: int
) -> Similarity:
    """Beside the face, far too near or far, or turned far over (``data.augment``)."""
    aligned = crop_from_landmarks(photo.points_image[:, :2], mean_shape, side)
    return aligned @ counter_example(side, _rng(photo))


def _rng(photo: LabelledPhoto) -> np.random.Generator:
    return np.random.default_rng([_SEED, zlib.crc32(photo.name.encode())])


def roc_auc(faces: Float[np.ndarray, " n"], others: Float[np.ndarray, " m"]) -> float:
    """Probability that a face has the higher score of two, ties counting half."""
    ranks = ranks_of(np.concatenate([faces, others]))
    lowest = len(faces) * (len(faces) + 1) / 2
    return float((ranks[: len(faces)].sum() - lowest) / (len(faces) * len(others)))


@dataclass(frozen=True)
class PresenceScore:
    """The score of crops with a face, set against crops without one."""

    n_no_face: int
    auc_no_face: float
    n_misplaced: int
    auc_misplaced: float


def score_presence(
    faces: Float[np.ndarray, " n"],
    no_face: Float[np.ndarray, " n"],
    misplaced: Float[np.ndarray, " n"],
) -> PresenceScore | None:
    """AUCs from scores, NaN where there was no crop; ``None`` where a kind has none at all."""
    known = [scores[np.isfinite(scores)] for scores in (faces, no_face, misplaced)]
    if not all(len(scores) for scores in known):
        return None
    aligned, corner, misplaced = known
    return PresenceScore(
        len(corner), roc_auc(aligned, corner), len(misplaced), roc_auc(aligned, misplaced)
    )
