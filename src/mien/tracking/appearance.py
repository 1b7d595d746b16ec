"""How a face looks, as a short vector: whether a face that comes back is the one that went.

The crop aligned by the landmarks becomes gradient histograms (Dalal, Triggs, CVPR 2005) and a small
colour picture; a linear map learned from frames of people who are known apart (linear discriminant
analysis: what differs within a person counts little) makes them 48 numbers of length 1, which are
compared by their cosine. It tells the people of one clip from each other; it is too weak to
recognise anybody in another (``docs/decisions/0020-who-is-who.md`` has its error rates).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from mien.geometry import Similarity, pose_head, warp_crop
from mien.markup import load_markup

__all__ = ["CROP_SIDE", "Appearance", "cut_face", "describe_crop", "is_clear", "load_appearance"]

CROP_SIDE = 96
"""Side of the square that is described, px."""
_FILLS = 0.8
"""Share of the side that the landmark box of a head takes that looks at the camera. What is behind
the face, which two people of one place share, is mostly left out."""
_GLANCE_SIDE = 24
_CELLS = 12
_ORIENTATIONS = 8
_COLOUR_CELLS = 8
_LEAST_CONTRAST = 2.0
"""Standard deviation of grey, of 255, below which a crop shows nothing."""
_DETAIL_SIGMA = 3.0
_LEAST_DETAIL, _LEAST_SHARPNESS = 2.0, 0.11
"""Standard deviation of what is finer than that blur, of 255 and as a share of the whole: in the
dark and out of focus all faces are alike."""
_LEAST_EDGES, _LEAST_LIGHT = 4.0, 8.0
"""Strength of edges, and grey levels, added before dividing: a flat or dark crop's noise stays
small. The shipped network has learned from features made so."""


@dataclass(frozen=True)
class Appearance:
    """The learned map from a description to a signature."""

    mean: Float[np.ndarray, " features"]
    weights: Float[np.ndarray, "numbers features"]

    def signature(
        self,
        image_rgb: UInt8[np.ndarray, "height width 3"],
        points_image: Float[np.ndarray, "points 3"],
    ) -> Float[np.ndarray, " numbers"] | None:
        """Of the face under 68 or 84 landmarks, of length 1; ``None`` where nothing can be seen.

        Two are alike by their scalar product: 1 for the same picture, about 0 for two people.
        """
        crop = cut_face(image_rgb, points_image, CROP_SIDE)
        if not is_clear(crop):
            return None
        numbers = self.weights @ (describe_crop(crop) - self.mean)
        return _unit(numbers)

    @staticmethod
    def glance(
        image_rgb: UInt8[np.ndarray, "height width 3"],
        points_image: Float[np.ndarray, "points 3"],
    ) -> Float[np.ndarray, " pixels"] | None:
        """Its small picture, without the mean, of length 1; ``None`` where nothing can be seen."""
        crop = cut_face(image_rgb, points_image, _GLANCE_SIDE).astype(np.float32)
        if float(crop.std()) < _LEAST_CONTRAST:
            return None
        grey = crop.sum(axis=2).ravel()  # three times the mean: its length is lost anyway
        return _unit(grey - grey.mean())


def cut_face(
    image_rgb: UInt8[np.ndarray, "height width 3"],
    points_image: Float[np.ndarray, "points 3"],
    side: int = CROP_SIDE,
) -> UInt8[np.ndarray, "side side 3"]:
    """The face under 68 or 84 landmarks, upright, in a square of ``side`` px."""
    head = pose_head(points_image, load_markup(len(points_image)).mean_shape)  # in closed form
    turn = Similarity(head.scale / (_FILLS * side), math.radians(head.pose.roll_deg), (0.0, 0.0))
    shift = head.translation - turn.apply(np.full(2, (side - 1) / 2))
    return warp_crop(
        image_rgb, Similarity(turn.scale, turn.angle_rad, (float(shift[0]), float(shift[1]))), side
    )


def _unit(numbers: Float[np.ndarray, " numbers"]) -> Float[np.ndarray, " numbers"] | None:
    length = math.sqrt(float(numbers @ numbers))
    return np.asarray(numbers / length) if length > 0 else None


@cache
def load_appearance() -> Appearance:
    """The map that ships with mien."""
    with (files("mien.tracking") / "appearance.npz").open("rb") as file:
        stored = np.load(file, allow_pickle=False)
        return Appearance(stored["mean"].astype(np.float32), stored["weights"].astype(np.float32))


def is_clear(crop_rgb: UInt8[np.ndarray, "side side 3"]) -> bool:
    """Whether a crop shows enough to tell one face from another."""
    grey = cv2.cvtColor(crop_rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    detail = float((grey - cv2.GaussianBlur(grey, (0, 0), _DETAIL_SIGMA)).std())
    return detail >= max(_LEAST_DETAIL, _LEAST_SHARPNESS * float(grey.std()))


def describe_crop(crop_rgb: UInt8[np.ndarray, "side side 3"]) -> Float[np.ndarray, " features"]:
    """Gradient histograms of 12 x 12 cells, then the colours of 8 x 8, free of brightness."""
    grey = cv2.cvtColor(crop_rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.concatenate([_gradients(grey), _colours(crop_rgb)])


def _gradients(grey: Float[np.ndarray, "side side"]) -> Float[np.ndarray, " features"]:
    """Unsigned orientations, softly binned; each cell normalised by its neighbourhood."""
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3)
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3)
    strength = np.sqrt(across**2 + down**2)
    place = np.mod(np.arctan2(down, across) / np.pi, 1.0) * _ORIENTATIONS
    cells = np.empty((_CELLS, _CELLS, _ORIENTATIONS), np.float32)
    for bin_number in range(_ORIENTATIONS):
        off = np.abs(place - bin_number)
        share = np.maximum(1 - np.minimum(off, _ORIENTATIONS - off), 0) * strength
        cells[:, :, bin_number] = cv2.resize(share, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
    around = cv2.blur(cells.sum(axis=2), (3, 3), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(np.sqrt(cells / (around[:, :, None] + _LEAST_EDGES)).ravel())


def _colours(crop_rgb: UInt8[np.ndarray, "side side 3"]) -> Float[np.ndarray, " features"]:
    """Luma against the crop's own, and two chromas, of 8 x 8 cells."""
    small = cv2.resize(
        crop_rgb, (_COLOUR_CELLS, _COLOUR_CELLS), interpolation=cv2.INTER_AREA
    ).astype(np.float32)
    luma = small.mean(axis=2)
    red, blue = small[:, :, 0] - luma, small[:, :, 2] - luma
    level = luma.mean() + _LEAST_LIGHT
    flat = (luma - luma.mean()) / (luma.std() + _LEAST_LIGHT)
    return np.concatenate([flat.ravel(), red.ravel() / level, blue.ravel() / level])
