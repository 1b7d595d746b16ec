"""Things before a face: discs, bars, strands, pieces of other pictures; hands, microphones."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, UInt8

__all__ = ["cover_mouth", "occlude"]


def occlude(
    crop: UInt8[np.ndarray, "side side 3"],
    patch: UInt8[np.ndarray, "height width 3"],
    rng: np.random.Generator,
) -> UInt8[np.ndarray, "side side 3"]:
    """A copy of the crop with one to three things laid over it; soft edges, at most half hidden."""
    side = crop.shape[0]
    mask = np.zeros((side, side), np.uint8)
    for _ in range(int(rng.integers(1, 4))):
        centre = tuple(int(v) for v in rng.normal(side / 2, side * 0.2, 2))
        kind = rng.integers(3)
        if kind == 0:
            axes = tuple(int(v) for v in rng.uniform(0.04, 0.2, 2) * side)
            cv2.ellipse(mask, centre, axes, float(rng.uniform(0, 180)), 0, 360, 255, -1)
        elif kind == 1:
            size = tuple(float(v) for v in rng.uniform([0.2, 0.03], [1.0, 0.15]) * side)
            box = cv2.boxPoints((centre, size, float(rng.uniform(0, 180))))
            cv2.fillConvexPoly(mask, box.astype(np.int32), 255)
        else:
            strand = np.cumsum(rng.normal(0, side * 0.12, (5, 2)), axis=0) + centre
            width = max(1, int(rng.uniform(0.005, 0.03) * side))
            cv2.polylines(mask, [strand.astype(np.int32)], False, 255, width, cv2.LINE_AA)
    cover = _cover(patch, side, rng)
    weight = cv2.blur(mask, (3, 3))[..., None].astype(np.float32) / 255
    return np.asarray(crop * (1 - weight) + cover * weight, dtype=np.uint8)


def _cover(
    patch: UInt8[np.ndarray, "height width 3"], side: int, rng: np.random.Generator
) -> UInt8[np.ndarray, "side side 3"]:
    """A plain colour, or a piece of another picture."""
    if rng.random() < 0.4:
        return np.full((side, side, 3), rng.integers(0, 256, 3), np.uint8)
    height, width = patch.shape[:2]
    size = max(8, int(min(height, width) * rng.uniform(0.3, 1.0)))
    top, left = rng.integers(0, height - size + 1), rng.integers(0, width - size + 1)
    piece = patch[top : top + size, left : left + size]
    return np.asarray(cv2.resize(piece, (side, side)), dtype=np.uint8)


_HAND = 0.75
"""Hands among what covers a mouth; the rest are microphones."""
_FINGER = 0.055
"""Width of a finger, as a share of the crop's side (a face is 0.58 of it)."""


def cover_mouth(
    crop: UInt8[np.ndarray, "side side 3"],
    mouth: Float[np.ndarray, " 2"],
    rng: np.random.Generator,
) -> UInt8[np.ndarray, "side side 3"]:
    """A copy with a hand or a microphone before mouth and chin; ``mouth`` in px of the crop."""
    side = crop.shape[0]
    centre = mouth + rng.normal(0, 0.05, 2) * side + [0, 0.04 * side]
    mask = np.zeros((side, side), np.uint8)
    if rng.random() < _HAND:
        _draw_hand(mask, centre, rng)
        colour = _skin(crop, rng)
    else:
        _draw_microphone(mask, centre, rng)
        colour = np.full(3, rng.uniform(10, 90)) + rng.normal(0, 6, 3)
    grain = rng.normal(0, 1, (side // 16, side // 16)).astype(np.float32)
    shade = 1 + 0.06 * cv2.resize(grain, (side, side), interpolation=cv2.INTER_CUBIC)
    # Nearer to the outline it is darker, as round things are.
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    shade *= 0.72 + 0.28 * np.clip(depth / (_FINGER * side / 2), 0, 1)
    cover = np.clip(colour * shade[..., None], 0, 255)
    weight = cv2.blur(mask, (3, 3))[..., None].astype(np.float32) / 255
    return np.asarray(crop * (1 - weight) + cover * weight, dtype=np.uint8)


def _draw_hand(
    mask: UInt8[np.ndarray, "side side"], centre: np.ndarray, rng: np.random.Generator
) -> None:
    """A palm and four fingers side by side, from any direction below the face."""
    side = len(mask)
    angle = rng.uniform(-70, 70)
    along = np.array([np.sin(np.radians(angle)), -np.cos(np.radians(angle))])
    across = np.array([-along[1], along[0]])
    width = _FINGER * side * rng.uniform(0.85, 1.25)
    palm = centre - along * 0.16 * side
    axes = (round(2.2 * width), round(0.17 * side))
    cv2.ellipse(mask, _pixel(palm), axes, angle, 0, 360, 255, -1)
    cv2.line(mask, _pixel(palm), _pixel(palm - along * side), 255, round(3.2 * width))
    for finger in range(4):
        base = centre - along * 0.06 * side + across * (finger - 1.5) * width * 1.05
        length = rng.uniform(0.12, 0.26) * side
        bend = rng.normal(0, 0.12)
        tip = base + (along + across * bend) * length
        cv2.line(mask, _pixel(base), _pixel(tip), 255, max(round(width * 0.95), 1), cv2.LINE_AA)


def _draw_microphone(
    mask: UInt8[np.ndarray, "side side"], centre: Float[np.ndarray, " 2"], rng: np.random.Generator
) -> None:
    """A round head and the handle below it."""
    side = len(mask)
    radius = rng.uniform(0.06, 0.13) * side
    lean = rng.uniform(-0.7, 0.7)
    end = centre + np.array([lean, 1.0]) * side
    cv2.line(mask, _pixel(centre), _pixel(end), 255, max(round(radius * 0.9), 1))
    cv2.circle(mask, _pixel(centre), round(radius), 255, -1)


def _skin(
    crop: UInt8[np.ndarray, "side side 3"], rng: np.random.Generator
) -> Float[np.ndarray, " 3"]:
    """The colour of the face's own middle, a little lighter or darker."""
    side = len(crop)
    middle = crop[2 * side // 5 : 3 * side // 5, 2 * side // 5 : 3 * side // 5]
    colour = np.median(middle.reshape(-1, 3), axis=0)
    return np.asarray(colour * rng.uniform(0.75, 1.2) + rng.normal(0, 4, 3), dtype=np.float64)


def _pixel(point: Float[np.ndarray, " 2"]) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))
