"""What cameras and codecs do to a picture: light, colour, blur, few pixels, noise, compression."""

from __future__ import annotations

import math

import cv2
import numpy as np
from jaxtyping import UInt8

from mien.augmentation.draws import log_uniform

__all__ = ["degrade", "relight"]

Image = UInt8[np.ndarray, "side side 3"]

_GREY = 0.15
"""Share of pictures without colour, as of old films and of cameras at night."""
_MOVED, _BLURRED, _COARSE = 0.2, 0.2, 0.25
"""Shares that are blurred by motion, out of focus, or of few pixels: one of them at a time, for two
leave little to learn from. The rest, a third, stay sharp."""
_MOTION = (0.01, 0.06)
"""Length of motion blur as a share of the side: with a shutter open for 1/30 s, of a head that
moves by half its size to three times its size a second."""
_FOCUS_PX, _FOCUS_SIDE = (0.4, 2.5), 256
"""Standard deviation of blur, px of a crop of that side: from what resizing does, to a face whose
lids can just be told from its brows."""
_COARSE_PX = (32, 140)
"""Sides that a crop is reduced to, evenly in their logarithm: faces of 19 to 81 px."""
_BILINEAR = 0.7
"""Share of those widened again bilinearly, as the tracker's own warp does; the rest bicubically, as
players and editors do."""
_NOISY, _NOISE = 0.25, (2, 18)
"""Share with sensor noise, and its standard deviation in grey levels: a room by day to a phone by
night."""
_PACKED, _JPEG_QUALITY = 0.3, (15, 80)
"""Share packed as JPEG once more, and how well: from where blocks show to what editors save."""
_GAMMA = 0.3
"""Standard deviation of the logarithm of gamma: 0.55 to 1.8 within two of them."""
_CONTRAST = 0.2
"""Standard deviation of the logarithm of contrast: 0.67 to 1.5 within two."""
_BRIGHTNESS = 0.08
"""Standard deviation of the brightness added, as a share of white: 20 grey levels."""
_BALANCE = 0.08
"""Standard deviation of the logarithm of each channel's gain: a lamp's white in daylight is two."""
_SHADED, _DARKEST = 0.15, 0.25
"""Share of pictures lit from one side, and the least light that the far side then keeps."""
_FROM_BESIDE = 0.7
"""Share of those lit from the left or right: windows stand beside people more than above them."""


def degrade(crop: Image, rng: np.random.Generator) -> Image:
    """Light and colour nearly always, and each of the harder faults now and then."""
    crop = relight(crop, rng)
    if rng.random() < _GREY:
        crop = np.repeat(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    fault = rng.random()
    if fault < _MOVED:
        crop = _motion_blur(crop, rng)
    elif fault < _MOVED + _BLURRED:
        sigma_px = rng.uniform(*_FOCUS_PX) * len(crop) / _FOCUS_SIDE
        crop = np.asarray(cv2.GaussianBlur(crop, (0, 0), sigma_px))
    elif fault < _MOVED + _BLURRED + _COARSE:
        crop = _few_pixels(crop, rng)
    if rng.random() < _NOISY:
        noise = rng.standard_normal(crop.shape, dtype=np.float32) * rng.uniform(*_NOISE)
        crop = np.clip(crop + noise, 0, 255).astype(np.uint8)
    if rng.random() < _PACKED:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(*_JPEG_QUALITY))]
        crop = np.asarray(cv2.imdecode(cv2.imencode(".jpg", crop, quality)[1], cv2.IMREAD_COLOR))
    return crop


def relight(crop: Image, rng: np.random.Generator) -> Image:
    """Exposure, contrast, gamma and white balance as one table a channel; sometimes a shadow."""
    levels = np.arange(256, dtype=np.float32) / 255
    gamma = math.exp(rng.normal(0, _GAMMA))
    contrast, brightness = math.exp(rng.normal(0, _CONTRAST)), rng.normal(0, _BRIGHTNESS)
    balance = np.exp(rng.normal(0, _BALANCE, 3))
    curve = (levels**gamma - 0.5) * contrast + 0.5 + brightness
    table = np.clip(curve[:, None] * balance * 255, 0, 255).astype(np.uint8)
    crop = np.asarray(cv2.LUT(np.ascontiguousarray(crop), table[None]))
    if rng.random() < _SHADED:
        side = len(crop)
        ramp = np.linspace(rng.uniform(_DARKEST, 1), 1, side, dtype=np.float32)
        ramp = ramp[:: int(rng.choice([-1, 1]))]
        shade = ramp[None, :, None] if rng.random() < _FROM_BESIDE else ramp[:, None, None]
        crop = (crop * shade).astype(np.uint8)
    return crop


def _motion_blur(crop: Image, rng: np.random.Generator) -> Image:
    length = max(3, int(rng.uniform(*_MOTION) * len(crop))) | 1  # even: moved by half a pixel
    kernel = np.zeros((length, length), np.float32)
    middle, angle = (length - 1) / 2, rng.uniform(0, math.pi)
    reach = middle * np.array([math.cos(angle), math.sin(angle)])
    start, end = (np.array([middle, middle]) + sign * reach for sign in (-1, 1))
    cv2.line(kernel, tuple(start.round().astype(int)), tuple(end.round().astype(int)), 1.0)
    kernel += kernel[::-1, ::-1].copy()  # a drawn line leans to one side of its middle
    return np.asarray(cv2.filter2D(crop, -1, kernel / kernel.sum()))


def _few_pixels(crop: Image, rng: np.random.Generator) -> Image:
    side = len(crop)
    small = int(log_uniform(rng, *_COARSE_PX))
    if small >= side:
        return crop
    reduced = cv2.resize(crop, (small, small), interpolation=cv2.INTER_AREA)
    way_up = cv2.INTER_LINEAR if rng.random() < _BILINEAR else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(reduced, (side, side), interpolation=way_up))
