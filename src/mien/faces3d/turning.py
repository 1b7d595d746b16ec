"""Turn the head of a photo: the fitted mesh carries the photo's skin to a new pose.

The mesh of head, ears and neck is drawn twice: as it stands in the photo (what does the photo
show of it?) and turned (what must be shown?). Every pixel of the new picture finds its source in
the photo: skin through the mesh, the rest through `bend_background`. Skin that the photo hides is
taken from the mirrored place on the other half of the head, and the back of the head folds round
to the hair above the ears. Landmarks undergo the very same rigid motion as the mesh.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from mien.faces3d.background import bend_background
from mien.faces3d.fits import yaw_deg
from mien.faces3d.morphable import MorphableHead
from mien.faces3d.raster import Raster, rasterise

__all__ = ["FittedPhoto", "HeadTurner", "Turn", "TurnedPhoto"]

_PIVOT_CM = np.array([0, 2, 0], np.float32)
"""Where a head turns: between the ears, a little below."""
_MAX_SIDE = 320
_MARGIN = 2.0


@dataclass(frozen=True)
class FittedPhoto:
    """A photo and the head found in it."""

    image: UInt8[np.ndarray, "height width 3"]
    rotation: Float[np.ndarray, "3 3"]
    scale: float
    shift: Float[np.ndarray, "2"]
    identity: Float[np.ndarray, " identities"]
    expression: Float[np.ndarray, " expressions"]
    points_image: Float[np.ndarray, "68 3"]
    """The label: x, y in px; z in px away from the camera, 0 at the head's origin."""


@dataclass(frozen=True)
class Turn:
    """What to do to a head."""

    rotation: Float[np.ndarray, "3 3"]
    """Head to image, as it shall be."""
    hair_cm: float = 0.5
    """How far the hair stands off the bald head of the model."""


@dataclass(frozen=True)
class TurnedPhoto:
    """A new picture and its exact label."""

    image: UInt8[np.ndarray, "side side 3"]
    points_image: Float[np.ndarray, "68 3"]
    """x, y in px of the new picture; z in the same px, 0 at the points' mean."""
    hidden: Bool[np.ndarray, "68"]
    """Points that the head itself hides."""
    yaw_deg: float


