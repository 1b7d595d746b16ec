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
from mien.synthesis.head.regions import HeadRegions, falls, rises, smoothstep, vertex_normals

__all__ = ["SurfaceFiller"]

_STRETCH = 1.5, 3.4
"""Skin is taken as it is up to the first factor of stretching, not at all beyond the second."""
_DOUBT_FROM, _DOUBT_OVER = 1.1, 0.6
"""Where the source may be what lies beside the head, stretching is believed up to the first."""
_ASIDE_FROM_DEG, _ASIDE_OVER_DEG = 34, 12
"""Azimuth from which on anything is made up: features lie in front, where the label says."""
_AFTER_LEAST, _BEFORE_LEAST = 0.2, 0.02
"""Least cosines to the camera in the new picture and in the photo: what stands edge on in the new
one needs no skin, and the stretch of what stood edge on is finite."""
_PLATE_SIDE, _PLATE_BACK = 0.98, -0.2
"""Normal of an ear as a plate, to its side and to the front: its folds say little."""
_ROUND, _OWN = 0.8, 0.2
"""Where hair is, normals of a round head count so much, the mesh's own so much."""

# Places on the mean head, cm. An ear is an ellipse that leans back by 20 degrees.
_EAR_COS, _EAR_SIN, _EAR_MIDDLE_CM = 0.94, 0.34, (-0.7, -0.2)
_EAR_LONG_CM, _EAR_WIDE_CM = 3.3, 1.7
"""Half axes."""
_EAR_TO, _EAR_OVER = 1.25, 0.2
"""Share of those at which the ear's surroundings begin, and over which."""
_SCALP_UP, _SCALP_BACK, _SCALP_FROM_CM, _SCALP_OVER_CM = -0.6, 0.8, -0.9, 1.2
"""Behind this plane hair grows: that of `regions`, a little further back, and sharper."""
_NAPE_CM, _NAPE_OVER_CM = 6.5, 2.5
"""Down to here."""

_KEPT = 0.97
"""From this share of trust on, a pixel stays the photo's."""
_STRANDS_TRUST = 0.3
"""Hair at the sides is seen narrowly, but tells the colour of what lies behind: so far at least."""
_STRANDS_CM, _STRANDS_OVER_CM = -1, 2
"""Above this height only: below it hair falls on shoulders and walls."""
_NECK_OVER = 0.25
"""Of the share of a turn that the neck does not follow: beyond it all is neck."""
_GRAIN_FROM = 0.4
"""Pixels that belong more to a kind tell its grain."""
_GRAIN_UNKNOWN, _GRAIN_MOST = 2.0, 4.0
"""Deviation of grain, grey levels, where none can be measured, and the largest believed."""
_SKIN_ROUND_CM = 9
"""Radius of the head that grain is laid round."""
_CHEEK_OVER, _CHEEK_OVER_CM = 0.25, 2
"""Half trusted pixels below the ears' middle, over so much distrust and so far down, are checked:
hair and walls lie beside cheeks."""
_CHEEK_FROM, _CHEEK_TO = 35, 40
"""Grey levels away from what is made from which, and over which, they are made up after all."""

# How well a colour fits face, hair and neck; grey levels.
_FACE_SURE = 0.8
"""Pixels that belong more to the face tell the colour of skin."""
_SAME_TINT = 0.9
"""Share of a brighter place's square distance from skin that is only light."""
_LIT = 0.7, 60
"""What looks like skin in the light is less hair by the first share, over so many levels."""
_NOT_SKIN = 0.9
"""What does not look like skin is less face, and less neck, by this share,"""
_FACE_TO, _NECK_TO, _OVER = 60, 80, 60
"""beyond so many levels; necks lie in the shadow."""
_HAIR_LEAST, _HAIR_FROM, _HAIR_OVER = 0.03, 25, 40
"""Hair looks other than skin: from so many levels on; what does not still counts so little."""

