"""Turn the head of a photo: the fitted mesh carries the photo's skin to a new pose.

The mesh of head, ears and neck is drawn twice: as it stands in the photo (what does the photo
show of it?) and turned (what must be shown?). `painting` then finds a source in the photo for
every pixel of the new picture. Landmarks undergo the very same motion as the mesh.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, UInt8
from scipy.spatial.transform import Rotation

from mien.geometry.jaw import with_dense_jaw, with_dense_jaw_flags
from mien.geometry.pose import yaw_deg
from mien.synthesis.fit.anchors import Anchors
from mien.synthesis.fit.residual_warp import FittedPhoto
from mien.synthesis.head.morphable import MorphableHead
from mien.synthesis.head.raster import Raster, rasterise
from mien.synthesis.head.regions import HeadRegions, vertex_normals
from mien.synthesis.head.surface import SurfacePoints
from mien.synthesis.render.accessories import build_worn
from mien.synthesis.render.compositing import dress, light_on
from mien.synthesis.render.face_mask import FaceMask
from mien.synthesis.render.glasses import Glasses
from mien.synthesis.render.painting import HeadPainter, Scene

__all__ = ["HeadTurner", "Turn", "TurnedPhoto", "Window"]

_PIVOT_CM = np.array([0, 2, 0], np.float32)
"""Where a head turns: between the ears, a little below."""
_INSIDE_CM = np.array([0, -2, 0])
"""A place inside the head from which its whole outline is seen: above the pivot."""
_MAX_SIDE, _MIN_SIDE = 320, 64
"""Of the new picture, px."""
_MARGIN = 2.0
"""Sides of the points' box to a side of the picture: hair, ears and neck are in it."""
_FACE_REAR = 0.1
"""Vertices that belong less than so much to the rear of the head show the light on the face."""
_AWAY = 0.1
"""A surface whose normal's z is above this looks away from the camera."""
_LID_ROLL, _LIP_ROLL = 0.3, 0.6
"""What is taken off the normals' z of lids and lips: their rims roll inwards and are seen still."""
_DEPTH_TOLERANCE_CM = 0.7
"""A point up to so far behind the drawn surface counts as on it."""
_LID_LINE = (0.3, 0.7)
"""Shares of the upper and the lower lid in the line where both meet: it is the upper that moves."""
_LIDS_MEET = 0.9
"""Share of the way to that line that the points of shut lids go."""
# Points of the upper lids, and of the lower lids below them.
_UPPER_LIDS, _LOWER_LIDS = (37, 38, 43, 44), (41, 40, 47, 46)


@dataclass(frozen=True)
class Turn:
    """What to do to a head."""

    rotation: Float[np.ndarray, "3 3"]
    """Head to image, as it shall be."""
    hair_cm: float = 0.5
    """How far the hair stands off the bald head of the model."""
    expression_change: Float[np.ndarray, " expressions"] | None = None
    eyes_shut: float = 0.0
    """How far the change shuts both eyes: the lid points meet at 1."""
    light: Float[np.ndarray, " 3"] = field(default_factory=lambda: np.zeros(3, np.float32))
    """Towards an added lamp, in the image frame; its length is its strength, 0 to 1."""
    teeth_cm: tuple[float, float] | None = (0.7, 0.2)
    """How much of the upper and lower teeth an opened mouth shows; ``None`` for a mouth whose
    inside stays the photo's."""
    worn: Glasses | FaceMask | None = None
    """What the head is to wear."""


@dataclass(frozen=True)
class TurnedPhoto:
    """A new picture and its exact label."""

    image: UInt8[np.ndarray, "side side 3"]
    """In the photo's colour order."""
    points_image: Float[np.ndarray, "68 3"]
    """x, y in px of the new picture; z in the same px, 0 at the points' mean."""
    hidden: Bool[np.ndarray, " 68"]
    """Points that the head itself hides."""
    points84_image: Float[np.ndarray, "84 3"]
    hidden84: Bool[np.ndarray, " 84"]
    """The same for the 84-point markup."""
    covered: Bool[np.ndarray, " 68"]
    covered84: Bool[np.ndarray, " 84"]
    """Points over whose place something worn is painted that hides more than half of it."""
    mask: Bool[np.ndarray, "side side"]
    """Pixels that show the head, its hair or its neck."""
    yaw_deg: float
    window: Window


