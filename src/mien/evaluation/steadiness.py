"""How still a tracker's points stand on a still face, and how far they lag behind a moving one.

Both are made of photos, so that the truth is known exactly: a still face with the noise and the
shake of a camera (points ought to stand), and the same face swinging from side to side (points
ought to go with it at once). What smooths the first pays in the second.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float

from mien.datasets.photo import Image, LabelledPhoto
from mien.evaluation.metrics import face_size, mean_or_none
from mien.evaluation.videos import FaceTracker
from mien.tracking import OfflineSmoother, smooth_offline
from mien.types import Box, Face, Frame

__all__ = ["SteadinessScore", "fitted_lag", "measure_steadiness"]

_RATE = 30.0
_STILL_FRAMES, _SETTLING_FRAMES = 45, 15
_NOISE_SIGMA = 4.0
"""Of each colour of each pixel, in steps of 256."""
_SHAKE_PX = 0.25
_SWING_FRAMES = 75
_SWING_HZ = 0.5
_SWING_SIZES = 0.4
"""Farthest from the middle, in face sizes."""
_LEAST_IOU = 0.3
_LAGS = (-1.0, 6.0, 0.01)
"""Frames: the lags tried, from the first to the last, in this step."""


@dataclass(frozen=True)
class SteadinessScore:
    """Means over the photos in which the face was followed all the way."""

    photos: int
    lost: int
    """Photos in which it was not."""
    jitter: float | None
    """Mean distance of a point from its own mean over the frames, as a share of the face's size."""
    lag_frames: float | None
    """Of the points behind the swinging face, in frames at 30 a second."""


def measure_steadiness(
    photos: Sequence[LabelledPhoto],
    tracker: FaceTracker,
    on_photo: Callable[[int], None] = lambda done: None,
    *,
    smoother: Callable[[], OfflineSmoother] | None = None,
) -> SteadinessScore:
    """Track made sequences of each photo; noise and shake follow from the photo's name.

    ``smoother`` makes one a sequence, behind a tracker that does not smooth itself.

    Raises:
        DataError: a photo cannot be read.
    """
    jitters, lags, lost = list[float](), list[float](), 0
    for done, photo in enumerate(photos, start=1):
        image_rgb, truth = photo.read_rgb(), photo.points_image[photo.valid, :2]
        rng = np.random.default_rng(zlib.crc32(photo.name.encode()))
        still = _follow(tracker, truth, _shaken(image_rgb, rng), smoother)
        swing = (
            _SWING_SIZES
            * face_size(truth)
            * np.sin(2 * np.pi * _SWING_HZ * np.arange(_SWING_FRAMES) / _RATE)
        )
        swung = ((_shifted(image_rgb, x, 0.0), x) for x in swing)
        moving = _follow(tracker, truth, swung, smoother)
        if still is None or moving is None:
            lost += 1
        else:
            settled = still[_SETTLING_FRAMES:]
            off = np.linalg.norm(settled - settled.mean(axis=0), axis=2)
            jitters.append(float(off.mean()) / face_size(truth))
            lags.append(fitted_lag(moving.mean(axis=1)[:, 0], swing))
        on_photo(done)
    return SteadinessScore(len(photos), lost, mean_or_none(jitters), mean_or_none(lags))


def fitted_lag(seen: Float[np.ndarray, " frames"], truth: Float[np.ndarray, " frames"]) -> float:
    """Frames by which ``seen`` follows ``truth``: where it was so long ago, it fits best."""
    frames = np.arange(len(truth), dtype=float)
    lags = np.arange(*_LAGS)
    inside = (frames >= _LAGS[1]) & (frames <= len(truth) - 2)
    errors = []
    for lag in lags:
        off = seen[inside] - np.interp(frames[inside] - lag, frames, truth)
        errors.append(float(np.var(off)))
    return float(lags[int(np.argmin(errors))])


def _shaken(image_rgb: Image, rng: np.random.Generator) -> Iterator[tuple[Image, float]]:
    for _ in range(_STILL_FRAMES):
        x, y = rng.normal(0, _SHAKE_PX, 2)
        noise = rng.normal(0, _NOISE_SIGMA, image_rgb.shape)
        noisy = np.clip(np.rint(_shifted(image_rgb, x, y) + noise), 0, 255)
        yield noisy.astype(np.uint8), float(x)


def _shifted(image_rgb: Image, x: float, y: float) -> Image:
    height, width = image_rgb.shape[:2]
    move = np.array([[1.0, 0.0, x], [0.0, 1.0, y]])
    return np.asarray(
        cv2.warpAffine(
            image_rgb, move, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
    )


def _follow(
    tracker: FaceTracker,
    truth: Float[np.ndarray, "points 2"],
    frames: Iterator[tuple[Image, float]],
    smoother: Callable[[], OfflineSmoother] | None,
) -> Float[np.ndarray, "frames points 2"] | None:
    """The points of the labelled face in each frame; ``None`` if it was lost in one."""
    tracker.reset()
    seen, shifts = [], list[float]()

    def tracked() -> Iterator[tuple[Frame, Sequence[Face]]]:
        for index, (image_rgb, x) in enumerate(frames):
            shifts.append(x)
            frame = Frame(image_rgb, index, index / _RATE)
            yield frame, tracker.update(frame)

    pairs = tracked() if smoother is None else smooth_offline(tracked(), smoother())
    for frame, faces in pairs:
        box = Box.around(truth + np.array([shifts[frame.index], 0.0]))
        best = max(faces, key=lambda face: face.box.iou(box), default=None)
        if best is None or best.box.iou(box) < _LEAST_IOU:
            return None
        seen.append(best.landmarks.points_image[:, :2])
    return np.stack(seen)
