"""A head in centimetres in the camera's frame, and its rotation in the axes that others use.

A picture alone does not say how large a head is: the mean head's size is taken for everybody's, so
that a distance errs by as much as a head differs from it (a child's head looks further away than it
is; how much adults differ was not measured). And the camera's field of view must be known.
``docs/expression.md`` names every axis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Float

from mien.errors import ConfigError
from mien.geometry.convention import Convention, mean_head_cm
from mien.geometry.rotations import angles_of, matrix_of_vector, quaternion_of
from mien.geometry.similarity import umeyama
from mien.markup import load_markup

__all__ = ["USUAL_FOV_DEG", "Axes", "Camera", "MetricHead", "place_head"]

USUAL_FOV_DEG = 63.0
"""Diagonal field of view that is assumed of a camera of which nothing is known."""
_ROUNDS = 6
"""Rounds of perspective: the position changes by less than 0.1 % after four."""


@dataclass(frozen=True)
class Camera:
    """A pinhole in the middle of the picture, with square pixels and no distortion."""

    focal_px: float
    centre: tuple[float, float]
    """Where the optical axis meets the picture, px."""

    @classmethod
    def of_picture(
        cls,
        width: int,
        height: int,
        *,
        focal_px: float | None = None,
        fov_deg: float = USUAL_FOV_DEG,
    ) -> Camera:
        """A camera by its focal length in px or else its diagonal field of view in degrees.

        Raises:
            ConfigError: a focal length that is not positive, a field of view out of 1 to 170.
        """
        if focal_px is None:
            if not 1 <= fov_deg <= 170:
                raise ConfigError(f"a field of view is 1 to 170 degrees, not {fov_deg:g}")
            focal_px = math.hypot(width, height) / 2 / math.tan(math.radians(fov_deg) / 2)
        if not (focal_px > 0 and math.isfinite(focal_px)):
            raise ConfigError(f"a focal length is a positive number of px, not {focal_px:g}")
        return cls(focal_px, ((width - 1) / 2, (height - 1) / 2))

    def diagonal_deg(self, width: int, height: int) -> float:
        """Field of view from corner to corner of a picture of that size."""
        return math.degrees(2 * math.atan(math.hypot(width, height) / 2 / self.focal_px))

    def project(self, points_cm: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, "points 2"]:
        """Where points in the camera's frame (x right, y down, z away) land in the picture."""
        places: Float[np.ndarray, "points 2"] = (
            self.focal_px * points_cm[:, :2] / points_cm[:, 2:] + self.centre
        )
        return places


class Axes(StrEnum):
    """Whose axes a head is told in; in each of them a head that looks at the camera is unturned."""

    OPENCV = "opencv"
    """x to the picture's right, y down, z away from the camera; cm. Angles of Rx Ry Rz."""
    ARKIT = "arkit"
    """x to the picture's right, y up, z towards the camera; metres. Angles of Rx Ry Rz."""
    AVIATION = "aviation"
    """x out of the nose, y to the person's right, z down; cm. Roll, pitch and yaw, in the order
    x, y, z, of Rz Ry Rx: positive turns to the own right, lifts the nose, lowers the right ear."""


_FROM_OURS = {
    Axes.OPENCV: np.eye(3),
    Axes.ARKIT: np.diag([1.0, -1.0, -1.0]),
    Axes.AVIATION: np.array([[0, 0, -1.0], [-1, 0, 0], [0, 1, 0]]),
}
_ORDER = {Axes.OPENCV: "XYZ", Axes.ARKIT: "XYZ", Axes.AVIATION: "ZYX"}
_UNIT = {Axes.OPENCV: 1.0, Axes.ARKIT: 0.01, Axes.AVIATION: 1.0}


