"""From a labelled face to a training crop: place it, warp once, then spoil it as cameras do.

Placement composes one similarity and warps once (``geometry.warp_crop``, the tracker's own).
What cannot move a landmark (colour, blur, noise, compression, occluders) comes after.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from mien.augmentation.border import cut_by_border
from mien.augmentation.degrade import degrade
from mien.augmentation.occlude import cover_mouth, occlude
from mien.datasets.labelled_face import LabelledFace
from mien.geometry import (
    FACE_SHARE,
    Similarity,
    crop_from_box,
    crop_from_landmarks,
    warp_crop,
)
from mien.markup import Markup
from mien.types import Box

_NOWHERE = 0.35
"""Share of the counter-examples that show no part of their own picture."""
_TAIL = 2.5
"""Standard deviations at which perturbations end: further off no crop is well aligned."""
_OFF_SCALE, _OFF_ROLL_DEG = 0.15, 15
"""Of counter-examples that are wrong in another way: standard deviations of the logarithm of the
scale and of the roll. Somewhat wider than those of faces, so that neither tells alone."""
_BESIDE = (0.55, 1.3)
"""Distance of a crop beside the face, in face sizes: from where the crop loses the face's edge to
where no more than its edge is left."""
_BESIDE_SCALE = (-0.9, 0.4)
"""Logarithms of the scale there: 0.4 to 1.5, an eye alone to a face among its surroundings."""
_FAR_SCALE = (0.7, 1.4)
"""Logarithms by which a crop is too large or too small: two to four times."""
_FAR_SHIFT = 0.15
"""Standard deviation of the shift of those, as a share of the side."""
_TURNED_DEG = (90, 180)
"""Roll of a face on its side to one on its head."""

__all__ = ["AugmentConfig", "TrainingCrop", "counter_example", "make_crop", "perturbation"]


@dataclass(frozen=True)
class AugmentConfig:
    """How far a training crop strays from the aligned one, and how often it is spoilt."""

    rotation_deg: float = 10.0
    """Standard deviation of the turn in the picture plane."""
    scale: float = 0.10
    """Standard deviation of the logarithm of the scale."""
    shift: float = 0.05
    """Standard deviation of the shift along x and along y, in face sizes."""
    wild: float = 0.1
    """Share of crops turned evenly up to ``wild_rotation_deg``, scaled and shifted twice as far."""
    wild_rotation_deg: float = 45.0
    """Largest turn of those."""
    boxed: float = 0.0
    """Share of face crops placed by the box of the face's points, upright, not by the points: of a
    turned head such a crop shows less, off its middle. Model 1 meets these too."""
    mirror: float = 0.5
    """Share of mirrored crops."""
    spoil: float = 0.7
    """Share of crops whose colours, sharpness or compression are spoilt."""
    occlude: float = 0.25
    """Share of crops with something before the face."""
    cover_mouth: float = 0.0
    """Share of crops with a hand or a microphone before mouth and chin."""
    border_cut: float = 0.0
    """Share of faces that the picture's border cuts, at any side, up to half the face; their truth
    is as before the cut."""
    backdrop: float = 0.6
    """Share of crops that are filled beyond the picture's edge, so that black tells nothing."""
    counter_examples: float = 0.1
    """Share of crops without a well aligned face; they teach the score."""

    def unspoilt(self) -> AugmentConfig:
        """Perturbed as far as most crops, and nothing else done to them."""
        return dataclasses.replace(
            self,
            wild=0.0,
            spoil=0.0,
            occlude=0.0,
            cover_mouth=0.0,
            border_cut=0.0,
            counter_examples=0.0,
            mirror=0.0,
        )


@dataclass(frozen=True)
class TrainingCrop:
    """One item of a batch."""

    crop_rgb: UInt8[np.ndarray, "side side 3"]
    points: Float[np.ndarray, "points 3"]
    """Shares of the side (``models.decoding``)."""
    weights: Float[np.ndarray, " points"]
    is_face: bool
    has_depth: bool = True
    """Whether z of the points may be learned from."""


def make_crop(
    face: LabelledFace,
    patch: UInt8[np.ndarray, "height width 3"],
    config: AugmentConfig,
    markup: Markup,
    side: int,
    rng: np.random.Generator,
) -> TrainingCrop:
    """A training crop of a face; ``patch`` is another picture, to lay pieces of over it."""
    is_face = rng.random() >= config.counter_examples
    if config.border_cut > 0 and rng.random() < config.border_cut:
        face = cut_by_border(face, rng)
    if is_face and rng.random() < config.boxed:
        aligned = crop_from_box(Box.around(face.points), side)
    else:
        aligned = crop_from_landmarks(face.points, markup.mean_shape, side)
    moved = perturbation(config, side, rng) if is_face else counter_example(side, rng)
    image_from_crop = aligned @ moved
    crop = warp_crop(face.image_rgb, image_from_crop, side)
    if rng.random() < config.backdrop:
        crop = _fill_outside(crop, face.image_rgb.shape[:2], image_from_crop, patch, rng)
    if not is_face and rng.random() < _NOWHERE:
        crop = _nowhere(patch, side, rng)
    points = image_from_crop.inverse().apply(face.points)
    weights = face.trusted.astype(np.float32)
    if rng.random() < config.mirror:
        crop = crop[:, ::-1]
        points = (points * [-1, 1, 1] + [side - 1, 0, 0])[list(markup.mirror)]
        weights = weights[list(markup.mirror)]
    if rng.random() < config.occlude:
        crop = occlude(crop, patch, rng)
    if config.cover_mouth > 0 and rng.random() < config.cover_mouth:
        crop = cover_mouth(crop, points[list(markup.ibug68[48:])].mean(axis=0)[:2], rng)
    if rng.random() < config.spoil:
        crop = degrade(crop, rng)
    half = np.array([0.5, 0.5, 0.0])
    shares = (points + half) / side - half
    return TrainingCrop(
        np.ascontiguousarray(crop), shares.astype(np.float32), weights, is_face, face.has_depth
    )


