"""Find a source in the photo for every pixel of a turned head, and paint it.

Skin comes through the mesh, the rest through `bend_background`. Skin that the photo hides is
borrowed from the mirrored place, its light matched to the skin it joins; the back of the head
folds round to the hair above the ears; what all this stretches too far, `filling` makes up; a mouth
that the photo shows shut gets an inside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from mien.geometry.pose import yaw_deg
from mien.synthesis.fit.residual_warp import FittedPhoto
from mien.synthesis.head.morphable import MorphableHead
from mien.synthesis.head.raster import Raster
from mien.synthesis.head.regions import HeadRegions, falls, rises, smoothstep, vertex_normals
from mien.synthesis.render.background import BINS, at_angle, bend_background, outline
from mien.synthesis.render.inpainting import SurfaceFiller
from mien.synthesis.render.mouth import fill_mouth

__all__ = ["HeadPainter", "Scene"]

# Shares of the outline's radius: surely head, in question, surely beyond it.
_INSIDE, _OUTSIDE = np.array([0.74, 0.78, 0.82]), np.array([1.08, 1.12, 1.16])
_STEPS = np.array([0.85, 0.88, 0.91, 0.94, 0.97, 1.0])
_PLAIN = 30
"""Grey levels: with less between inside and outside nothing is seen to end."""
_NECK_SINE = 0.55
"""Rays that point further down than this meet the neck, not the head's end."""
_SKULL_CM = (7.5, 10.0)
"""Radii of a skull seen from above: to the sides, and to front and back."""
_SKULL_MIDDLE_CM = 1.0
"""How far behind the model's origin the middle of that skull lies."""
_SEEN_DEG, _FOLD = 82, 0.25
"""Beyond this angle from the camera the photo shows nothing useful of the head: the surface folds
back there, compressed by the second figure."""
_TO_MIDDLE = 0.05
"""How far the back of the head is pulled to its middle line, so that both halves join."""
_PULL_FROM_DEG, _PULL_OVER_DEG = 35, 40
"""Angle from the camera from which, and over which, that pull grows."""
_NEAR_EDGE, _NEAR_EDGE_OVER = 0.7, 0.27
"""Share of the outline's radius from which, and over which, skin follows the real outline."""
_ASIDE_FROM_DEG, _ASIDE_OVER_DEG = 40, 25
"""Azimuth from which, and over which, it may: eyes, nose and mouth are where the label says."""
_OFF_RIM_OVER_DEG = 12
"""Before the fold, over which what folds round comes to be taken from off the rim."""
_SURE_TO, _SURE_OVER = 1.02, 0.1
"""Share of the real outline at which a source is no longer the head, and over which doubt grows."""
_OFF_THE_RIM = 0.08
"""How much further in the back takes its colours: the rim itself is blurred."""
_HIDDEN_BELOW, _HIDDEN_OVER = 0.16, 0.12
"""Cosine to the camera below which a place of the face is badly seen, and over which."""
_MIRROR_FROM, _MIRROR_OVER = 0.25, 0.2
"""The same of the mirrored place from which on it is well seen."""
_GAIN_FROM_DEG, _GAIN_OVER_DEG = 14, 16
"""Behind the cheeks the mirrored place must be so much nearer the camera's side."""
_AWAY_FROM_DEG, _AWAY_OVER_DEG = 72, 14
"""And the own place so far from it."""
_BORROW_LEAST = 0.3
"""Above this share of the mirrored place a pixel counts as borrowed."""
_BORROW_WORTH = 0.005
"""Share of the picture that must be borrowed before borrowing is worth its seams."""
_MEND_GAIN = (0.6, 1.6)
"""Least and greatest gain that matches the light of borrowed skin."""
_EDGE_PX = 0.8
"""Blur of the border between head and backdrop."""
_HIDDEN_SHARE = 0.03
"""Of the picture's width: so far behind the nearest surface a vertex is hidden in the photo."""
_SHADE, _MOST_DARK = 1.2, -0.2
"""Gain of an added lamp per unit of its strength, and the darkest a surface away from it counts."""
_SKIP = 0.45
"""Largest share of the backdrop's outline beside the old cheek that is left out."""
_SKIP_FROM_DEG, _SKIP_OVER_DEG, _SKIP_ASIDE = 15, 40, 0.8
"""Yaw from which, and over which, that grows; and the cosine of a direction to the side from which
on it is whole."""
_LIGHT_DUST = 2e-2
"""Added to both lights whose ratio is taken: where neither is known the ratio is 1."""
_LIGHT_BLUR = 10
"""Part of the picture's width over which the light of borrowed skin is matched."""


