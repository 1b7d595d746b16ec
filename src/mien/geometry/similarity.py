"""Similarity transforms of the plane, and the least-squares one between two point sets."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

__all__ = ["Similarity", "scale_and_rotation", "umeyama"]


@dataclass(frozen=True)
class Similarity:
    """``target = scale * rotation @ source + translation``, named ``target_from_source``.

    Products read like fractions: ``image_from_crop @ crop_from_model`` is ``image_from_model``.
    """

    scale: float
    angle_rad: float
    """Clockwise as a picture shows it (y points down)."""
    translation: tuple[float, float]

    def __post_init__(self) -> None:
        numbers = (self.scale, self.angle_rad, *self.translation)
        if not (self.scale > 0 and all(math.isfinite(number) for number in numbers)):
            raise ValueError(f"a similarity has a positive scale and finite numbers, not {numbers}")

    @property
    def matrix(self) -> Float[np.ndarray, "2 3"]:
        """The matrix that OpenCV's ``warpAffine`` takes."""
        cos, sin = self.scale * math.cos(self.angle_rad), self.scale * math.sin(self.angle_rad)
        x, y = self.translation
        return np.array([[cos, -sin, x], [sin, cos, y]])

    def apply(self, points: Float[np.ndarray, "*batch dims"]) -> Float[np.ndarray, "*batch dims"]:
        """Move points (..., 2), or (..., 3) whose depth takes the scale alone."""
        cos, sin = self.scale * math.cos(self.angle_rad), self.scale * math.sin(self.angle_rad)
        if points.shape[-1] == 2:
            return np.asarray(points @ np.array([[cos, sin], [-sin, cos]]) + self.translation)
        turn = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, self.scale]])
        return np.asarray(points @ turn + (*self.translation, 0))

    def inverse(self) -> Similarity:
        """``source_from_target``."""
        cos, sin = math.cos(self.angle_rad) / self.scale, math.sin(self.angle_rad) / self.scale
        x, y = self.translation
        return Similarity(1 / self.scale, -self.angle_rad, (-cos * x - sin * y, sin * x - cos * y))

    def __matmul__(self, other: Similarity) -> Similarity:
        x, y = self.apply(np.array(other.translation, dtype=np.float64))
        return Similarity(
            self.scale * other.scale, self.angle_rad + other.angle_rad, (float(x), float(y))
        )

    @classmethod
    def about(
        cls,
        centre: tuple[float, float],
        *,
        scale: float = 1.0,
        angle_rad: float = 0.0,
        shift: tuple[float, float] = (0.0, 0.0),
    ) -> Similarity:
        """Scale and turn about a centre, then shift."""
        turned = cls(scale, angle_rad, (0.0, 0.0)).apply(np.array(centre, dtype=np.float64))
        return cls(
            scale,
            angle_rad,
            (centre[0] - float(turned[0]) + shift[0], centre[1] - float(turned[1]) + shift[1]),
        )


def umeyama(
    source: Float[np.ndarray, "points dims"], target: Float[np.ndarray, "points dims"]
) -> tuple[float, Float[np.ndarray, "dims dims"], Float[np.ndarray, " dims"]]:
    """The similarity, in any dimension, that takes ``source`` to ``target`` with least squares.

    Returns:
        scale, rotation (determinant +1) and translation of ``target = s R source + t``.

    Raises:
        ValueError: the source points all coincide.

    Source: S. Umeyama, "Least-squares estimation of transformation parameters between two point
    patterns", PAMI 1991.
    """
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    source_centred, target_centred = source - source_mean, target - target_mean
    variance = float((source_centred**2).sum())
    if np.ptp(source, axis=0).max() <= 0:
        raise ValueError("the source points all coincide: no similarity is defined")
    scale, rotation = scale_and_rotation(target_centred.T @ source_centred, variance)
    return scale, rotation, target_mean - scale * rotation @ source_mean


def scale_and_rotation(
    covariance: Float[np.ndarray, "dims dims"], variance: float
) -> tuple[float, Float[np.ndarray, "dims dims"]]:
    """Of :func:`umeyama`, from sums over centred points: ``target.T @ source`` and
    ``(source ** 2).sum()``."""
    left, singular, right = np.linalg.svd(covariance)
    if np.linalg.det(left @ right) < 0:
        singular[-1], left[:, -1] = -singular[-1], -left[:, -1]
    return float(singular.sum()) / variance, left @ right