@dataclass(frozen=True)
class Window:
    """The square of the photo's plane that becomes the new picture."""

    origin: Float[np.ndarray, " 2"]
    zoom: float
    side: int

    @classmethod
    def around(cls, points: Float[np.ndarray, "68 3"]) -> Window:
        """Twice the points' box, at most 320 px, never enlarged."""
        low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
        extent = float((high - low).max()) * _MARGIN
        side = int(min(_MAX_SIDE, max(_MIN_SIDE, round(extent))))
        zoom = side / extent
        # Pixel centres at integers: the window spans [-0.5, side - 0.5] of its own pixels.
        origin = (low + high) / 2 - extent / 2 + 0.5 / zoom
        return cls(origin.astype(np.float32), zoom, side)

    def to_picture(self, points: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, "points 3"]:
        """From the photo's px to the picture's, depth included."""
        out = points * self.zoom
        out[:, :2] -= self.origin * self.zoom
        return out.astype(np.float32)

    def to_photo(self, places: Float[np.ndarray, "*n 2"]) -> Float[np.ndarray, "*n 2"]:
        """From the picture's px to the photo's."""
        back: Float[np.ndarray, "*n 2"] = (places / self.zoom + self.origin).astype(np.float32)
        return back


class _Motion:
    """The rigid motion from the pose of the photo to the new one, about the pivot."""

    def __init__(self, photo: FittedPhoto, rotation: Float[np.ndarray, "3 3"]) -> None:
        self._photo, self._rotation = photo, rotation
        self.pivot = photo.rotation @ _PIVOT_CM
        self.change: Float[np.ndarray, "3 3"] = (rotation @ photo.rotation.T).astype(np.float32)

    def to_new_pose(
        self, points_cm: Float[np.ndarray, "points 3"]
    ) -> Float[np.ndarray, "points 3"]:
        """Points of the head as the new pose shows them, in px of the photo's plane."""
        return self._photo.project((points_cm - _PIVOT_CM) @ self._rotation.T + self.pivot)


class HeadTurner:
    """Turns photos by one head model; holds what is the same for all of them."""

    def __init__(self, head: MorphableHead, anchors: Anchors) -> None:
        self._head = head
        self._regions = HeadRegions.of(head)
        self._painter = HeadPainter(head, self._regions)
        self._is_face = (np.arange(len(head.mean)) < head.face_vertices) & (
            self._regions.rear < _FACE_REAR
        )
        jaw, inner = anchors.points68.take(np.arange(17)), anchors.manual51
        self._label = SurfacePoints(
            np.concatenate([jaw.corners, inner.corners]),
            np.concatenate([jaw.weights, inner.weights]),
        )

    def turn(self, photo: FittedPhoto, turn: Turn, window: Window | None = None) -> TurnedPhoto:
        """A picture of the head in its new pose and with its new expression.

        ``window`` is the part of the photo's plane to show; the head's surroundings by default.
        """
        moved, label = self._with_new_expression(photo, turn)
        motion = _Motion(photo, turn.rotation)
        placed = motion.to_new_pose(label)
        window = window or Window.around(placed)
        scene = self._scene(photo, turn, window, motion, moved)
        image, cover = self._painter.paint(scene), np.zeros((window.side, window.side), np.float32)
        if turn.worn is not None:
            bald = photo.vertices_cm if moved is None else photo.vertices_cm + moved
            mesh = build_worn(turn.worn, self._head, bald)
            mesh_places = window.to_picture(motion.to_new_pose(mesh.vertices_cm))
            triangles = self._regions.triangles
            light = light_on(image, scene.after, scene.turned, triangles, self._is_face)
            dressed = dress(image, scene.after, mesh, mesh_places, light, scene.px_per_cm)
            image, cover = dressed.image, dressed.cover
        return self._labelled(scene, image, cover, window.to_picture(placed), window)

    def _with_new_expression(
        self, photo: FittedPhoto, turn: Turn
    ) -> tuple[Float[np.ndarray, "vertices 3"] | None, Float[np.ndarray, "68 3"]]:
        """How far each vertex moves, if the expression changes, and the label's points, in cm."""
        if turn.expression_change is None:
            return None, photo.points_cm
        moved = np.tensordot(turn.expression_change, self._head.expression, 1)
        label = photo.points_cm + self._label.of(moved)
        return moved, _met_lids(label, turn.eyes_shut) if turn.eyes_shut else label

    def _scene(
        self,
        photo: FittedPhoto,
        turn: Turn,
        window: Window,
        motion: _Motion,
        moved: Float[np.ndarray, "vertices 3"] | None,
    ) -> Scene:
        """The mesh of head and hair where it stood and where it shall stand."""
        triangles, side = self._regions.triangles, window.side
        old = photo.vertices_cm + self._regions.hair_out(photo.vertices_cm, turn.hair_cm)
        new = old if moved is None else old + moved
        centred = (new - _PIVOT_CM) @ photo.rotation.T
        source = window.to_picture(photo.project(old @ photo.rotation.T))
        followed = self._follow(centred, motion.change) + motion.pivot
        turned = window.to_picture(photo.project(followed))
        middle = photo.project((photo.rotation @ _INSIDE_CM)[None])
        return Scene(
            photo=photo,
            to_photo=window.to_photo,
            centre=window.to_picture(middle)[0, :2],
            source=source,
            normals=vertex_normals(source, triangles),
            turned=turned,
            before=rasterise(source, triangles, side, side),
            after=rasterise(turned, triangles, side, side),
            change=motion.change,
            yaw_deg=float(yaw_deg(turn.rotation)),
            light=turn.light,
            teeth_cm=turn.teeth_cm if turn.expression_change is not None else None,
            px_per_cm=photo.scale * window.zoom,
        )

    def _labelled(
        self,
        scene: Scene,
        image: UInt8[np.ndarray, "side side 3"],
        cover: Float[np.ndarray, "side side"],
        points: Float[np.ndarray, "68 3"],
        window: Window,
    ) -> TurnedPhoto:
        """The picture with its label; ``points`` in px of the picture, depth not yet centred."""
        tolerance = _DEPTH_TOLERANCE_CM * scene.photo.scale * window.zoom
        normals = self._label.of(scene.normals) @ scene.change.T
        spots, away = self._label.of(scene.turned), _turned_away(normals)
        points84 = with_dense_jaw(points)
        # Half way between two jaw points the surface lies less than the tolerance off the line.
        away84 = with_dense_jaw_flags(away)
        away84[:33] = with_dense_jaw(normals)[:33, 2] > _AWAY
        points[:, 2] -= points[:, 2].mean()
        points84[:, 2] -= points84[:, 2].mean()
        return TurnedPhoto(
            image=image,
            points_image=points,
            hidden=away | _behind(spots, scene.after, tolerance),
            points84_image=points84,
            hidden84=away84 | _behind(with_dense_jaw(spots), scene.after, tolerance),
            covered=_covered(points, cover),
            covered84=_covered(points84, cover),
            mask=scene.after.mask,
            yaw_deg=scene.yaw_deg,
            window=window,
        )

    def _follow(
        self, centred: Float[np.ndarray, "vertices 3"], change: Float[np.ndarray, "3 3"]
    ) -> Float[np.ndarray, "vertices 3"]:
        """Rotate about the origin; the neck follows only in part."""
        axis = Rotation.from_matrix(change).as_rotvec()
        out = centred @ change.T
        neck = np.flatnonzero(self._regions.neck_follow < 1)
        part = Rotation.from_rotvec(self._regions.neck_follow[neck, None] * axis)
        out[neck] = part.apply(centred[neck])
        return np.asarray(out, np.float32)