@dataclass(frozen=True)
class Scene:
    """A head as it stood in the photo and as it shall stand, both in px of the new picture."""

    photo: FittedPhoto
    to_photo: Callable[[Float[np.ndarray, "side side 2"]], Float[np.ndarray, "side side 2"]]
    centre: Float[np.ndarray, " 2"]
    """A place inside the head, where it lies both before and after."""
    source: Float[np.ndarray, "vertices 3"]
    normals: Float[np.ndarray, "vertices 3"]
    """Outward, in the photo."""
    turned: Float[np.ndarray, "vertices 3"]
    before: Raster
    after: Raster
    change: Float[np.ndarray, "3 3"]
    """The rotation from the one to the other."""
    yaw_deg: float
    light: Float[np.ndarray, " 3"]
    teeth_cm: tuple[float, float] | None
    """Set where the expression was changed."""
    px_per_cm: float


class HeadPainter:
    """Paints turned heads of one model."""

    def __init__(self, head: MorphableHead, regions: HeadRegions) -> None:
        self._mean, self._regions = head.mean, regions
        self._filler = SurfaceFiller.of(head, regions)

    def paint(self, scene: Scene) -> UInt8[np.ndarray, "side side 3"]:
        """The new picture, in the photo's colour order."""
        after, side = scene.after, scene.after.width
        # Of the mesh itself: the head in the photo can reach beyond the new picture.
        edge = outline(scene.source[self._regions.triangles[:, 0], :2], scene.centre)
        place, inside = self._places(scene, edge)
        trust = self._filler.trust(scene.normals, scene.change, scene.photo.rotation, inside)
        wanted = self._wanted(scene)
        field = bend_background(
            scene.before.mask, after.mask, edge, scene.centre, _skip(scene.yaw_deg)
        )
        direct = field.copy().reshape(-1, 2)
        direct[after.pixel] = after.blend(place)
        painted = _sample(scene, direct.reshape(side, side, 2))
        borrowed = np.zeros(side * side, np.float32)
        borrowed[after.pixel] = after.blend(wanted[:, None])[:, 0]
        if (borrowed > _BORROW_LEAST).sum() > _BORROW_WORTH * side * side:
            other = direct.copy()
            other[after.pixel] = after.blend(place[self._regions.mirror])
            alpha = cv2.blur(borrowed.reshape(side, side), (7, 7))
            painted = _mend(
                painted, _sample(scene, other.reshape(side, side, 2)), alpha, after.mask
            )
        trust = np.maximum(trust, wanted * trust[self._regions.mirror])
        painted = self._filler.fill(painted, after, trust, inside, scene.px_per_cm)
        if scene.teeth_cm is not None:
            shown = scene.photo.points_cm, scene.teeth_cm, scene.px_per_cm
            fill_mouth(painted, after, self._regions, *shown)
        if scene.light.any():
            painted = self._relight(scene, painted)
        backdrop = _sample(scene, field)
        cover = cv2.GaussianBlur(after.mask.astype(np.float32), (0, 0), _EDGE_PX)
        cover = np.clip(cover * 2 - 1, 0, 1)[..., None]
        blended = painted * cover + backdrop * (1 - cover)
        return np.clip(np.round(blended), 0, 255).astype(np.uint8)

    def _places(
        self, scene: Scene, edge: Float[np.ndarray, " bins"]
    ) -> tuple[Float[np.ndarray, "vertices 2"], Float[np.ndarray, " vertices"]]:
        """Source of each vertex, and how surely it is the head's own.

        The half turned away folds back onto the one in view.
        """
        head, azimuth, rotation = self._mean, self._regions.azimuth, scene.photo.rotation
        yaw = np.radians(yaw_deg(rotation))
        seen_from = _wrap(azimuth + yaw)
        limit = np.radians(_SEEN_DEG)
        beyond = np.abs(seen_from) - limit
        folded = np.where(beyond > 0, limit - _FOLD * beyond, np.abs(seen_from))
        back = np.sign(seen_from) * folded - yaw
        radius = (
            np.hypot(head[:, 0], head[:, 2] - _SKULL_MIDDLE_CM) * _ellipse(back) / _ellipse(azimuth)
        )
        moved = np.stack(
            [np.sin(back) * radius, head[:, 1], _SKULL_MIDDLE_CM - np.cos(back) * radius], axis=-1
        )
        change = ((moved - head) @ rotation.T)[:, :2] * scene.px_per_cm
        place = scene.source[:, :2] + np.where((beyond > 0)[:, None], change, 0)
        middle = place[self._regions.middle]
        pull = (
            _TO_MIDDLE
            * self._regions.rear
            * rises(folded, np.radians(_PULL_FROM_DEG), np.radians(_PULL_OVER_DEG))
        )
        place = place + (middle - place) * pull[:, None]
        # Real skulls are often narrower than the fitted one: near its outline look further in.
        out = place - scene.centre
        radius, turn = np.hypot(*out.T), np.arctan2(out[:, 1], out[:, 0])
        real = at_angle(_real_edge(scene, edge), turn)
        share, reach = 1 - real, radius / np.maximum(at_angle(edge, turn), 1)
        near = rises(reach, _NEAR_EDGE, _NEAR_EDGE_OVER)
        aside = rises(np.abs(azimuth), np.radians(_ASIDE_FROM_DEG), np.radians(_ASIDE_OVER_DEG))
        share = share * near * np.maximum(aside, self._regions.rear)
        # What folds round from behind comes from a little further in yet, off the blurred rim.
        share += (
            _OFF_THE_RIM
            * (1 - share)
            * self._regions.rear
            * smoothstep(beyond / np.radians(_OFF_RIM_OVER_DEG) + 1)
        )
        place = np.asarray(scene.centre + out * (1 - share)[:, None], np.float32)
        inside = falls(reach * (1 - share) / real, _SURE_TO, _SURE_OVER)
        where, size = scene.to_photo(place), np.array(scene.photo.image.shape[1::-1])
        inside *= ((where > 0) & (where < size - 1)).all(axis=1)
        return place, inside

    def _wanted(self, scene: Scene) -> Float[np.ndarray, " vertices"]:
        """1 where the mirrored place is to be painted instead of the own one."""
        regions, points, raster = self._regions, scene.source, scene.before
        facing = -scene.normals[:, 2]
        x = np.clip(np.round(points[:, 0]).astype(int), 0, raster.width - 1)
        y = np.clip(np.round(points[:, 1]).astype(int), 0, raster.height - 1)
        behind = points[:, 2] > raster.depth[y, x] + _HIDDEN_SHARE * raster.width
        seen = np.clip(facing, 0, 1) * ~behind
        front = falls(seen, _HIDDEN_BELOW, _HIDDEN_OVER)
        front = front * rises(seen[regions.mirror], _MIRROR_FROM, _MIRROR_OVER)
        # Behind the cheeks the normals of ears and hair say little: there the azimuth decides.
        yaw = np.radians(yaw_deg(scene.photo.rotation))
        own, other = np.abs(_wrap(regions.azimuth + yaw)), np.abs(_wrap(yaw - regions.azimuth))
        gained = rises(own - other, np.radians(_GAIN_FROM_DEG), np.radians(_GAIN_OVER_DEG))
        away = gained * rises(own, np.radians(_AWAY_FROM_DEG), np.radians(_AWAY_OVER_DEG))
        wanted: Float[np.ndarray, " vertices"] = np.maximum(front * (1 - regions.rear), away)
        return wanted

    def _relight(
        self, scene: Scene, painted: UInt8[np.ndarray, "side side 3"]
    ) -> UInt8[np.ndarray, "side side 3"]:
        side = painted.shape[0]
        strength = float(np.linalg.norm(scene.light))
        normals = vertex_normals(scene.turned, self._regions.triangles)
        lit = np.clip(normals @ (scene.light / strength), _MOST_DARK, 1).astype(np.float32)
        gain = np.ones(side * side, np.float32)
        shade = scene.after.blend(lit[:, None])[:, 0]
        gain[scene.after.pixel] = 1 + _SHADE * strength * (shade - shade.mean())
        soft = cv2.blur(gain.reshape(side, side), (5, 5))[..., None]
        return np.clip(painted * soft, 0, 255).astype(np.uint8)