class HeadTurner:
    """Turns photos by one head model; holds what is the same for all of them."""

    def __init__(self, head: MorphableHead) -> None:
        self._head = head
        mean = head.mean
        # The shoulders stay with the photo.
        keep = (mean[head.triangles][..., 1] < 15.5).all(axis=1)
        self._triangles = head.triangles[keep]
        mirrored = mean * np.array([-1, 1, 1], np.float32)
        _, self._mirror = cKDTree(mean).query(mirrored)
        self._follow = _neck_follow(mean)
        self._hair = _smoothstep((-0.6 * mean[:, 1] + 0.8 * mean[:, 2] + 1.5) / 2.5)
        self._hair[mean[:, 1] > 5] = 0
        side = np.abs(mean[:, 0]) > 6.2
        # The ears stay on the skin.
        ears = side & (mean[:, 1] > -5) & (mean[:, 1] < 4.5) & (np.abs(mean[:, 2]) < 3.2)
        self._hair[ears] *= 0.2

        self._azimuth = np.arctan2(mean[:, 0], -(mean[:, 2] - 1.0))
        self._rear = np.maximum(self._hair, _smoothstep((mean[:, 2] + 2.8) / 2)).astype(np.float32)
        self._rear[mean[:, 1] < -9] = 1
        self._middle = int(np.linalg.norm(mean - np.array([0, -3, -10]), axis=1).argmin())

    def turn(
        self,
        photo: FittedPhoto,
        turn: Turn,
        landmarks: Int[np.ndarray, "68"],
    ) -> TurnedPhoto:
        """A picture of the head in its new pose; ``landmarks`` are mesh vertices near the points."""
        vertices = self._head.vertices(photo.identity, photo.expression)
        vertices = vertices + self._hair[:, None] * turn.hair_cm * _outward(vertices)
        change = (turn.rotation @ photo.rotation.T).astype(np.float32)
        pivot = photo.scale * photo.rotation @ _PIVOT_CM
        pivot[:2] += photo.shift
        source = (vertices - _PIVOT_CM) @ photo.rotation.T * photo.scale + pivot
        turned = self._turned(source - pivot, change) + pivot
        label = (photo.points_image - pivot) @ change.T + pivot
        window = _Window.around(label)
        canvas_source, canvas_turned = window.points(source), window.points(turned)
        before = rasterise(canvas_source, self._triangles, window.side, window.side)
        after = rasterise(canvas_turned, self._triangles, window.side, window.side)
        image = self._paint(photo, turn, window, (canvas_source, before), (canvas_turned, after))
        points = window.points(label)
        hidden = _hidden(canvas_turned, self._triangles, landmarks, after, photo, window)
        points[:, 2] -= points[:, 2].mean()
        return TurnedPhoto(image, points.astype(np.float32), hidden, float(yaw_deg(turn.rotation)))

    def _turned(
        self, centred: Float[np.ndarray, "vertices 3"], change: Float[np.ndarray, "3 3"]
    ) -> Float[np.ndarray, "vertices 3"]:
        """Rotate about the origin; the neck follows only in part."""
        axis = Rotation.from_matrix(change).as_rotvec()
        out = centred @ change.T
        neck = np.flatnonzero(self._follow < 1)
        part = Rotation.from_rotvec(self._follow[neck, None] * axis)
        out[neck] = part.apply(centred[neck])
        return out.astype(np.float32)

    def _paint(
        self,
        photo: FittedPhoto,
        turn: Turn,
        window: _Window,
        source: tuple[Float[np.ndarray, "vertices 3"], Raster],
        turned: tuple[Float[np.ndarray, "vertices 3"], Raster],
    ) -> UInt8[np.ndarray, "side side 3"]:
        side = window.side
        before, after = source[1], turned[1]
        seen = self._seen(source[0], before)
        place = self._fold(photo, source[0])
        centre = window.points(
            np.append(photo.rotation[:2] @ np.float32([0, -2, 0]) * photo.scale + photo.shift, 0)[
                None
            ].astype(np.float32)
        )[0, :2]
        field = bend_background(before.mask, after.mask, centre, _skip(float(yaw_deg(turn.rotation))))
        direct = field.copy().reshape(-1, 2)
        direct[after.pixel] = after.blend(place)
        painted = self._sample(photo, window, direct.reshape(side, side, 2))
        mirror = place[self._mirror]
        wanted = _smoothstep((0.16 - seen) / 0.12) * _smoothstep((seen[self._mirror] - 0.25) / 0.2)
        wanted *= 1 - self._rear
        wanted = np.maximum(wanted, self._turned_away(photo))
        borrowed = np.zeros(side * side, np.float32)
        borrowed[after.pixel] = after.blend(wanted[:, None].astype(np.float32))[:, 0]
        if (borrowed > 0.3).sum() > 0.005 * side * side:
            other = direct.copy()
            other[after.pixel] = after.blend(mirror)
            alpha = cv2.blur(borrowed.reshape(side, side), (7, 7))
            reflected = self._sample(photo, window, other.reshape(side, side, 2))
            painted = _patch(painted, reflected, alpha, after.mask)
        backdrop = self._sample(photo, window, field).astype(np.float32)
        cover = cv2.GaussianBlur(after.mask.astype(np.float32), (0, 0), 0.8)
        cover = (np.clip(cover * 2 - 1, 0, 1))[..., None]
        blended = painted * cover + backdrop * (1 - cover)
        return np.clip(np.round(blended), 0, 255).astype(np.uint8)

    def _sample(
        self, photo: FittedPhoto, window: _Window, field: Float[np.ndarray, "side side 2"]
    ) -> UInt8[np.ndarray, "side side 3"]:
        where = field / window.zoom + window.origin
        return np.asarray(
            cv2.remap(
                photo.image,
                where.astype(np.float32),
                None,
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REFLECT_101,
            ),
            np.uint8,
        )

    def _seen(
        self, points: Float[np.ndarray, "vertices 3"], raster: Raster
    ) -> Float[np.ndarray, " vertices"]:
        """How well the photo shows each vertex: 0 hidden, 1 face to face."""
        facing = -_normals(points, self._triangles)[:, 2]
        x = np.clip(np.round(points[:, 0]).astype(int), 0, raster.width - 1)
        y = np.clip(np.round(points[:, 1]).astype(int), 0, raster.height - 1)
        tolerance = 0.03 * raster.width
        behind = points[:, 2] > raster.depth[y, x] + tolerance
        shown: Float[np.ndarray, " vertices"] = np.clip(facing, 0, 1) * ~behind
        return shown

    def _turned_away(self, photo: FittedPhoto) -> Float[np.ndarray, " vertices"]:
        """1 where the photo shows the mirrored place much better, judged by azimuth alone."""
        yaw = np.radians(yaw_deg(photo.rotation))
        own, other = np.abs(_wrap(self._azimuth + yaw)), np.abs(_wrap(yaw - self._azimuth))
        gained = _smoothstep((own - other - np.radians(14)) / np.radians(16))
        away: Float[np.ndarray, " vertices"] = gained * _smoothstep(
            (own - np.radians(72)) / np.radians(14)
        )
        return away

    def _fold(
        self, photo: FittedPhoto, points: Float[np.ndarray, "vertices 3"]
    ) -> Float[np.ndarray, "vertices 2"]:
        """Source place of each vertex; the half turned away folds back onto the one in view."""
        head, azimuth = self._head.mean, self._azimuth
        yaw = np.radians(yaw_deg(photo.rotation))
        seen_from = _wrap(azimuth + yaw)
        limit = np.radians(82)
        beyond = np.abs(seen_from) - limit
        folded = np.where(beyond > 0, limit - 0.25 * beyond, np.abs(seen_from))
        back = np.sign(seen_from) * folded - yaw
        radius = np.hypot(head[:, 0], head[:, 2] - 1.0)
        shrink = _ellipse(back) / _ellipse(azimuth)
        moved = np.stack(
            [np.sin(back) * radius * shrink, head[:, 1], -np.cos(back) * radius * shrink + 1.0], -1
        ).astype(np.float32)
        change = (moved - head) @ photo.rotation.T
        size = np.float32(np.ptp(points[:, 0]) / max(np.ptp((head @ photo.rotation.T)[:, 0]), 1e-3))
        place = np.where((beyond > 0)[:, None], points[:, :2] + change[:, :2] * size, points[:, :2])
        # Real skulls are often narrower than the fitted one: near its outline look further in.
        middle = place[self._middle]
        pull = 0.1 * self._rear * _smoothstep((np.abs(folded) - np.radians(35)) / np.radians(40))
        return (place + (middle - place) * pull[:, None]).astype(np.float32)