def _fill_outside(
    crop: UInt8[np.ndarray, "side side 3"],
    shape: tuple[int, int],
    image_from_crop: Similarity,
    patch: UInt8[np.ndarray, "height width 3"],
    rng: np.random.Generator,
) -> UInt8[np.ndarray, "side side 3"]:
    """Put the blurred colours of another picture where the crop leaves its own."""
    side = len(crop)
    inside = np.full((*shape, 1), 255, np.uint8)
    mask = cv2.warpAffine(
        inside, image_from_crop.matrix, (side, side), flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR
    )
    if mask.min() == 255:
        return crop
    fill = _colours(patch, side, int(rng.integers(2, 24)))
    return np.where(mask[..., None] == 255, crop, fill)


def _nowhere(
    patch: UInt8[np.ndarray, "height width 3"], side: int, rng: np.random.Generator
) -> UInt8[np.ndarray, "side side 3"]:
    """A picture of nothing: smooth as a sky, or the pieces of a photo in disorder."""
    if rng.random() < 0.5:
        return _colours(patch, side, int(rng.integers(1, 9)))
    cells = int(rng.integers(4, 9))
    piece = -(-side // cells)
    photo = cv2.resize(patch, (cells * piece, cells * piece))
    tiles = photo.reshape(cells, piece, cells, piece, 3).swapaxes(1, 2).reshape(-1, piece, piece, 3)
    mixed = rng.permutation(tiles).reshape(cells, cells, piece, piece, 3).swapaxes(1, 2)
    return np.ascontiguousarray(mixed.reshape(photo.shape)[:side, :side])


def _colours(
    patch: UInt8[np.ndarray, "height width 3"], side: int, cells: int
) -> UInt8[np.ndarray, "side side 3"]:
    """The colours of a picture without its content: ``cells`` x ``cells`` means, blurred."""
    coarse = cv2.resize(patch, (cells, cells), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC))


def perturbation(config: AugmentConfig, side: int, rng: np.random.Generator) -> Similarity:
    """``aligned_from_crop``: a small similarity, now and then a large one."""
    wild = rng.random() < config.wild
    reach = 2.0 if wild else 1.0
    most = config.wild_rotation_deg
    angle = rng.uniform(-most, most) if wild else _bounded(rng, 1)[0] * config.rotation_deg
    shift = _bounded(rng, 2) * (reach * config.shift * FACE_SHARE * side)
    return Similarity.about(
        ((side - 1) / 2, (side - 1) / 2),
        scale=math.exp(_bounded(rng, 1)[0] * reach * config.scale),
        angle_rad=math.radians(angle),
        shift=(float(shift[0]), float(shift[1])),
    )


def counter_example(side: int, rng: np.random.Generator) -> Similarity:
    """``aligned_from_crop`` of a crop that no tracker should keep.

    Beside the face, far too near or far, or turned far over; each far enough that no honest
    alignment strays there.
    """
    kind = rng.integers(3)
    scale, angle = math.exp(rng.normal(0, _OFF_SCALE)), rng.normal(0, _OFF_ROLL_DEG)
    shift = np.zeros(2)
    if kind == 0:
        direction = rng.uniform(0, 2 * math.pi)
        distance = rng.uniform(*_BESIDE) * FACE_SHARE * side
        shift = distance * np.array([math.cos(direction), math.sin(direction)])
        scale = math.exp(rng.uniform(*_BESIDE_SCALE))
    elif kind == 1:
        scale = math.exp(rng.choice([-1, 1]) * rng.uniform(*_FAR_SCALE))
        shift = rng.normal(0, _FAR_SHIFT, 2) * side
    else:
        angle = rng.choice([-1, 1]) * rng.uniform(*_TURNED_DEG)
    return Similarity.about(
        ((side - 1) / 2, (side - 1) / 2),
        scale=scale,
        angle_rad=math.radians(angle),
        shift=(float(shift[0]), float(shift[1])),
    )


def _bounded(rng: np.random.Generator, count: int) -> Float[np.ndarray, " count"]:
    """Normal numbers without their far tails."""
    return np.clip(rng.normal(size=count), -_TAIL, _TAIL)
