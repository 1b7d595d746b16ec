"""A film of one to three turned photos: frames with exact labels of every face.

One face: the camera follows a photo whose head turns, talks and blinks, loses it now and then and
finds it again. Several: busts that cross before the first photo's plane. Something may pass
before a face.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from mien.synthesis.make.actor import Actor, Shot
from mien.synthesis.make.motion import HeadMotion, smooth_path

__all__ = ["FilmFrame", "Passer", "Way", "draw_passer", "draw_way", "film"]

_LEAST_INSIDE = 0.3
"""A face of whose landmark box less than this lies in the frame is out of it: no label."""
_FASTEST = 8.0
"""Face sizes a second at which a face leaves the frame or comes in: a walk, at 0.14 m a face."""
_STEEPEST = 1.5
"""Steepest slope of ``3 x^2 - 2 x^3`` over 0 to 1."""
_ALONE, _OF_SEVERAL = (0.18, 0.42), (0.2, 0.3)
"""Least and greatest size of a face, in heights of the frame: alone, and of several, which must fit
beside each other."""
_ACROSS, _DOWN = (0.25, 0.75), (0.38, 0.6)
"""Where the middles of faces move, in shares of the frame: about where a camera holds them."""
_CROSSING_SECS, _CROSSING_OFF, _CROSSING_REACH = (5, 7), (-0.4, 0.4), 0.36
"""Of faces that cross: time of a way there and back, how much each is out of step (radians), and
how far they swing, in widths of the frame."""
_FIRST_AWAY_SECS, _AWAY_SECS, _AWAY_EVERY_SECS = (1, 3), (0.4, 1.5), (2, 5)
"""When a face first leaves, how long it stays out, and the time until it leaves again."""
_LAST_AWAY_SECS = 1
"""No face leaves so near the end: it would not come back."""
_OUT = 0.3
"""How far beyond the frame's edge, in its heights: no landmark of the face is in."""
_PASS_SECS, _PASS_REACH = (1, 2.5), 3.5
"""How long something takes to pass, and from how far off it comes, in sizes of the face."""
_PASS_FROM_SECS, _PASS_LATEST_SECS = 0.5, 0.6
"""It comes no earlier than the first, nor later than the second where the clip is short."""
_NOWHERE_PX = -1e4
"""Where something is that is not in the frame."""
_PASSER_WIDE, _PASSER_TALL, _PASSER_LEAN_DEG = (0.15, 0.5), (0.4, 1.2), (-30, 30)
"""Half axes in sizes of the face: a hand, a cup, an arm, a back; and how it leans."""
_PASSER_TONE, _PASSER_GRAIN = (20, 220), 18
_FADE = 0.1
"""Of a side of the square laid into the frame: over so much its edges fade."""


@dataclass(frozen=True)
class Way:
    """Where a face is and how large it is, one value a frame."""

    centre: Float[np.ndarray, "frames 2"]
    face_px: Float[np.ndarray, " frames"]


@dataclass(frozen=True)
class Passer:
    """Something that passes before the faces: an ellipse with a texture."""

    centre: Float[np.ndarray, "frames 2"]
    axes: tuple[float, float]
    angle_deg: float
    texture: UInt8[np.ndarray, "high wide 3"]

    def cover(self, frame: int, width: int, height: int) -> Float[np.ndarray, "height width"]:
        """1 where it hides what is behind."""
        mask = np.zeros((height, width), np.uint8)
        x, y = (round(float(value) * 16) for value in self.centre[frame])
        half = (round(self.axes[0] * 16), round(self.axes[1] * 16))
        cv2.ellipse(mask, (x, y), half, self.angle_deg, 0, 360, 255, -1, cv2.LINE_AA, 4)
        return mask.astype(np.float32) / 255