def _real_edge(scene: Scene, edge: Float[np.ndarray, " bins"]) -> Float[np.ndarray, " bins"]:
    """Where the head ends in the photo, as a share (at most 1) of the fitted head's outline.

    Coming from outside, the head begins where colours become more like those surely inside it.
    """
    angle = (np.arange(BINS) + 0.5) * (2 * np.pi / BINS)
    shares = np.concatenate([_INSIDE, _STEPS, _OUTSIDE])
    reach = edge[:, None] * shares
    ray = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    places = scene.centre + reach[..., None] * ray[:, None]
    colour = cv2.blur(_sample(scene, places).astype(np.float32), (1, 5))
    inside = colour[:, : len(_INSIDE)].mean(axis=1, keepdims=True)
    outside = colour[:, -len(_OUTSIDE) :].mean(axis=1, keepdims=True)
    step = colour[:, len(_INSIDE) : -len(_OUTSIDE)]
    in_head = np.linalg.norm(step - inside, axis=2) < np.linalg.norm(step - outside, axis=2)
    real = np.where(in_head, _STEPS, _STEPS[0]).max(axis=1)
    # Without contrast nothing is seen to end, and below the head is a neck, which ends elsewhere.
    plain = np.linalg.norm(inside - outside, axis=2)[:, 0] < _PLAIN
    real[plain | (np.sin(angle) > _NECK_SINE)] = 1
    wrapped = np.concatenate([real[-4:], real, real[:4]])
    return np.asarray(np.convolve(wrapped, np.ones(9) / 9, mode="valid"), np.float32)