_FAR = 0.02
"""Weight of the colour of farther places beside what is known near by."""
_RELIEF_CM, _RELIEF_LIGHT, _RELIEF_DARK = 0.35, -0.12, 0.5
"""A hollow so deep would be black, but none is darker than the last; ridges are lighter by the
second."""
_RELIEF_ROUNDS = 12
"""Times that the mean of neighbours is taken: surroundings of about a centimetre."""
_TILE = 256
_SKIN_BLUR_PX, _STRAND_PX = 0.7, (0.8, 9)
"""Of the noise that is grain: pores, and strands across and along."""


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
        down, back = y - _EAR_MIDDLE_CM[0], z - _EAR_MIDDLE_CM[1]
        along = _EAR_COS * down - _EAR_SIN * back
        across = _EAR_SIN * down + _EAR_COS * back
        away = np.hypot(along / _EAR_LONG_CM, across / _EAR_WIDE_CM)
        ears = falls(away, _EAR_TO, _EAR_OVER)
        scalp = rises(_SCALP_UP * y + _SCALP_BACK * z, _SCALP_FROM_CM, _SCALP_OVER_CM)
        scalp = scalp * falls(y, _NAPE_CM, _NAPE_OVER_CM)
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
        side = np.sign(regions.azimuth)[:, None] * np.array([_PLATE_SIDE, 0, 0], np.float32)
        plate = (side + np.array([0, 0, _PLATE_BACK], np.float32)) @ rotation.T
        round_ = np.stack([np.sin(regions.azimuth), 0 * side[:, 0], -np.cos(regions.azimuth)], 1)
        ear, rear = self.ears[:, None], regions.rear[:, None]
        facing = normals * (1 - rear) + (_ROUND * round_ @ rotation.T + _OWN * normals) * rear
        facing = facing * (1 - ear) + plate * ear
        before = -facing[:, 2]
        after = before + regions.neck_follow * (-(facing @ change[2]) - before)
        stretch = np.clip(after, _AFTER_LEAST, 1) / np.clip(before, _BEFORE_LEAST, 1)
        low, high = _STRETCH
        seen = smoothstep((high - stretch) / (high - low))
        doubted = (1 - inside) * rises(stretch, _DOUBT_FROM, _DOUBT_OVER)
        start, over = np.radians(_ASIDE_FROM_DEG), np.radians(_ASIDE_OVER_DEG)
        aside = rises(np.abs(regions.azimuth), start, over)
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
        made = np.flatnonzero(kept < _KEPT)
        if not len(made):
            return painted
        face, hair, neck = self._kinds()
        strands = inside * np.maximum(trust, _STRANDS_TRUST)
        strands = strands * falls(self.height_cm, _STRANDS_CM, _STRANDS_OVER_CM)
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
                    self.regions.azimuth * np.float32(_SKIN_ROUND_CM * px_per_cm),
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
            sure = weight[..., kind] > _GRAIN_FROM
            strength = float(np.median(fine[sure])) if sure.any() else _GRAIN_UNKNOWN
            grain += part * min(strength, _GRAIN_MOST) * self.grain[row, column, int(kind == 1)]
        canvas = painted.copy()
        canvas.reshape(-1, 3)[here.pixel] = np.clip(new * relief[:, None], 0, 255)
        # The rim of an ear is a step of the mesh.
        new = cv2.blur(canvas, (3, 3)).reshape(-1, 3)[here.pixel] + grain[:, None]
        out = painted.copy()
        flat = out.reshape(-1, 3)
        away = np.linalg.norm(flat[here.pixel] - new, axis=1)
        cheeks = rises(1 - kept[made], 0, _CHEEK_OVER) * smoothstep(v / px_per_cm / _CHEEK_OVER_CM)
        doubt = np.zeros(painted.shape[:2], np.float32)
        doubt.reshape(-1)[here.pixel] = rises(away, _CHEEK_FROM, _CHEEK_TO) * cheeks
        wide = cv2.blur(cv2.dilate(doubt, np.ones((3, 3), np.uint8)), (7, 7)).reshape(-1)
        share = (kept[made] * (1 - wide[here.pixel]))[:, None]
        flat[here.pixel] = np.clip(np.round(flat[here.pixel] * share + new * (1 - share)), 0, 255)
        return out

    def _kinds(self) -> tuple[Float[np.ndarray, " vertices"], ...]:
        """Shares of face, hair and neck; together 1."""
        neck = rises(1 - self.regions.neck_follow, 0, _NECK_OVER)
        return (1 - self.scalp) * (1 - neck), self.scalp, (1 - self.scalp) * neck


def _of_kind(
    thin: UInt8[np.ndarray, "half half 3"], face: Float[np.ndarray, "half half"]
) -> Float[np.ndarray, "half half 3"]:
    """How well colours fit face, hair and neck: hair is what does not look like the face."""
    sure = face > _FACE_SURE
    if not sure.any():
        return np.ones((*face.shape, 3), np.float32)
    skin = np.median(thin[sure], axis=0).astype(np.float32)
    change = thin - skin
    away = np.linalg.norm(change, axis=2)
    # A brighter place of the same tint is skin in the light.
    brighter = np.maximum(change @ (skin / max(float(np.linalg.norm(skin)), 1)), 0)
    other = np.sqrt(np.maximum(away**2 - _SAME_TINT * brighter**2, 0))
    dark = 1 - _LIT[0] * smoothstep(brighter / _LIT[1])
    kinds = [
        1 - _NOT_SKIN * rises(away, _FACE_TO, _OVER),
        _HAIR_LEAST + (1 - _HAIR_LEAST) * dark * rises(other, _HAIR_FROM, _HAIR_OVER),
        1 - _NOT_SKIN * rises(away, _NECK_TO, _OVER),
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
        mean = (level[..., :3] + _FAR * far) / (level[..., 3:] + _FAR)
    return np.asarray(cv2.resize(mean, (side, side), interpolation=cv2.INTER_LINEAR), np.float32)


def _relief(head: MorphableHead, regions: HeadRegions) -> Float[np.ndarray, " vertices"]:
    """Hollows lie below the mean of their surroundings."""
    triangles, count = regions.triangles, len(head.mean)
    start = np.concatenate([triangles[:, k] for k in (0, 1, 2, 1, 2, 0)])
    end = np.concatenate([triangles[:, k] for k in (1, 2, 0, 0, 1, 2)])
    number = np.maximum(np.bincount(start, minlength=count), 1)[:, None]
    smooth = head.mean.astype(np.float64)
    for _ in range(_RELIEF_ROUNDS):
        total = [np.bincount(start, smooth[end, k], minlength=count) for k in range(3)]
        smooth = (smooth + np.stack(total, axis=1) / number) / 2
    deep = ((smooth - head.mean) * vertex_normals(head.mean, triangles)).sum(axis=1)
    return np.asarray(1 - np.clip(deep / _RELIEF_CM, _RELIEF_LIGHT, _RELIEF_DARK), np.float32)


def _grain() -> Float[np.ndarray, "tile tile 2"]:
    noise = np.random.default_rng(0).normal(size=(2, _TILE, _TILE)).astype(np.float32)
    skin = cv2.GaussianBlur(noise[0], (0, 0), _SKIN_BLUR_PX)
    strands = cv2.GaussianBlur(noise[1], (0, 0), sigmaX=_STRAND_PX[0], sigmaY=_STRAND_PX[1])
    return np.stack([skin / skin.std(), strands / strands.std()], axis=-1)