@dataclass(frozen=True)
class FilmFrame:
    """One frame, in OpenCV's colour order, with one label a face."""

    image: UInt8[np.ndarray, "height width 3"]
    points_image: Float[np.ndarray, "faces 68 3"]
    """NaN where a face is out of the frame."""
    hidden: Bool[np.ndarray, "faces 68"]
    """By its own head, another face, something that passes, or the frame's edge."""
    yaw_deg: Float[np.ndarray, " faces"]


def film(
    actors: Sequence[Actor],
    motions: Sequence[HeadMotion],
    ways: Sequence[Way],
    passers: Sequence[Passer],
    size: tuple[int, int],
) -> Iterator[FilmFrame]:
    """Play all frames; the first actor's photo is the scene, each next one stands before it.

    ``size``: width and height of the frames.
    """
    width, height = size
    for frame in range(len(ways[0].centre)):
        image = (
            actors[0]
            .plate(ways[0].centre[frame], float(ways[0].face_px[frame]), width, height)
            .astype(np.float32)
        )
        points = np.full((len(actors), 68, 3), np.nan, np.float32)
        hidden = np.ones((len(actors), 68), bool)
        yaw = np.full(len(actors), np.nan, np.float32)
        for number, (actor, motion, way) in enumerate(zip(actors, motions, ways, strict=True)):
            shot = actor.play(
                motion.rotation(frame),
                float(motion.blink[frame]),
                float(motion.mouth[frame]),
                way.centre[frame],
                float(way.face_px[frame]),
            )
            cover = _round_fade(len(shot.image)) if number == 0 else shot.head
            cover = _lay(image, shot.image, cover, shot.left, shot.top)
            for before in range(number):
                hidden[before] |= _at(cover, points[before])
            if _share_inside(shot, width, height) >= _LEAST_INSIDE:
                points[number], yaw[number] = shot.points_image, shot.yaw_deg
                hidden[number] = shot.hidden | _outside(shot.points_image, width, height)
        for passer in passers:
            cover = passer.cover(frame, width, height)
            body = cv2.resize(passer.texture, (width, height), interpolation=cv2.INTER_CUBIC)
            image += cover[..., None] * (body - image)
            for own, flags in zip(points, hidden, strict=True):
                flags |= _at(cover, own)
        yield FilmFrame(np.clip(np.round(image), 0, 255).astype(np.uint8), points, hidden, yaw)


def draw_way(
    times_secs: Float[np.ndarray, " frames"],
    size: tuple[int, int],
    number: int,
    faces: int,
    rng: np.random.Generator,
) -> Way:
    """A way through the frame: alone with excursions out of it, or crossing others."""
    width, height = size
    least, most = _ALONE if faces == 1 else _OF_SEVERAL
    face_px = smooth_path(times_secs, (least * height, most * height), rng)
    y = smooth_path(times_secs, (_DOWN[0] * height, _DOWN[1] * height), rng)
    if faces > 1:
        turns = times_secs / rng.uniform(*_CROSSING_SECS) + number / faces
        swing = np.sin(2 * np.pi * turns + rng.uniform(*_CROSSING_OFF))
        x = width * (0.5 + _CROSSING_REACH * swing)
    else:
        x = smooth_path(times_secs, (_ACROSS[0] * width, _ACROSS[1] * width), rng)
        start = rng.uniform(*_FIRST_AWAY_SECS)
        while start < times_secs[-1] - _LAST_AWAY_SECS:
            stay = rng.uniform(*_AWAY_SECS)
            aim = -_OUT * height if rng.random() < 0.5 else width + _OUT * height
            go = _STEEPEST * float(np.max(np.abs(aim - x) / face_px)) / _FASTEST
            knots = start + np.cumsum([0, go, stay, go])
            away = np.interp(times_secs, knots, [0, 1, 1, 0])
            away = away * away * (3 - 2 * away)
            x = x + away * (aim - x)
            start = knots[-1] + rng.uniform(*_AWAY_EVERY_SECS)
    return Way(np.stack([x, y], axis=-1), face_px)


