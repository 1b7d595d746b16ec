"""Fit a morphable head to points of many faces at once.

Weak perspective: ``points_image = scale * R @ vertex + shift``. Per face, pose (rotation, scale,
shift, a depth offset per kind of evidence), identity and expression minimise

    sum_k rho(w_k |r_k|) + |identity|^2 + |expression / sigma|^2

by damped Gauss-Newton, all faces of a batch in step, with rho made robust by re-weighting
(Geman-McClure). Residuals are in centimetres on the head, so photos of any size weigh alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial.transform import Rotation

from mien.faces3d.morphable import MorphableHead
from mien.faces3d.surface import SurfacePoints

__all__ = ["Evidence", "HeadFits", "fit_heads"]

_EXPRESSION_SIGMA = 0.35
_ROBUST_CM = 0.6


@dataclass(frozen=True)
class Evidence:
    """One kind of points known about a batch of faces, and where they sit on the head."""

    surface: SurfacePoints
    points_image: Float[np.ndarray, "faces points 3"]
    """x, y in px; z in px away from the camera, up to an offset per face."""
    sigma_cm: Float[np.ndarray, "faces points"]
    """Expected error of x and y on the head; infinite where the point is not known."""
    depth_sigma_cm: Float[np.ndarray, "faces points"]
    """Expected error of z; infinite where no depth is known."""


@dataclass(frozen=True)
class HeadFits:
    """The heads of a batch of faces."""

    rotation: Float[np.ndarray, "faces 3 3"]
    """Head to image frame."""
    scale: Float[np.ndarray, " faces"]
    """px per cm."""
    shift: Float[np.ndarray, "faces 2"]
    """Image place of the head's origin, px."""
    identity: Float[np.ndarray, "faces identities"]
    expression: Float[np.ndarray, "faces expressions"]
    residual_cm: Float[np.ndarray, " faces"]
    """Weighted root mean square distance of the evidence from the fitted head."""


def fit_heads(
    head: MorphableHead,
    evidence: list[Evidence],
    iterations: int = 14,
) -> HeadFits:
    """Fit all faces of one batch (a few hundred fit comfortably in memory)."""
    solver = _Solver(head, evidence)
    for step in range(iterations):
        solver.step(robust=step >= 4, shape=step >= 2)
    return solver.fits()


