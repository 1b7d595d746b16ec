"""Make up the skin and hair that a photo shows too narrowly to be stretched.

A cheek seen along its surface holds a few pixels of skin, and beside them the wall. Where a turn
would stretch it too far, the colour is continued from what the photo shows well: face, hair and
neck each from their own kind, with the grain measured there. Ears get their relief from the mesh.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from mien.synthesis.head.morphable import MorphableHead
from mien.synthesis.head.raster import Raster
from mien.synthesis.head.regions import HeadRegions, smoothstep, vertex_normals

__all__ = ["SurfaceFiller"]

_STRETCH = 1.5, 3.4
"""Skin is taken as it is up to the first factor of stretching, not at all beyond the second."""
_TILE = 256


@dataclass(frozen=True)
class SurfaceFiller:
    """Fills badly seen surface of one head model; what is known of its mean, one value a vertex."""

    regions: HeadRegions
    ears: Float[np.ndarray, " vertices"]
    scalp: Float[np.ndarray, " vertices"]
    """Where hair grows, down to the nape."""
    height_cm: Float[np.ndarray, " vertices"]
    relief: Float[np.ndarray, " vertices"]
    """Brightness by the shape alone: below 1 in hollows."""
    grain: Float[np.ndarray, "tile tile 2"]
    """Noise of deviation 1 that repeats itself: of skin, and in strands."""

    @classmethod
    def of(cls, head: MorphableHead, regions: HeadRegions) -> SurfaceFiller:
        """For heads of this model."""
        _, y, z = head.mean.T
        along, across = 0.94 * (y + 0.7) - 0.34 * (z + 0.2), 0.34 * (y + 0.7) + 0.94 * (z + 0.2)
        ears = smoothstep((1.25 - np.hypot(along / 3.3, across / 1.7)) / 0.2)
        scalp = smoothstep((-0.6 * y + 0.8 * z + 0.9) / 1.2) * smoothstep((6.5 - y) / 2.5)
        return cls(regions, ears, scalp * (1 - ears), y, _relief(head, regions), _grain())

    def trust(
        self,
        normals: Float[np.ndarray, "vertices 3"],
        change: Float[np.ndarray, "3 3"],
        rotation: Float[np.ndarray, "3 3"],
        inside: Float[np.ndarray, " vertices"],
    ) -> Float[np.ndarray, " vertices"]:
        """1 where the photo shows a vertex well enough for its new pose, 0 where not at all.

        ``normals`` are those in the photo, ``change`` the turn to come, ``rotation`` the head's in
        the photo, ``inside`` how surely the source of a vertex is the head and not what is beside.
        """
        regions = self.regions
        # The folds of an ear say little: it is a plate on the side of the head.
        side = np.sign(regions.azimuth)[:, None] * np.array([0.98, 0, 0], np.float32)
        plate = (side + np.array([0, 0, -0.2], np.float32)) @ rotation.T
        round_ = np.stack([np.sin(regions.azimuth), 0 * side[:, 0], -np.cos(regions.azimuth)], 1)
        ear, rear = self.ears[:, None], regions.rear[:, None]
        facing = normals * (1 - rear) + (0.8 * round_ @ rotation.T + 0.2 * normals) * rear
        facing = facing * (1 - ear) + plate * ear
        before = -facing[:, 2]
        after = before + regions.neck_follow * (-(facing @ change[2]) - before)
        stretch = np.clip(after, 0.2, 1) / np.clip(before, 0.02, 1)
        low, high = _STRETCH
        seen = smoothstep((high - stretch) / (high - low))
        doubted = (1 - inside) * smoothstep((stretch - 1.1) / 0.6)
        # Features lie in front, where the label says; nothing is made up there.
        aside = smoothstep((np.abs(regions.azimuth) - np.radians(34)) / np.radians(12))
        out: Float[np.ndarray, " vertices"] = 1 - (1 - seen * (1 - doubted)) * aside
        return out

    def fill(
        self,
        painted: UInt8[np.ndarray, "side side 3"],
        after: Raster,
        trust: Float[np.ndarray, " vertices"],
        inside: Float[np.ndarray, " vertices"],
        px_per_cm: float,
    ) -> UInt8[np.ndarray, "side side 3"]:
        """The picture with its distrusted surface made anew."""
        kept = after.blend(trust[:, None])[:, 0]
        made = np.flatnonzero(kept < 0.97)
        if not len(made):
            return painted
        face, hair, neck = self._kinds()
        # Hair at the sides is seen narrowly, but it tells the colour of what lies behind.
        strands = inside * np.maximum(trust, 0.3) * smoothstep((-1 - self.height_cm) / 2)
        told = np.stack([face * trust * inside, hair * strands, neck * trust], axis=1)
        spots = np.flatnonzero((after.pixel // after.width % 2 == 0) & (after.pixel % 2 == 0))
        sparse, thin = after.part(spots), np.ascontiguousarray(painted[::2, ::2])
        weight = np.zeros((*thin.shape[:2], 3), np.float32)
        weight[sparse.pixel // after.width // 2, sparse.pixel % after.width // 2] = (
            sparse.blend(told) ** 2
        )
        weight *= _of_kind(thin, weight[..., 0])
        fine = np.abs(thin - cv2.blur(painted, (5, 5))[::2, ::2].astype(np.float32)).mean(axis=2)
        here = after.part(made)
        *parts, relief, u, v = here.blend(
            np.stack(
                [
                    *(face, hair, neck),
                    self.relief,
                    self.regions.azimuth * np.float32(9 * px_per_cm),
                    self.height_cm * np.float32(px_per_cm),
                ],
                axis=1,
            )
        ).T
        row, column = v.astype(np.int32) % _TILE, u.astype(np.int32) % _TILE
        new = np.zeros((len(made), 3), np.float32)
        grain = np.zeros(len(made), np.float32)
        rows, columns = here.pixel // after.width, here.pixel % after.width
        for kind, part in enumerate(parts):
            colour = _continue(thin, weight[..., kind], after.width)
            new += part[:, None] * colour[rows, columns]
            sure = weight[..., kind] > 0.4
            strength = float(np.median(fine[sure])) if sure.any() else 2.0
            grain += part * min(strength, 4.0) * self.grain[row, column, int(kind == 1)]
        canvas = painted.copy()
        canvas.reshape(-1, 3)[here.pixel] = np.clip(new * relief[:, None], 0, 255)
        # The rim of an ear is a step of the mesh.
        new = cv2.blur(canvas, (3, 3)).reshape(-1, 3)[here.pixel] + grain[:, None]
        out = painted.copy()
        flat = out.reshape(-1, 3)
        # Half trusted cheeks must at least look like what is made: hair and walls lie beside them.
        away = np.linalg.norm(flat[here.pixel] - new, axis=1)
        cheeks = smoothstep((1 - kept[made]) / 0.25) * smoothstep(v / px_per_cm / 2)
        doubt = np.zeros(painted.shape[:2], np.float32)
        doubt.reshape(-1)[here.pixel] = smoothstep((away - 35) / 40) * cheeks
        wide = cv2.blur(cv2.dilate(doubt, np.ones((3, 3), np.uint8)), (7, 7)).reshape(-1)
        share = (kept[made] * (1 - wide[here.pixel]))[:, None]
        flat[here.pixel] = np.clip(np.round(flat[here.pixel] * share + new * (1 - share)), 0, 255)
        return out

    def _kinds(self) -> tuple[Float[np.ndarray, " vertices"], ...]:
        """Shares of face, hair and neck; together 1."""
        neck = smoothstep((1 - self.regions.neck_follow) / 0.25)
        return (1 - self.scalp) * (1 - neck), self.scalp, (1 - self.scalp) * neck


def _of_kind(
    thin: UInt8[np.ndarray, "half half 3"], face: Float[np.ndarray, "half half"]
) -> Float[np.ndarray, "half half 3"]:
    """How well colours fit face, hair and neck: hair is what does not look like the face."""
    sure = face > 0.8
    if not sure.any():
        return np.ones((*face.shape, 3), np.float32)
    skin = np.median(thin[sure], axis=0).astype(np.float32)
    change = thin - skin
    away = np.linalg.norm(change, axis=2)
    # A brighter place of the same tint is skin in the light.
    brighter = np.maximum(change @ (skin / max(float(np.linalg.norm(skin)), 1)), 0)
    other = np.sqrt(np.maximum(away**2 - 0.9 * brighter**2, 0))
    dark = 1 - 0.7 * smoothstep(brighter / 60)
    kinds = [
        1 - 0.9 * smoothstep((away - 60) / 60),
        0.03 + 0.97 * dark * smoothstep((other - 25) / 40),
        1 - 0.9 * smoothstep((away - 80) / 60),
    ]
    return np.stack(kinds, axis=2)


def _continue(
    known: UInt8[np.ndarray, "half half 3"], weight: Float[np.ndarray, "half half"], side: int
) -> Float[np.ndarray, "side side 3"]:
    """The weighted mean colour of near places; where none of them is known, of farther ones."""
    size = max(len(known) // 2, 1)
    heavy = np.concatenate([known * weight[..., None], weight[..., None]], axis=2)
    levels = [cv2.resize(heavy, (size, size), interpolation=cv2.INTER_AREA)]
    while size > 1:
        size = (size + 1) // 2
        levels.append(cv2.resize(levels[-1], (size, size), interpolation=cv2.INTER_AREA))
    mean = levels[-1][..., :3] / (levels[-1][..., 3:] + 1e-6)
    for level in reversed(levels):
        far = cv2.resize(mean, level.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        mean = (level[..., :3] + 0.02 * far) / (level[..., 3:] + 0.02)
    return np.asarray(cv2.resize(mean, (side, side), interpolation=cv2.INTER_LINEAR), np.float32)


def _relief(head: MorphableHead, regions: HeadRegions) -> Float[np.ndarray, " vertices"]:
    """Hollows lie below the mean of their surroundings."""
    triangles, count = regions.triangles, len(head.mean)
    start = np.concatenate([triangles[:, k] for k in (0, 1, 2, 1, 2, 0)])
    end = np.concatenate([triangles[:, k] for k in (1, 2, 0, 0, 1, 2)])
    number = np.maximum(np.bincount(start, minlength=count), 1)[:, None]
    smooth = head.mean.astype(np.float64)
    for _ in range(12):
        total = [np.bincount(start, smooth[end, k], minlength=count) for k in range(3)]
        smooth = (smooth + np.stack(total, axis=1) / number) / 2
    deep = ((smooth - head.mean) * vertex_normals(head.mean, triangles)).sum(axis=1)
    return np.asarray(1 - np.clip(deep / 0.35, -0.12, 0.5), np.float32)


def _grain() -> Float[np.ndarray, "tile tile 2"]:
    noise = np.random.default_rng(0).normal(size=(2, _TILE, _TILE)).astype(np.float32)
    skin = cv2.GaussianBlur(noise[0], (0, 0), 0.7)
    strands = cv2.GaussianBlur(noise[1], (0, 0), sigmaX=0.8, sigmaY=9)
    return np.stack([skin / skin.std(), strands / strands.std()], axis=-1)
