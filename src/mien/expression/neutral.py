"""The face a person has at rest, learned while they are watched: identity is not expression.

What is watched is a face's points with pose taken out, in cm. A person's neutral deviates from the
mean head as people do (the head's identity modes, and a little at every point alone); a moment's
points deviate from the neutral by noise and, freely, along the expressions. Under Gaussians the
best neutral after ``n`` moments is the mean of what was seen, drawn back to the mean head the more
the less it is known along a direction: a wide mouth needs many moments to be taken for the person's
own, a long chin few. Directions that both laws share are found once, so an update costs two
products.
"""

from __future__ import annotations

import functools

import numpy as np
from jaxtyping import Float

from mien.expression.basis import load_basis, similarity_moves, without_pose
from mien.expression.settings import ExpressionSettings

__all__ = ["NeutralFace", "doubt_covariance", "noise_covariance"]


class NeutralFace:
    """One person's neutral: quickly at first, then as slowly as ``memory_secs`` says."""

    def __init__(self, settings: ExpressionSettings) -> None:
        self._settings = settings
        self._known_secs = 0.0
        self._seen_cm = load_basis().mean_cm.copy()
        self.points_cm: Float[np.ndarray, "68 3"] = load_basis().mean_cm

    @property
    def known_secs(self) -> float:
        """How long the face was seen well, at most ``memory_secs``."""
        return self._known_secs

    def learn(self, points_cm: Float[np.ndarray, "68 3"], weight_secs: float) -> None:
        """A moment's points, pose taken out; ``weight_secs`` is how long they stand for."""
        if weight_secs <= 0:
            return
        settings = self._settings
        self._known_secs = min(self._known_secs + weight_secs, settings.memory_secs)
        share = min(weight_secs / self._known_secs, 1.0)
        self._seen_cm += share * (points_cm - self._seen_cm)
        back, forth, ratio = _directions(settings)
        moments = self._known_secs / settings.moment_secs
        mean_cm = load_basis().mean_cm
        along = forth @ (self._seen_cm - mean_cm).ravel()
        kept = moments * ratio / (moments * ratio + 1)
        self.points_cm = mean_cm + (back @ (kept * along)).reshape(-1, 3)


@functools.lru_cache(maxsize=4)
def _directions(
    settings: ExpressionSettings,
) -> tuple[
    Float[np.ndarray, "coordinates coordinates"],
    Float[np.ndarray, "coordinates coordinates"],
    Float[np.ndarray, " coordinates"],
]:
    """Back and forth between points and the directions in which both laws are independent, and how
    much more people differ along each than moments of one person do."""
    basis = load_basis()
    size = basis.mean_cm.size
    identity = basis.identity_cm.reshape(-1, size)
    people = identity.T @ identity + settings.own_cm**2 * np.eye(size)
    still = without_pose(basis.mean_cm)
    people = still @ people @ still
    moved = basis.shown_cm.reshape(-1, size)
    moments = settings.expression_spread**2 * moved.T @ moved + noise_covariance(settings)
    # people @ d = ratio * moments @ d, with d.T @ moments @ d = 1: whitened by the moments' root.
    white = np.linalg.inv(np.linalg.cholesky(moments))
    ratio, turned = np.linalg.eigh(white @ people @ white.T)
    directions = white.T @ turned
    return moments @ directions, directions.T, np.maximum(ratio, 0)


def noise_covariance(
    settings: ExpressionSettings,
) -> Float[np.ndarray, "coordinates coordinates"]:
    """How the networks' points err on one person from frame to frame, and anywhere along pose."""
    basis = load_basis()
    factor = basis.noise_cm.reshape(len(basis.noise_cm), -1)
    moves, _ = np.linalg.qr(similarity_moves(basis.mean_cm).reshape(-1, 7))
    covariance: Float[np.ndarray, "coordinates coordinates"] = (
        factor.T @ factor
        + settings.noise_cm**2 * np.eye(factor.shape[1])
        + settings.pose_cm**2 * moves @ moves.T
    )
    return covariance


def doubt_covariance(
    settings: ExpressionSettings, known_secs: float
) -> Float[np.ndarray, "coordinates coordinates"]:
    """How far a person's neutral may still lie off what was learned of it in that time, of which
    ``settings.doubt`` is believed."""
    back, _, ratio = _directions(settings)
    moments = known_secs / settings.moment_secs
    left = settings.doubt * ratio / (moments * ratio + 1)
    covariance: Float[np.ndarray, "coordinates coordinates"] = (back * left) @ back.T
    return covariance