class _Solver:
    def __init__(self, head: MorphableHead, evidence: list[Evidence]) -> None:
        self.identities, self.expressions = len(head.identity), len(head.expression)
        kinds = [np.full(len(item.surface.corners), k) for k, item in enumerate(evidence)]
        self.kind: Int[np.ndarray, " points"] = np.concatenate(kinds)
        self.kinds = len(evidence)
        self.mean = np.concatenate([item.surface.of(head.mean) for item in evidence])
        modes = np.concatenate([head.identity, head.expression])
        basis = np.concatenate([item.surface.of(modes) for item in evidence], axis=1)
        self.basis: Float[np.ndarray, "points 3 modes"] = basis.transpose(1, 2, 0)
        self.target = np.concatenate([item.points_image for item in evidence], axis=1).astype(
            np.float32
        )
        planar = 1 / np.concatenate([item.sigma_cm for item in evidence], axis=1)
        depth = 1 / np.concatenate([item.depth_sigma_cm for item in evidence], axis=1)
        self.weight = np.stack([planar, planar, depth], axis=-1).astype(np.float32)
        self.target[~np.isfinite(self.target)] = 0
        self.coefficients = np.zeros((len(self.target), basis.shape[0]), np.float32)
        self.prior = np.concatenate(
            [np.ones(self.identities), np.full(self.expressions, 1 / _EXPRESSION_SIGMA)]
        ).astype(np.float32)
        self.residual_cm = np.zeros(len(self.target), np.float32)
        self._start()

    def _start(self) -> None:
        """Scaled orthographic pose by Umeyama's closed form, depth offsets by kind removed."""
        faces = len(self.target)
        self.rotation = np.tile(np.eye(3, dtype=np.float32), (faces, 1, 1))
        self.scale = np.ones(faces, np.float32)
        self.shift = np.zeros((faces, 2 + self.kinds), np.float32)
        for face in range(faces):
            kind = self._deepest_kind(face)
            rows = (self.kind == kind) & (self.weight[face, :, 2] > 0)
            source, goal = self.mean[rows], self.target[face, rows]
            source_mid, goal_mid = source.mean(0), goal.mean(0)
            source, goal = source - source_mid, goal - goal_mid
            u, singular, vt = np.linalg.svd(goal.T @ source)
            sign = np.array([1, 1, np.linalg.det(u @ vt)])
            rotation = (u * sign) @ vt
            scale = float((singular * sign).sum() / (source**2).sum())
            self.rotation[face], self.scale[face] = rotation, scale
            self.shift[face, :2] = (goal_mid - scale * rotation @ source_mid)[:2]

    def _deepest_kind(self, face: int) -> int:
        known = [
            ((self.kind == k) & (self.weight[face, :, 2] > 0)).sum() for k in range(self.kinds)
        ]
        return int(np.argmax(known))

    def step(self, robust: bool, shape: bool) -> None:
        """One Gauss-Newton step of every face; ``shape`` frees identity and expression."""
        model = self.mean + (
            self.coefficients @ self.basis.reshape(-1, self.basis.shape[2]).T
        ).reshape(len(self.target), -1, 3)
        turned = model @ self.rotation.transpose(0, 2, 1)
        scale = self.scale[:, None, None]
        offset = np.zeros_like(turned)
        offset[..., :2] = self.shift[:, None, :2]
        offset[..., 2] = self.shift[:, 2:][:, self.kind]
        residual = (self.target - offset) / scale - turned
        weight = self.weight
        squared = (residual**2).sum(-1) if not robust else (residual[..., :2] ** 2).sum(-1)
        if robust:
            weight = weight * (1 / (1 + squared / _ROBUST_CM**2))[..., None]
        self.residual_cm = np.sqrt(
            (weight[..., :2] ** 2 * residual[..., :2] ** 2).sum((1, 2))
            / np.maximum((weight[..., :2] ** 2).sum((1, 2)) / 2, 1e-9)
        )
        jacobian = self._jacobian(turned, residual, shape)
        jacobian *= weight[..., None]
        rows = jacobian.reshape(len(jacobian), -1, jacobian.shape[-1])
        right = (weight * residual).reshape(len(jacobian), -1, 1)
        transposed = rows.transpose(0, 2, 1)
        normal, gradient = transposed @ rows, transposed @ right
        pose = 4 + 2 + self.kinds
        diagonal = np.arange(normal.shape[1])
        normal[:, diagonal[:pose], diagonal[:pose]] += 1e-3
        if shape:
            prior = self.prior**2
            normal[:, diagonal[pose:], diagonal[pose:]] += prior
            gradient[:, pose:, 0] -= prior * self.coefficients
        self._apply(np.linalg.solve(normal, gradient)[..., 0], shape)

    def _jacobian(
        self,
        turned: Float[np.ndarray, "faces points 3"],
        residual: Float[np.ndarray, "faces points 3"],
        shape: bool,
    ) -> Float[np.ndarray, "faces points 3 unknowns"]:
        faces, points, _ = turned.shape
        pose = 4 + 2 + self.kinds
        modes = self.basis.shape[2] if shape else 0
        jacobian = np.zeros((faces, points, 3, pose + modes), np.float32)
        x, y, z = turned[..., 0], turned[..., 1], turned[..., 2]
        # Columns 0-2: a small rotation w moves the point by w x p.
        jacobian[..., 1, 0], jacobian[..., 2, 0] = -z, y
        jacobian[..., 0, 1], jacobian[..., 2, 1] = z, -x
        jacobian[..., 0, 2], jacobian[..., 1, 2] = -y, x
        jacobian[..., 3] = turned + residual  # relative growth of the scale
        jacobian[..., 0, 4] = 1
        jacobian[..., 1, 5] = 1
        jacobian[:, np.arange(points), 2, 6 + self.kind] = 1
        if shape:
            flat = self.basis.transpose(1, 0, 2).reshape(3, -1)
            moved = (self.rotation @ flat).reshape(faces, 3, points, modes)
            jacobian[..., pose:] = moved.transpose(0, 2, 1, 3)
        return jacobian

    def _apply(self, change: Float[np.ndarray, "faces unknowns"], shape: bool) -> None:
        turn = Rotation.from_rotvec(np.clip(change[:, :3], -0.5, 0.5)).as_matrix()
        self.rotation = (turn @ self.rotation).astype(np.float32)
        grown = np.clip(change[:, 3], -0.4, 0.4)
        # Shift steps were measured in cm at the old scale.
        self.shift += change[:, 4 : 6 + self.kinds] * self.scale[:, None]
        self.scale = self.scale * np.exp(grown)
        if shape:
            self.coefficients += change[:, 6 + self.kinds :]
            blend = self.coefficients[:, self.identities :]
            np.clip(blend, -0.1, 1.2, out=blend)

    def fits(self) -> HeadFits:
        return HeadFits(
            rotation=self.rotation,
            scale=self.scale,
            shift=self.shift[:, :2],
            identity=self.coefficients[:, : self.identities],
            expression=self.coefficients[:, self.identities :],
            residual_cm=self.residual_cm,
        )