@dataclass(frozen=True)
class _Window:
    """The square of the photo's plane that becomes the new picture."""

    origin: Float[np.ndarray, "2"]
    zoom: float
    side: int

    @classmethod
    def around(cls, points: Float[np.ndarray, "68 3"]) -> _Window:
        low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
        extent = float((high - low).max()) * _MARGIN
        side = int(min(_MAX_SIDE, max(64, round(extent))))
        zoom = side / extent
        # Pixel centres at integers: the window spans [-0.5, side - 0.5] of its own pixels.
        origin = (low + high) / 2 - extent / 2 + 0.5 / zoom
        return cls(origin.astype(np.float32), zoom, side)

    def points(self, points: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, "points 3"]:
        out = points * self.zoom
        out[:, :2] -= self.origin * self.zoom
        return out.astype(np.float32)


def _hidden(
    points: Float[np.ndarray, "vertices 3"],
    triangles: Int[np.ndarray, "triangles 3"],
    landmarks: Int[np.ndarray, "68"],
    raster: Raster,
    photo: FittedPhoto,
    window: _Window,
) -> Bool[np.ndarray, "68"]:
    facing = -_normals(points, triangles)[landmarks, 2]
    spot = points[landmarks]
    x = np.clip(np.round(spot[:, 0]).astype(int), 0, raster.width - 1)
    y = np.clip(np.round(spot[:, 1]).astype(int), 0, raster.height - 1)
    tolerance = 0.7 * photo.scale * window.zoom
    hidden: Bool[np.ndarray, "68"] = (spot[:, 2] > raster.depth[y, x] + tolerance) | (facing < -0.1)
    return hidden


