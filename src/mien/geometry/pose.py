"""Head pose from landmarks: the mean head, turned and seen by a scaled orthographic camera.

The angles are drawn in ``docs/conventions.md``. A rotation is read as
``R = roll(about z) @ pitch(about x) @ yaw(about y)``: the head first turns on its neck, then nods,
then the picture tilts. Roll is therefore what the picture shows of the head's up axis, and it
stays defined in full profile, where the order of 300W-LP (pitch, yaw, roll) has its gimbal lock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from mien.geometry.similarity import umeyama
from mien.types import HeadPose

__all__ = ["PosedHead", "angles_from_rotation", "pose_head", "rotation_from_angles"]

_ROUNDS = 12
"""Rounds of depth and rotation: the residual changes by less than 1e-4 of the face after eight."""


@dataclass(frozen=True)
class PosedHead:
    """``image = scale * (rotation @ mean_shape)[:2] + translation``."""

    scale: float
    """Image pixels per unit of the mean shape."""
    rotation: Float[np.ndarray, "3 3"]
    translation: Float[np.ndarray, " 2"]

    @property
    def pose(self) -> HeadPose:
        return angles_from_rotation(self.rotation)

    def project(self, points_model: Float[np.ndarray, "points 3"]) -> Float[np.ndarray, "points 2"]:
        """Points of the mean shape's space in the image."""
        projected: Float[np.ndarray, "points 2"] = (
            self.scale * points_model @ self.rotation[:2].T + self.translation
        )
        return projected


def pose_head(
    points_image: Float[np.ndarray, "points dims"], mean_shape: Float[np.ndarray, "points 3"]
) -> PosedHead:
    """Pose from landmarks in two dimensions, or in three where depth is known.

    In two dimensions the depth of each point is taken from the last round's pose, and the
    similarity in space is solved again: each round can only lower the reprojection error.

    Raises:
        ValueError: fewer than four points, points that coincide, or that are not finite.
    """
    if len(points_image) != len(mean_shape) or len(points_image) < 4:
        raise ValueError(
            f"a pose needs the mean shape's {len(mean_shape)} points, not {len(points_image)}"
        )
    if not np.isfinite(points_image).all() or np.ptp(points_image[:, :2], axis=0).max() <= 0:
        raise ValueError("the landmarks all coincide or are not finite: no pose is defined")
    if points_image.shape[1] == 3:
        scale, rotation, translation = umeyama(mean_shape, points_image)
        return PosedHead(scale, rotation, translation[:2])
    rotation, scale = _affine_start(points_image, mean_shape)
    translation = np.zeros(3)
    for _ in range(_ROUNDS):
        depth = scale * mean_shape @ rotation[2]
        scale, rotation, translation = umeyama(
            mean_shape, np.column_stack([points_image, depth - depth.mean()])
        )
    return PosedHead(scale, rotation, translation[:2])


def _affine_start(
    points_image: Float[np.ndarray, "points 2"], mean_shape: Float[np.ndarray, "points 3"]
) -> tuple[Float[np.ndarray, "3 3"], float]:
    """The nearest rotation and scale to the least-squares affine camera."""
    centred = mean_shape - mean_shape.mean(axis=0)
    affine = np.linalg.lstsq(centred, points_image - points_image.mean(axis=0), rcond=None)[0].T
    left, singular, right = np.linalg.svd(affine, full_matrices=False)
    first, second = left @ right
    return np.stack([first, second, np.cross(first, second)]), float(singular.mean())


def angles_from_rotation(rotation: Float[np.ndarray, "3 3"]) -> HeadPose:
    """Yaw, pitch and roll in degrees; pitch within +-90."""
    up = -rotation[:, 1]
    roll = math.atan2(up[0], -up[1])
    level = _about_z(-roll) @ rotation
    up, forward = -level[:, 1], -level[:, 2]
    pitch = math.atan2(-up[2], -up[1])
    yaw = math.atan2(forward[0], level[0, 0])
    return HeadPose(math.degrees(yaw), math.degrees(pitch), math.degrees(roll))


def rotation_from_angles(pose: HeadPose) -> Float[np.ndarray, "3 3"]:
    """The inverse of :func:`angles_from_rotation`."""
    yaw, pitch = math.radians(pose.yaw_deg), math.radians(pose.pitch_deg)
    about_y = np.array(
        [[math.cos(yaw), 0, -math.sin(yaw)], [0, 1, 0], [math.sin(yaw), 0, math.cos(yaw)]]
    )
    about_x = np.array(
        [[1, 0, 0], [0, math.cos(pitch), -math.sin(pitch)], [0, math.sin(pitch), math.cos(pitch)]]
    )
    rotation: Float[np.ndarray, "3 3"] = _about_z(math.radians(pose.roll_deg)) @ about_x @ about_y
    return rotation


def _about_z(angle_rad: float) -> Float[np.ndarray, "3 3"]:
    cos, sin = math.cos(angle_rad), math.sin(angle_rad)
    return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])


def yaw_deg(rotation: Float[np.ndarray, "*faces 3 3"]) -> Float[np.ndarray, "*faces"]:
    """Yaw of head-to-image rotations, positive when the face turns to the image's right."""
    # Level the head's up axis first, undo the pitch, read the yaw.
    roll = np.arctan2(-rotation[..., 0, 1], rotation[..., 1, 1])
    cos, sin = np.cos(roll), np.sin(roll)
    forward_x = -(cos * rotation[..., 0, 2] + sin * rotation[..., 1, 2])
    right_x = cos * rotation[..., 0, 0] + sin * rotation[..., 1, 0]
    return np.asarray(np.degrees(np.arctan2(forward_x, right_x)))