@dataclass(frozen=True)
class MetricHead:
    """``camera_cm = rotation @ head_cm + position_cm``, in OpenCV's axes."""

    rotation: Float[np.ndarray, "3 3"]
    position_cm: Float[np.ndarray, " 3"]
    """Of the mean of the 68 points: inside the head, behind the nose."""

    @classmethod
    def from_matrix(cls, matrix: Float[np.ndarray, "4 4"]) -> MetricHead:
        """Of ``Face.head_matrix``, which is in OpenCV's axes."""
        return cls(matrix[:3, :3], matrix[:3, 3])

    @property
    def distance_cm(self) -> float:
        """From the lens."""
        return float(np.linalg.norm(self.position_cm))

    def matrix(self, axes: Axes = Axes.OPENCV) -> Float[np.ndarray, "4 4"]:
        """Head to camera, both in those axes, as one matrix for columns of points."""
        change = _FROM_OURS[axes]
        matrix = np.eye(4)
        matrix[:3, :3] = change @ self.rotation @ change.T
        matrix[:3, 3] = _UNIT[axes] * change @ self.position_cm
        return matrix

    def quaternion(self, axes: Axes = Axes.OPENCV) -> Float[np.ndarray, " 4"]:
        """x, y, z, w of the rotation, w not negative."""
        return quaternion_of(self.matrix(axes)[:3, :3])

    def angles_deg(self, axes: Axes = Axes.OPENCV) -> Float[np.ndarray, " 3"]:
        """About x, y and z of those axes, in the order of rotations that their users read."""
        angles: Float[np.ndarray, " 3"] = np.degrees(
            angles_of(self.matrix(axes)[:3, :3], _ORDER[axes])
        )
        return angles if _ORDER[axes] == "XYZ" else angles[::-1].copy()


def place_head(
    points_image: Float[np.ndarray, "points 3"],
    camera: Camera,
    moved_cm: Float[np.ndarray, "68 3"] | None = None,
) -> MetricHead:
    """Where a face's 68 or 84 points put its head.

    ``moved_cm`` is what the face's expression adds to the mean head, where it is known: without it
    an open mouth is a longer face, so a nearer one.

    The camera is turned, in thought, to look at the face: there the points' depth holds as it is
    said, and a face at the picture's edge is no wider than in its middle. What perspective does to
    near parts of the head is taken back in rounds (the idea of POSIT: DeMenthon, Davis, IJCV 1995).

    Raises:
        ValueError: points that coincide or are not finite.
    """
    if len(points_image) != 68:
        points_image = points_image[list(load_markup(len(points_image)).ibug68)]
    if not np.isfinite(points_image).all():
        raise ValueError("the landmarks are not finite: no head can be placed")
    points = points_image.astype(np.float64)
    if np.ptp(points, axis=0).max() < 1e-6:
        raise ValueError("the landmarks coincide: no head can be placed")
    model_cm = mean_head_cm(Convention.MIDDLE)
    model_cm = model_cm - model_cm.mean(axis=0)
    if moved_cm is not None:
        model_cm = model_cm + moved_cm
    facing = _facing(points[:, :2].mean(axis=0), camera)
    rays = np.column_stack([points[:, :2] - camera.centre, np.full(68, camera.focal_px)]) @ facing
    plane = camera.focal_px * rays[:, :2] / rays[:, 2:]
    # Depth is in px of the picture; turned, the face is smaller by the ray's slant.
    depth = points[:, 2] * facing[2, 2]
    nearer = np.ones(68)
    for _ in range(_ROUNDS):
        scaled = np.column_stack([plane * nearer[:, None], depth])
        scale, rotation, shift = umeyama(model_cm, scaled)
        away_cm = camera.focal_px / scale
        nearer = 1 + (model_cm @ rotation[2]) / away_cm
    position = away_cm * np.array([shift[0] / camera.focal_px, shift[1] / camera.focal_px, 1.0])
    return MetricHead(facing @ rotation, facing @ position)


def _facing(place: Float[np.ndarray, " 2"], camera: Camera) -> Float[np.ndarray, "3 3"]:
    """The smallest turn that takes the optical axis to the ray through a place of the picture."""
    ray = np.array([place[0] - camera.centre[0], place[1] - camera.centre[1], camera.focal_px])
    ray /= np.linalg.norm(ray)
    axis = np.cross([0.0, 0.0, 1.0], ray)
    sine = float(np.linalg.norm(axis))
    if sine < 1e-12:
        return np.eye(3)
    return matrix_of_vector(axis / sine * math.atan2(sine, ray[2]))
