"""Head pose from landmarks: the mean head, turned and seen by a scaled orthographic camera.

The angles are drawn in ``docs/conventions.md``. A rotation is read as
``R = roll(about z) @ pitch(about x) @ yaw(about y)``: the head first turns on its neck, then nods,
then the picture tilts. Roll is therefore what the picture shows of the head's up axis, and it
stays defined in full profile, where the order of 300W-LP (pitch, yaw, roll) has its gimbal lock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from mien.geometry.similarity import scale_and_rotation
from mien.types import HeadPose

__all__ = ["PosedHead", "angles_from_rotation", "pose_head", "rotation_from_angles"]

_MOST_STEPS = 20
_STILL = 1e-4
"""A step that turns (radians) and grows by less is the last. Each is some thirty times smaller
than the one before: three or four are usual."""
_FLAT = 1e-9
"""Shares below which a quantity counts as nothing."""


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

    Both are least-squares fits: in three dimensions a similarity in space, in closed form; in two
    the pose with the least reprojection error, in a few steps from the nearest affine camera.

    Raises:
        ValueError: fewer than four points, points that coincide, or that are not finite.
    """
    if len(points_image) != len(mean_shape) or len(points_image) < 4:
        raise ValueError(
            f"a pose needs the mean shape's {len(mean_shape)} points, not {len(points_image)}"
        )
    plane = points_image[:, :2]
    mean = _mean_head(np.ascontiguousarray(mean_shape, np.float64).tobytes())
    covariance = points_image.T @ mean.centred
    total = float(covariance.sum())  # a point that is not finite leaves no finite sum
    if not math.isfinite(total) or bool((plane == plane[0]).all()):
        raise ValueError("the landmarks all coincide or are not finite: no pose is defined")
    if points_image.shape[1] == 3:
        scale, rotation = scale_and_rotation(covariance, mean.variance)
    else:
        scale, rotation = _least_reprojection(covariance, mean)
    middle = plane.sum(axis=0) / len(plane)
    return PosedHead(scale, rotation, middle - scale * (rotation[:2] @ mean.middle))


@dataclass(frozen=True)
class _MeanHead:
    """What every fit of one mean head needs."""

    centred: Float[np.ndarray, "points 3"]
    middle: Float[np.ndarray, " 3"]
    moment: Float[np.ndarray, "3 3"]
    """``centred.T @ centred``."""
    inverse: Float[np.ndarray, "3 3"]
    """Of the moment; the pseudo-inverse where all points lie in a plane."""
    variance: float


@lru_cache(maxsize=32)
def _mean_head(points_bytes: bytes) -> _MeanHead:
    points = np.frombuffer(points_bytes, np.float64).reshape(-1, 3)
    middle = points.mean(axis=0)
    centred = points - middle
    moment = centred.T @ centred
    inverse = np.linalg.pinv(moment, hermitian=True)
    return _MeanHead(centred, middle, moment, inverse, float(moment.trace()))


def _least_reprojection(
    covariance: Float[np.ndarray, "2 3"], mean: _MeanHead
) -> tuple[float, Float[np.ndarray, "3 3"]]:
    """Scale and rotation of the least reprojection error, by Gauss-Newton steps.

    A step changes the logarithm of the scale (``grow``), turns the head in the picture (``spin``)
    and out of it (``tilt_x``, ``tilt_y``). Within each pair the normal equations are a multiple of
    the identity, so that they are solved by hand.
    """
    rotation, scale = _nearest_to_affine(covariance @ mean.inverse)
    for _ in range(_MOST_STEPS):
        (g11, _, g13), (_, g22, g23), (_, _, g33) = (rotation @ mean.moment @ rotation.T).tolist()
        (l11, l12, l13), (l21, l22, l23) = (covariance @ rotation.T / scale).tolist()
        left = g11 + g22 - (g13 * g13 + g23 * g23) / g33 if g33 > 0 else 0.0
        if left <= _FLAT * (g11 + g22):
            break  # seen edge on, a flat head has no one pose
        b, c = l13 - g13, l23 - g23
        grow = (l11 + l22 - g11 - g22 - (g13 * b + g23 * c) / g33) / left
        spin = (l12 - l21 - (g23 * b - g13 * c) / g33) / left
        tilt_x, tilt_y = (b - g13 * grow - g23 * spin) / g33, (c - g23 * grow + g13 * spin) / g33
        rotation = _small_turn(spin, tilt_x, tilt_y) @ rotation
        scale *= math.exp(min(max(grow, -1.0), 1.0))
        if max(abs(grow), abs(spin), abs(tilt_x), abs(tilt_y)) < _STILL:
            break
    return scale, rotation


def _small_turn(spin: float, tilt_x: float, tilt_y: float) -> Float[np.ndarray, "3 3"]:
    """The rotation (by a quaternion) whose first order is I + [[0, spin, tilt_x],
    [-spin, 0, tilt_y], [-tilt_x, -tilt_y, 0]]."""
    x, y, z = -tilt_y / 2, tilt_x / 2, -spin / 2
    xx, yy, zz = x * x, y * y, z * z
    norm = 1 + xx + yy + zz
    return (
        np.array(
            [
                [1 + xx - yy - zz, 2 * (x * y - z), 2 * (x * z + y)],
                [2 * (x * y + z), 1 - xx + yy - zz, 2 * (y * z - x)],
                [2 * (x * z - y), 2 * (y * z + x), 1 - xx - yy + zz],
            ]
        )
        / norm
    )


def _nearest_to_affine(
    affine: Float[np.ndarray, "2 3"],
) -> tuple[Float[np.ndarray, "3 3"], float]:
    """The nearest rotation and scale to an affine camera: its polar decomposition."""
    (a, b), (_, d) = (affine @ affine.T).tolist()
    product = math.sqrt(max(a * d - b * b, 0.0))
    total = math.sqrt(a + d + 2 * product)  # of the singular values
    if product <= _FLAT * total * total:
        left, singular, right = np.linalg.svd(affine, full_matrices=False)
        rows, scale = left @ right, float(singular.mean())
    else:
        upper, lower, off = (a + product) / total, (d + product) / total, b / total
        inverse = np.array([[total - upper, -off], [-off, total - lower]]) / product
        rows, scale = inverse @ affine, total / 2
    (x1, y1, z1), (x2, y2, z2) = rows.tolist()
    third = [y1 * z2 - z1 * y2, z1 * x2 - x1 * z2, x1 * y2 - y1 * x2]
    return np.array([[x1, y1, z1], [x2, y2, z2], third]), scale


def angles_from_rotation(rotation: Float[np.ndarray, "3 3"]) -> HeadPose:
    """Yaw, pitch and roll in degrees; pitch within +-90."""
    (r00, r01, r02), (r10, r11, r12), (_, r21, _) = rotation.tolist()
    roll = math.atan2(-r01, r11)
    cos, sin = math.cos(roll), math.sin(roll)
    # Level the picture first; then pitch is what the up axis shows, yaw what is left.
    pitch = math.atan2(r21, cos * r11 - sin * r01)
    yaw = math.atan2(-(cos * r02 + sin * r12), cos * r00 + sin * r10)
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