def draw_passer(
    times_secs: Float[np.ndarray, " frames"], way: Way, rng: np.random.Generator
) -> Passer:
    """Something that crosses a face once, in one to two and a half seconds."""
    lasts = rng.uniform(*_PASS_SECS)
    latest = max(_PASS_LATEST_SECS, times_secs[-1] - lasts - _PASS_FROM_SECS)
    start = rng.uniform(_PASS_FROM_SECS, latest)
    angle = rng.uniform(0, 2 * np.pi)
    along = np.clip((times_secs - start) / lasts, 0, 1) * 2 - 1
    direction = np.array([np.cos(angle), np.sin(angle)])
    centre = way.centre + _PASS_REACH * way.face_px[:, None] * along[:, None] * direction
    gone = (along <= -1) | (along >= 1)
    centre[gone] = _NOWHERE_PX
    face_px = float(way.face_px.mean())
    tone = rng.integers(*_PASSER_TONE, 3)
    grain = np.clip(tone + rng.normal(0, _PASSER_GRAIN, (24, 40, 3)), 0, 255).astype(np.uint8)
    axes = (
        float(rng.uniform(*_PASSER_WIDE)) * face_px,
        float(rng.uniform(*_PASSER_TALL)) * face_px,
    )
    return Passer(centre, axes, float(np.degrees(angle) + rng.uniform(*_PASSER_LEAN_DEG)), grain)


def _lay(
    image: Float[np.ndarray, "height width 3"],
    square: UInt8[np.ndarray, "side side 3"],
    cover: Float[np.ndarray, "side side"],
    left: int,
    top: int,
) -> Float[np.ndarray, "height width"]:
    """Mix a square into a picture in place, as far as it lies inside; returns what it covers."""
    height, width = image.shape[:2]
    whole = np.zeros((height, width), np.float32)
    rows = slice(max(top, 0), min(top + len(square), height))
    columns = slice(max(left, 0), min(left + len(square), width))
    if rows.stop <= rows.start or columns.stop <= columns.start:
        return whole
    inner = (
        slice(rows.start - top, rows.stop - top),
        slice(columns.start - left, columns.stop - left),
    )
    whole[rows, columns] = cover[inner]
    image[rows, columns] += cover[inner][..., None] * (square[inner] - image[rows, columns])
    return whole


def _round_fade(side: int) -> Float[np.ndarray, "side side"]:
    """1 within 0.4 sides of the middle, 0 at the square's edges: there nothing was bent far."""
    away = np.abs(np.arange(side) - (side - 1) / 2) / side
    fade = np.clip((0.5 - np.hypot(away[:, None], away)) / _FADE, 0, 1)
    return np.asarray(fade, np.float32)


def _at(
    cover: Float[np.ndarray, "height width"], points: Float[np.ndarray, "68 3"]
) -> Bool[np.ndarray, " 68"]:
    """Whether something covers each point by more than half; points outside are left alone."""
    if not np.isfinite(points).all():
        return np.ones(len(points), bool)
    height, width = cover.shape
    x, y = np.round(points[:, :2]).astype(int).T
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    found = cover[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)] > 0.5
    return np.asarray(found & inside, bool)


def _outside(points: Float[np.ndarray, "68 3"], width: int, height: int) -> Bool[np.ndarray, " 68"]:
    x, y = points[:, 0], points[:, 1]
    return np.asarray((x < -0.5) | (y < -0.5) | (x > width - 0.5) | (y > height - 0.5), bool)


def _share_inside(shot: Shot, width: int, height: int) -> float:
    low, high = shot.points_image[:, :2].min(axis=0), shot.points_image[:, :2].max(axis=0)
    shared = np.minimum(high, [width - 0.5, height - 0.5]) - np.maximum(low, -0.5)
    return float(np.prod(np.clip(shared, 0, None)) / np.prod(high - low))
