"""Things before a face: discs, bars, strands, pieces of other pictures; hands, microphones."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, UInt8

__all__ = ["cover_mouth", "occlude"]

# Lengths are shares of the crop's side; a face is 0.58 of it (`geometry.FACE_SHARE`).
_SPREAD = 0.2
"""Standard deviation of where things lie about the middle: most touch the face."""
_DISC = (0.04, 0.2)
"""Half axes of a disc: a finger's tip to a third of the face."""
_BAR = (0.2, 0.03), (1.0, 0.15)
"""Least and largest length and width of a bar: a pen to an arm."""
_STRAND_JOINTS, _STRAND_STEP = 5, 0.12
"""Points of a strand of hair or a cable, and standard deviation from each to the next."""
_STRAND_WIDTH = (0.005, 0.03)
_PLAIN = 0.4
"""Share of covers in one colour; the rest are pieces of another picture."""
_PIECE, _LEAST_PIECE_PX = (0.3, 1.0), 8
"""How much of the shorter side of that picture a piece takes."""


def occlude(
    crop: UInt8[np.ndarray, "side side 3"],
    patch: UInt8[np.ndarray, "height width 3"],
    rng: np.random.Generator,
) -> UInt8[np.ndarray, "side side 3"]:
    """A copy of the crop with one to three things laid over it; soft edges, at most half hidden."""
    side = crop.shape[0]
    mask = np.zeros((side, side), np.uint8)
    for _ in range(int(rng.integers(1, 4))):
        centre = tuple(int(v) for v in rng.normal(side / 2, side * _SPREAD, 2))
        kind = rng.integers(3)
        if kind == 0:
            axes = tuple(int(v) for v in rng.uniform(*_DISC, 2) * side)
            cv2.ellipse(mask, centre, axes, float(rng.uniform(0, 180)), 0, 360, 255, -1)
        elif kind == 1:
            size = tuple(float(v) for v in rng.uniform(*_BAR) * side)
            box = cv2.boxPoints((centre, size, float(rng.uniform(0, 180))))
            cv2.fillConvexPoly(mask, box.astype(np.int32), 255)
        else:
            strand = (
                np.cumsum(rng.normal(0, side * _STRAND_STEP, (_STRAND_JOINTS, 2)), axis=0) + centre
            )
            width = max(1, int(rng.uniform(*_STRAND_WIDTH) * side))
            cv2.polylines(mask, [strand.astype(np.int32)], False, 255, width, cv2.LINE_AA)
    cover = _cover(patch, side, rng)
    weight = cv2.blur(mask, (3, 3))[..., None].astype(np.float32) / 255
    return np.asarray(crop * (1 - weight) + cover * weight, dtype=np.uint8)


def _cover(
    patch: UInt8[np.ndarray, "height width 3"], side: int, rng: np.random.Generator
) -> UInt8[np.ndarray, "side side 3"]:
    """A plain colour, or a piece of another picture."""
    if rng.random() < _PLAIN:
        return np.full((side, side, 3), rng.integers(0, 256, 3), np.uint8)
    height, width = patch.shape[:2]
    size = max(_LEAST_PIECE_PX, int(min(height, width) * rng.uniform(*_PIECE)))
    top, left = rng.integers(0, height - size + 1), rng.integers(0, width - size + 1)
    piece = patch[top : top + size, left : left + size]
    return np.asarray(cv2.resize(piece, (side, side)), dtype=np.uint8)


_HAND = 0.75
"""Hands among what covers a mouth; the rest are microphones."""
_FINGER = 0.055
"""Width of a finger: a tenth of the face, as on people."""
_MOUTH_SPREAD, _BELOW_MOUTH = 0.05, 0.04
"""Standard deviation of a cover's middle about the mouth, and how far below it lies: chin too."""
_GREY_LEVELS, _GREY_TINT = (10, 90), 6
"""A microphone's black to dark grey, and standard deviation of its channels."""
_GRAIN, _GRAIN_CELL = 0.06, 16
"""Strength of the uneven light over a cover, and px of its cells."""
_RIM_LIGHT = 0.72
"""Light at a cover's outline against its middle: things turn away from the light there."""
_HAND_DEG = 70
"""Largest lean of a hand away from upright: an elbow at the side or on the table."""
_FINGER_VARIES = (0.85, 1.25)
_PALM_BELOW, _PALM_LENGTH = 0.16, 0.17
"""From the mouth to the palm's middle, and half of the palm's length: the fingers' roots lie at the
chin."""
_PALM_WIDTH, _ARM_WIDTH = 2.2, 3.2
"""Half the palm's width and the whole of the wrist's, in fingers: four side by side and a thumb."""
_ROOT_BELOW, _FINGER_APART = 0.06, 1.05
"""From the mouth to the fingers' roots; distance of fingers, in their widths: a slit of light."""
_FINGER_LENGTH = (0.12, 0.26)
"""Two to five widths: bent to stretched."""
_FINGER_BEND = 0.12
"""Standard deviation of a finger's slope against the hand."""
_FINGER_THIN = 0.95
"""A finger's width against that which the palm goes by."""
_MICROPHONE, _MICROPHONE_LEAN = (0.06, 0.13), 0.7
"""Radius of its head, and largest slope of its handle: 35 degrees."""
_HANDLE = 0.9
"""Width of the handle against the radius of the head."""
_SKIN_LIGHT, _SKIN_TINT = (0.75, 1.2), 4
"""A hand's brightness against the face's, and standard deviation of its channels."""