def _met_lids(points: Float[np.ndarray, "68 3"], part: float) -> Float[np.ndarray, "68 3"]:
    """Lid points of shut eyes on their common line, which lies near the lower lid."""
    met = points.copy()
    upper, lower = points[list(_UPPER_LIDS)], points[list(_LOWER_LIDS)]
    line = _LID_LINE[0] * upper + _LID_LINE[1] * lower
    met[list(_UPPER_LIDS)] = upper + _LIDS_MEET * part * (line - upper)
    met[list(_LOWER_LIDS)] = lower + _LIDS_MEET * part * (line - lower)
    return met


def _turned_away(normals: Float[np.ndarray, "68 3"]) -> Bool[np.ndarray, " 68"]:
    """By the surface's normals before any edit: lids that meet fold their rims inwards."""
    away = normals[:, 2].copy()
    # Rims of lids and lips roll inwards: an eye counts as a whole, lips only by their depth.
    for eye in (slice(36, 42), slice(42, 48)):
        away[eye] = away[eye].mean() - _LID_ROLL
    away[48:] -= _LIP_ROLL
    return np.asarray(away > _AWAY, bool)


def _behind(
    spots: Float[np.ndarray, "points 3"], raster: Raster, tolerance: float
) -> Bool[np.ndarray, " points"]:
    x = np.clip(np.round(spots[:, 0]).astype(int), 0, raster.width - 1)
    y = np.clip(np.round(spots[:, 1]).astype(int), 0, raster.height - 1)
    return np.asarray(spots[:, 2] > raster.depth[y, x] + tolerance, bool)


def _covered(
    points: Float[np.ndarray, "points 3"], cover: Float[np.ndarray, "side side"]
) -> Bool[np.ndarray, " points"]:
    x, y = np.clip(np.round(points[:, :2]).astype(int), 0, len(cover) - 1).T
    return np.asarray(cover[y, x] > 0.5, bool)