def _normals(
    points: Float[np.ndarray, "vertices 3"], triangles: Int[np.ndarray, "triangles 3"]
) -> Float[np.ndarray, "vertices 3"]:
    """Outward vertex normals."""
    a, b, c = (points[triangles[:, i]] for i in range(3))
    face = np.cross(b - a, c - a)
    total = np.empty_like(points)
    for axis in range(3):
        total[:, axis] = np.bincount(
            triangles.ravel(), np.repeat(face[:, axis], 3), minlength=len(points)
        )
    unit: Float[np.ndarray, "vertices 3"] = total / (
        np.linalg.norm(total, axis=1, keepdims=True) + 1e-9
    )
    return unit


def _patch(
    painted: UInt8[np.ndarray, "side side 3"],
    reflected: UInt8[np.ndarray, "side side 3"],
    alpha: Float[np.ndarray, "side side"],
    mask: Bool[np.ndarray, "side side"],
) -> UInt8[np.ndarray, "side side 3"]:
    """Mix borrowed skin in, its light matched to the skin it joins."""
    known = (mask & (alpha < 0.3)).astype(np.float32)[..., None]
    size = (painted.shape[1] // 4, painted.shape[0] // 4)

    def spread(image: Float[np.ndarray, "side side channels"]) -> Float[np.ndarray, "..."]:
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.GaussianBlur(small, (0, 0), size[0] / 10), np.float32)

    gain = (spread(painted * known) + 2e-2) / (spread(reflected * known) + 2e-2)
    gain = cv2.resize(np.clip(gain, 0.6, 1.6), mask.shape[::-1], interpolation=cv2.INTER_LINEAR)
    part = alpha[..., None]
    mixed = painted * (1 - part) + np.clip(reflected * gain, 0, 255) * part
    return np.clip(mixed, 0, 255).astype(np.uint8)


def _neck_follow(mean: Float[np.ndarray, "vertices 3"]) -> Float[np.ndarray, " vertices"]:
    """1 on the head, less and less down the neck."""
    down = (mean[:, 1] - 6 - 0.35 * np.clip(-mean[:, 2] - 2, 0, None)) / 9
    follow: Float[np.ndarray, " vertices"] = 1 - 0.75 * _smoothstep(down)
    return follow


def _outward(vertices: Float[np.ndarray, "vertices 3"]) -> Float[np.ndarray, "vertices 3"]:
    from_middle = vertices - np.array([0, -3, 0], np.float32)
    unit: Float[np.ndarray, "vertices 3"] = from_middle / np.linalg.norm(
        from_middle, axis=1, keepdims=True
    )
    return unit


def _ellipse(azimuth: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Radius of a skull seen from above: 7.5 cm to the sides, 10 cm to front and back."""
    radius: Float[np.ndarray, " n"] = 1 / np.hypot(np.sin(azimuth) / 7.5, np.cos(azimuth) / 10)
    return radius


def _skip(yaw_deg: float) -> Float[np.ndarray, " bins"]:
    """Leave out hair beside the old cheek where a profile looks into the open."""
    angle = np.arange(180) * (2 * np.pi / 180)
    facing = np.cos(angle) * np.sign(yaw_deg)
    strength = 0.45 * _smoothstep((abs(yaw_deg) - 15) / 40)
    skip: Float[np.ndarray, " bins"] = strength * _smoothstep(facing / 0.8)
    return skip.astype(np.float32)


def _wrap(angle: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    wrapped: Float[np.ndarray, " n"] = (angle + np.pi) % (2 * np.pi) - np.pi
    return wrapped


def _smoothstep(x: Float[np.ndarray, "*n"] | float) -> Float[np.ndarray, "*n"]:
    t = np.clip(x, 0, 1)
    step: Float[np.ndarray, "*n"] = np.asarray(t * t * (3 - 2 * t), np.float32)
    return step