def cover_mouth(
    crop: UInt8[np.ndarray, "side side 3"],
    mouth: Float[np.ndarray, " 2"],
    rng: np.random.Generator,
) -> UInt8[np.ndarray, "side side 3"]:
    """A copy with a hand or a microphone before mouth and chin; ``mouth`` in px of the crop."""
    side = crop.shape[0]
    centre = mouth + rng.normal(0, _MOUTH_SPREAD, 2) * side + [0, _BELOW_MOUTH * side]
    mask = np.zeros((side, side), np.uint8)
    if rng.random() < _HAND:
        _draw_hand(mask, centre, rng)
        colour = _skin(crop, rng)
    else:
        _draw_microphone(mask, centre, rng)
        colour = np.full(3, rng.uniform(*_GREY_LEVELS)) + rng.normal(0, _GREY_TINT, 3)
    grain = rng.normal(0, 1, (side // _GRAIN_CELL, side // _GRAIN_CELL)).astype(np.float32)
    shade = 1 + _GRAIN * cv2.resize(grain, (side, side), interpolation=cv2.INTER_CUBIC)
    # Nearer to the outline it is darker, as round things are.
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    shade *= _RIM_LIGHT + (1 - _RIM_LIGHT) * np.clip(depth / (_FINGER * side / 2), 0, 1)
    cover = np.clip(colour * shade[..., None], 0, 255)
    weight = cv2.blur(mask, (3, 3))[..., None].astype(np.float32) / 255
    return np.asarray(crop * (1 - weight) + cover * weight, dtype=np.uint8)


def _draw_hand(
    mask: UInt8[np.ndarray, "side side"], centre: np.ndarray, rng: np.random.Generator
) -> None:
    """A palm and four fingers side by side, from any direction below the face."""
    side = len(mask)
    angle = rng.uniform(-_HAND_DEG, _HAND_DEG)
    along = np.array([np.sin(np.radians(angle)), -np.cos(np.radians(angle))])
    across = np.array([-along[1], along[0]])
    width = _FINGER * side * rng.uniform(*_FINGER_VARIES)
    palm = centre - along * _PALM_BELOW * side
    axes = (round(_PALM_WIDTH * width), round(_PALM_LENGTH * side))
    cv2.ellipse(mask, _pixel(palm), axes, angle, 0, 360, 255, -1)
    cv2.line(mask, _pixel(palm), _pixel(palm - along * side), 255, round(_ARM_WIDTH * width))
    for place in np.arange(4) - 3 / 2:  # of the four fingers, in their widths from the middle
        base = centre - along * _ROOT_BELOW * side + across * place * width * _FINGER_APART
        length = rng.uniform(*_FINGER_LENGTH) * side
        bend = rng.normal(0, _FINGER_BEND)
        tip = base + (along + across * bend) * length
        thick = max(round(width * _FINGER_THIN), 1)
        cv2.line(mask, _pixel(base), _pixel(tip), 255, thick, cv2.LINE_AA)


def _draw_microphone(
    mask: UInt8[np.ndarray, "side side"], centre: Float[np.ndarray, " 2"], rng: np.random.Generator
) -> None:
    """A round head and the handle below it."""
    side = len(mask)
    radius = rng.uniform(*_MICROPHONE) * side
    lean = rng.uniform(-_MICROPHONE_LEAN, _MICROPHONE_LEAN)
    end = centre + np.array([lean, 1.0]) * side
    cv2.line(mask, _pixel(centre), _pixel(end), 255, max(round(radius * _HANDLE), 1))
    cv2.circle(mask, _pixel(centre), round(radius), 255, -1)


def _skin(
    crop: UInt8[np.ndarray, "side side 3"], rng: np.random.Generator
) -> Float[np.ndarray, " 3"]:
    """The colour of the face's own middle, a little lighter or darker."""
    side = len(crop)
    middle = crop[2 * side // 5 : 3 * side // 5, 2 * side // 5 : 3 * side // 5]
    colour = np.median(middle.reshape(-1, 3), axis=0)
    return np.asarray(
        colour * rng.uniform(*_SKIN_LIGHT) + rng.normal(0, _SKIN_TINT, 3), dtype=np.float64
    )


def _pixel(point: Float[np.ndarray, " 2"]) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))