def _sample(
    scene: Scene, field: Float[np.ndarray, "height width 2"]
) -> UInt8[np.ndarray, "height width 3"]:
    where = scene.to_photo(field)
    return np.asarray(
        cv2.remap(
            scene.photo.image,
            np.ascontiguousarray(where[..., 0]),
            np.ascontiguousarray(where[..., 1]),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT_101,
        ),
        np.uint8,
    )


def _mend(
    painted: UInt8[np.ndarray, "side side 3"],
    borrowed: UInt8[np.ndarray, "side side 3"],
    alpha: Float[np.ndarray, "side side"],
    mask: Bool[np.ndarray, "side side"],
) -> UInt8[np.ndarray, "side side 3"]:
    """Mix borrowed skin in, its light matched to the skin it joins."""
    known = (mask & (alpha < _BORROW_LEAST)).astype(np.float32)[..., None]
    size = (painted.shape[1] // 4, painted.shape[0] // 4)

    def spread(image: Float[np.ndarray, "side side 3"]) -> Float[np.ndarray, "small small 3"]:
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.GaussianBlur(small, (0, 0), size[0] / _LIGHT_BLUR), np.float32)

    ratio = (spread(painted * known) + _LIGHT_DUST) / (spread(borrowed * known) + _LIGHT_DUST)
    gain = cv2.resize(np.clip(ratio, *_MEND_GAIN), mask.shape[::-1], interpolation=cv2.INTER_LINEAR)
    part = alpha[..., None]
    mixed = painted * (1 - part) + np.clip(borrowed * gain, 0, 255) * part
    return np.asarray(np.clip(mixed, 0, 255), np.uint8)


def _ellipse(azimuth: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Radius of a skull seen from above, cm."""
    radius: Float[np.ndarray, " n"] = 1 / np.hypot(
        np.sin(azimuth) / _SKULL_CM[0], np.cos(azimuth) / _SKULL_CM[1]
    )
    return radius


def _skip(yaw: float) -> Float[np.ndarray, " bins"]:
    """Leave out hair beside the old cheek where a profile looks into the open."""
    angle = np.arange(BINS) * (2 * np.pi / BINS)
    facing = np.cos(angle) * np.sign(yaw)
    strength = _SKIP * rises(abs(yaw), _SKIP_FROM_DEG, _SKIP_OVER_DEG)
    skip: Float[np.ndarray, " bins"] = (strength * smoothstep(facing / _SKIP_ASIDE)).astype(
        np.float32
    )
    return skip


def _wrap(angle: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    wrapped: Float[np.ndarray, " n"] = (angle + np.pi) % (2 * np.pi) - np.pi
    return wrapped
