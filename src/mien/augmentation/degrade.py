"""What cameras and codecs do to a picture: light, colour, blur, few pixels, noise, compression."""

from __future__ import annotations

import math

import cv2
import numpy as np
from jaxtyping import UInt8

__all__ = ["degrade", "relight"]

Image = UInt8[np.ndarray, "side side 3"]


def degrade(crop: Image, rng: np.random.Generator) -> Image:
    """Light and colour nearly always, and each of the harder faults now and then."""
    crop = relight(crop, rng)
    if rng.random() < 0.15:
        crop = np.repeat(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    fault = rng.random()
    if fault < 0.2:
        crop = _motion_blur(crop, rng)
    elif fault < 0.4:
        crop = np.asarray(cv2.GaussianBlur(crop, (0, 0), rng.uniform(0.4, 2.5) * len(crop) / 256))
    elif fault < 0.65:
        crop = _few_pixels(crop, rng)
    if rng.random() < 0.25:
        noise = rng.standard_normal(crop.shape, dtype=np.float32) * rng.uniform(2, 18)
        crop = np.clip(crop + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(15, 80))]
        crop = np.asarray(cv2.imdecode(cv2.imencode(".jpg", crop, quality)[1], cv2.IMREAD_COLOR))
    return crop


def relight(crop: Image, rng: np.random.Generator) -> Image:
    """Exposure, contrast, gamma and white balance as one table a channel; sometimes a shadow."""
    levels = np.arange(256, dtype=np.float32) / 255
    gamma = math.exp(rng.normal(0, 0.3))
    contrast, brightness = math.exp(rng.normal(0, 0.2)), rng.normal(0, 0.08)
    balance = np.exp(rng.normal(0, 0.08, 3))
    curve = (levels**gamma - 0.5) * contrast + 0.5 + brightness
    table = np.clip(curve[:, None] * balance * 255, 0, 255).astype(np.uint8)
    crop = np.asarray(cv2.LUT(np.ascontiguousarray(crop), table[None]))
    if rng.random() < 0.15:
        side = len(crop)
        ramp = np.linspace(rng.uniform(0.25, 1), 1, side, dtype=np.float32)
        ramp = ramp[:: int(rng.choice([-1, 1]))]
        shade = ramp[None, :, None] if rng.random() < 0.7 else ramp[:, None, None]
        crop = (crop * shade).astype(np.uint8)
    return crop


def _motion_blur(crop: Image, rng: np.random.Generator) -> Image:
    length = max(3, int(rng.uniform(0.01, 0.06) * len(crop))) | 1  # even: moved by half a pixel
    kernel = np.zeros((length, length), np.float32)
    middle, angle = (length - 1) / 2, rng.uniform(0, math.pi)
    reach = middle * np.array([math.cos(angle), math.sin(angle)])
    start, end = (np.array([middle, middle]) + sign * reach for sign in (-1, 1))
    cv2.line(kernel, tuple(start.round().astype(int)), tuple(end.round().astype(int)), 1.0)
    kernel += kernel[::-1, ::-1].copy()  # a drawn line leans to one side of its middle
    return np.asarray(cv2.filter2D(crop, -1, kernel / kernel.sum()))


def _few_pixels(crop: Image, rng: np.random.Generator) -> Image:
    side = len(crop)
    small = int(math.exp(rng.uniform(math.log(32), math.log(140))))
    if small >= side:
        return crop
    reduced = cv2.resize(crop, (small, small), interpolation=cv2.INTER_AREA)
    way_up = cv2.INTER_LINEAR if rng.random() < 0.7 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(reduced, (side, side), interpolation=way_up))
