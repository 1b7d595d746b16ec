"""What the parts of the head are: hair, back, neck, lips. Read off the model's mean once.

Numbers are centimetres in the head's frame (x to the image's right, y down, z backwards, the
origin between the ears).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import cKDTree

from mien.synthesis.head.morphable import MorphableHead

__all__ = ["HeadRegions", "falls", "rises", "smoothstep", "vertex_normals"]

_HAIR_UP, _HAIR_BACK, _HAIR_FROM_CM, _HAIR_OVER_CM = -0.6, 0.8, -1.5, 2.5
"""The hairline is a plane that leans back: along its normal (0, -0.6, 0.8) hair begins there."""
_NAPE_CM = 5
"""Below this height nothing bears hair."""
_EARS_SIDE_CM, _EARS_TOP_CM, _EARS_BOTTOM_CM, _EARS_DEPTH_CM = 6.2, -5, 4.5, 3.2
"""A box that holds both ears: from so far to the sides on, so high, so low, so far to the front
and the back."""
_EARS_HAIR = 0.2
"""What hair does to ears, as a share of what it does beside them: some lies over them."""
_REAR_FROM_CM, _REAR_OVER_CM = -2.8, 2
"""Behind this depth, over so much, a fit to the face's points knows little."""
_CROWN_CM = -9
"""Above this height all is rear."""
_NECK_FROM_CM, _NECK_SLOPE, _NECK_FRONT_CM, _NECK_OVER_CM = 6, 0.35, -2, 9
"""The neck begins at this height, so much lower a cm in front of the third figure (a chin hangs as
low as the top of the neck, but further in front), and turns less and less over the fourth."""
_NECK_STAYS = 0.75
"""Share of a turn that the foot of the neck does not follow."""
_SHOULDERS_CM = 15.5
"""Below this height the picture stays with the photo."""
_NECK_AXIS_CM = 1.0
"""Depth of the axis that azimuths are measured about."""
_BETWEEN_EYES_CM, _SKULL_CM = np.array([0, -3, -10]), np.array([0, -3, 0], np.float32)


@dataclass(frozen=True)
class HeadRegions:
    """One value a vertex, 0 to 1 where not said otherwise."""

    triangles: Int[np.ndarray, "triangles 3"]
    """The head without its shoulders, which stay with the photo."""
    mirror: Int[np.ndarray, " vertices"]
    """The vertex at the mirrored place."""
    azimuth: Float[np.ndarray, " vertices"]
    """Radians about the neck's axis: 0 in front, positive to the image's right."""
    hair: Float[np.ndarray, " vertices"]
    """Skin that usually bears hair."""
    rear: Float[np.ndarray, " vertices"]
    """Hair, and all that lies behind the cheeks: places where a fit knows little."""
    neck_follow: Float[np.ndarray, " vertices"]
    """How far a vertex turns with the head."""
    mouth_patch: int
    mouth_height: Float[np.ndarray, " vertices"]
    """Across the patch that closes the mouth: 0 at its upper rim, 1 at its lower one."""
    middle: int
    """A vertex between the eyes."""

    @classmethod
    def of(cls, head: MorphableHead) -> HeadRegions:
        mean = head.mean
        x, y, z = mean.T
        _, mirror = cKDTree(mean).query(mean * np.array([-1, 1, 1], np.float32))
        hair = rises(_HAIR_UP * y + _HAIR_BACK * z, _HAIR_FROM_CM, _HAIR_OVER_CM)
        hair[y > _NAPE_CM] = 0
        ears = (np.abs(x) > _EARS_SIDE_CM) & (y > _EARS_TOP_CM) & (y < _EARS_BOTTOM_CM)
        hair[ears & (np.abs(z) < _EARS_DEPTH_CM)] *= _EARS_HAIR
        rear = np.maximum(hair, rises(z, _REAR_FROM_CM, _REAR_OVER_CM))
        rear[y < _CROWN_CM] = 1
        ahead = np.clip(-z + _NECK_FRONT_CM, 0, None)
        down = (y - _NECK_FROM_CM - _NECK_SLOPE * ahead) / _NECK_OVER_CM
        return cls(
            triangles=head.triangles[(mean[head.triangles][..., 1] < _SHOULDERS_CM).all(axis=1)],
            mirror=mirror,
            azimuth=np.arctan2(x, -(z - _NECK_AXIS_CM)),
            hair=hair,
            rear=rear,
            neck_follow=1 - _NECK_STAYS * smoothstep(down),
            mouth_patch=int(head.patches[2]),
            mouth_height=_mouth_height(head),
            middle=int(np.linalg.norm(mean - _BETWEEN_EYES_CM, axis=1).argmin()),
        )

    def hair_out(
        self, vertices_cm: Float[np.ndarray, "vertices 3"], thickness_cm: float
    ) -> Float[np.ndarray, "vertices 3"]:
        """How hair of some thickness moves the vertices away from the skull's middle."""
        out = vertices_cm - _SKULL_CM
        out *= (thickness_cm * self.hair / np.linalg.norm(out, axis=1))[:, None]
        moved: Float[np.ndarray, "vertices 3"] = out.astype(np.float32)
        return moved


def _mouth_height(head: MorphableHead) -> Float[np.ndarray, " vertices"]:
    patch = int(head.patches[2])
    rim = np.unique(head.triangles[head.triangles[:, 2] == patch][:, :2])
    place = head.mean[rim]
    corners = place[[place[:, 0].argmin(), place[:, 0].argmax()]]
    line = np.interp(place[:, 0], corners[:, 0], corners[:, 1])
    height = np.full(len(head.mean), 0.5, np.float32)
    height[rim] = np.clip(0.5 + 2 * (place[:, 1] - line), 0, 1)
    return height


def vertex_normals(
    points: Float[np.ndarray, "vertices 3"], triangles: Int[np.ndarray, "triangles 3"]
) -> Float[np.ndarray, "vertices 3"]:
    """Outward normals; those of front sides have negative z."""
    a, b, c = (points[triangles[:, i]] for i in range(3))
    across = np.cross(b - a, c - a)
    total = np.stack(
        [
            np.bincount(triangles.ravel(), np.repeat(across[:, axis], 3), minlength=len(points))
            for axis in range(3)
        ],
        axis=1,
    )
    length = np.linalg.norm(total, axis=1, keepdims=True)
    unit: Float[np.ndarray, "vertices 3"] = (total / (length + 1e-9)).astype(np.float32)
    return unit


def smoothstep(x: Float[np.ndarray, "*n"] | float) -> Float[np.ndarray, "*n"]:
    """0 below 0, 1 above 1, smooth between."""
    t = np.clip(x, 0, 1)
    step: Float[np.ndarray, "*n"] = np.asarray(t * t * (3 - 2 * t), np.float32)
    return step


def rises(x: Float[np.ndarray, "*n"] | float, start: float, over: float) -> Float[np.ndarray, "*n"]:
    """0 up to ``start``, 1 from ``start + over`` on, smooth between."""
    return smoothstep((x - start) / over)


def falls(x: Float[np.ndarray, "*n"] | float, end: float, over: float) -> Float[np.ndarray, "*n"]:
    """1 up to ``end - over``, 0 from ``end`` on, smooth between."""
    return smoothstep((end - x) / over)
