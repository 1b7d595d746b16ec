"""Fit a morphable head to points of many faces at once.

Per face, pose (rotation, scale, shift, a depth offset per kind of evidence), identity and
expression minimise

    sum_k rho(w_k |r_k|) + |identity|^2 + |expression / sigma|^2

by damped Gauss-Newton, all faces of a batch in step, with rho made robust by re-weighting
(Geman-McClure). Residuals are in centimetres on the head, so photos of any size weigh alike.
The camera (`camera`) is far away, or its nearness (1 / distance) is one more unknown, with a
Gaussian about 0 as its prior: faces that say nothing of it stay near weak perspective. Clicked
outlines (`outline`) are matched anew to the head's in every step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial.transform import Rotation

from mien.synthesis.fit.outline import JAW, Outline, outermost
from mien.synthesis.head.camera import project, shrink, unproject
from mien.synthesis.head.morphable import MorphableHead
from mien.synthesis.head.surface import SurfacePoints

__all__ = ["Evidence", "HeadFits", "fit_heads"]

_EXPRESSION_SIGMA = 0.35
_ROBUST_CM = 0.6
_POSE_RIDGE = 1e-3
"""Keeps a step small in directions of the pose that the points say nothing about."""
_MOST_TURN, _MOST_GROWTH = 0.5, 0.4
"""Largest step of a rotation (radians), and of the logarithm of the scale: further out the
linear model is no longer true."""
_LEAST_BLEND, _MOST_BLEND = -0.1, 1.2
"""Of the weight of a blendshape: a little past the model's own range."""
_NEARNESS_SIGMA = 0.01
"""1/cm: a camera one metre away is one standard deviation from one far away."""
_LEAST_DISTANCE_CM = 20.0
_LEAST_NEARNESS = 1e-6
"""1/cm: ten kilometres, weak perspective without a division by zero."""
_NEAR_SIDE_ENDS = 0.5
"""Sine of the yaw from which on the outline's near side, an ear, a neck, counts for nothing."""


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
    distance_cm: Float[np.ndarray, " faces"]
    """From the lens to the head's origin; infinite is weak perspective."""

    def place(
        self, points_cm: Float[np.ndarray, "faces points 3"]
    ) -> Float[np.ndarray, "faces points 3"]:
        """From cm on the heads to px; z in px away from the camera, 0 at the head's origin."""
        turned = points_cm @ self.rotation.transpose(0, 2, 1)
        return project(turned, self.scale, self.shift, self.distance_cm)

    def lift(
        self, points_image: Float[np.ndarray, "faces points 3"]
    ) -> Float[np.ndarray, "faces points 3"]:
        """Back from px to cm on the heads."""
        turned = unproject(points_image, self.scale, self.shift, self.distance_cm)
        points_cm: Float[np.ndarray, "faces points 3"] = turned @ self.rotation
        return points_cm


def fit_heads(
    head: MorphableHead,
    evidence: list[Evidence],
    outline: Outline | None = None,
    perspective: bool = False,
    iterations: int = 14,
) -> HeadFits:
    """Fit all faces of one batch (a few hundred fit comfortably in memory)."""
    solver = _Solver(head, evidence, outline, perspective)
    for step in range(iterations):
        solver.step(robust=step >= 4, shape=step >= 2)
    return solver.fits()


class _Solver:
    def __init__(
        self,
        head: MorphableHead,
        evidence: list[Evidence],
        outline: Outline | None,
        perspective: bool,
    ) -> None:
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
        self.perspective = perspective
        self.distance = np.full(len(self.target), np.inf, np.float32)
        self.pose = 4 + 2 + self.kinds + perspective
        self.outline = outline
        if outline is not None:
            self.row_mean = outline.rows.of(head.mean)
            self.row_basis = np.ascontiguousarray(np.moveaxis(outline.rows.of(modes), 0, -1))
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
        turned = self._turned(self.mean, self.basis)
        seen = self._seen(turned)
        offset = np.zeros_like(turned)
        offset[..., :2] = self.shift[:, None, :2]
        offset[..., 2] = self.shift[:, 2:][:, self.kind]
        residual = (self.target - offset) / self.scale[:, None, None] - seen
        weight = self.weight
        squared = (residual**2).sum(-1) if not robust else (residual[..., :2] ** 2).sum(-1)
        if robust:
            weight = weight * (1 / (1 + squared / _ROBUST_CM**2))[..., None]
        self.residual_cm = np.sqrt(
            (weight[..., :2] ** 2 * residual[..., :2] ** 2).sum((1, 2))
            / np.maximum((weight[..., :2] ** 2).sum((1, 2)) / 2, 1e-9)
        )
        moved = self._moved_by_modes() if shape else None
        jacobian = self._jacobian(turned, seen + residual, moved)
        jacobian[:, np.arange(len(self.kind)), 2, 6 + self.kind] = 1
        jacobian *= weight[..., None]
        rows = jacobian.reshape(len(jacobian), -1, jacobian.shape[-1])
        right = (weight * residual).reshape(len(jacobian), -1, 1)
        transposed = rows.transpose(0, 2, 1)
        normal, gradient = transposed @ rows, transposed @ right
        if self.outline is not None and robust:
            rows, right = self._outline_rows(self.outline)
            transposed = rows.transpose(0, 2, 1)
            normal += transposed @ rows
            gradient += transposed @ right
        pose = self.pose
        diagonal = np.arange(normal.shape[1])
        normal[:, diagonal[:pose], diagonal[:pose]] += _POSE_RIDGE
        if self.perspective:
            normal[:, pose - 1, pose - 1] += 1
            gradient[:, pose - 1, 0] -= 1 / self.distance / _NEARNESS_SIGMA
        if shape:
            prior = self.prior**2
            normal[:, diagonal[pose:], diagonal[pose:]] += prior
            gradient[:, pose:, 0] -= prior * self.coefficients
        change = np.linalg.solve(normal, gradient)[..., 0]
        if self.perspective:
            self._hold_at_bounds(normal, gradient, change)
        self._apply(change, shape)

    def _hold_at_bounds(
        self,
        normal: Float[np.ndarray, "faces unknowns unknowns"],
        gradient: Float[np.ndarray, "faces unknowns 1"],
        change: Float[np.ndarray, "faces unknowns"],
    ) -> None:
        """Solve anew, in place, for faces whose camera would come too near or pass infinity."""
        column = self.pose - 1
        now = 1 / self.distance / _NEARNESS_SIGMA
        bound = np.clip(
            now + change[:, column],
            _LEAST_NEARNESS / _NEARNESS_SIGMA,
            1 / _LEAST_DISTANCE_CM / _NEARNESS_SIGMA,
        )
        past = np.flatnonzero(bound != now + change[:, column])
        allowed = (bound - now)[past]
        gradient[past, :, 0] -= normal[past, :, column] * allowed[:, None]
        normal[past, column, :] = normal[past, :, column] = 0
        normal[past, column, column] = 1
        gradient[past, column, 0] = allowed
        change[past] = np.linalg.solve(normal[past], gradient[past])[..., 0]

    def _turned(
        self,
        mean: Float[np.ndarray, "points 3"],
        basis: Float[np.ndarray, "points 3 modes"],
    ) -> Float[np.ndarray, "faces points 3"]:
        """Surface points in the image frame, cm."""
        model = mean + (self.coefficients @ basis.reshape(-1, basis.shape[2]).T).reshape(
            len(self.target), -1, 3
        )
        turned: Float[np.ndarray, "faces points 3"] = model @ self.rotation.transpose(0, 2, 1)
        return turned

    def _seen(
        self, turned: Float[np.ndarray, "faces points 3"]
    ) -> Float[np.ndarray, "faces points 3"]:
        """The same as the camera sees them."""
        if not self.perspective:
            return turned
        seen = turned.copy()
        seen[..., :2] *= shrink(turned[..., 2], self.distance)[..., None]
        return seen

    def _moved_by_modes(self) -> Float[np.ndarray, "faces points 3 modes"]:
        """How identity and expression move the points in the image frame."""
        points, _, modes = self.basis.shape
        flat = self.basis.transpose(1, 0, 2).reshape(3, -1)
        moved: Float[np.ndarray, "faces 3 points modes"] = (self.rotation @ flat).reshape(
            len(self.target), 3, points, modes
        )
        return moved.transpose(0, 2, 1, 3)

    def _jacobian(
        self,
        turned: Float[np.ndarray, "faces points 3"],
        goal: Float[np.ndarray, "faces points 3"],
        moved: Float[np.ndarray, "faces points 3 modes"] | None,
    ) -> Float[np.ndarray, "faces points 3 unknowns"]:
        """How what is seen moves with the unknowns, but for the depth offsets.

        ``goal`` is where it should be, cm at the present scale.
        """
        pose = self.pose
        modes = 0 if moved is None else moved.shape[3]
        jacobian = np.zeros((*turned.shape, pose + modes), np.float32)
        x, y, z = turned[..., 0], turned[..., 1], turned[..., 2]
        # Columns 0-2: a small rotation w moves the point by w x p.
        jacobian[..., 1, 0], jacobian[..., 2, 0] = -z, y
        jacobian[..., 0, 1], jacobian[..., 2, 1] = z, -x
        jacobian[..., 0, 2], jacobian[..., 1, 2] = -y, x
        if moved is not None:
            jacobian[..., pose:] = moved
        if self.perspective:
            smaller = shrink(z, self.distance)[..., None]
            plane = turned[..., :2] * smaller**2
            # Columns so far move points of the head; seen are (x, y) / (1 + nearness * z).
            nearness = (1 / self.distance)[:, None, None]
            jacobian[..., :2, :] *= smaller[..., None]
            jacobian[..., :2, :] -= (nearness * plane)[..., None] * jacobian[..., 2:, :]
            jacobian[..., :2, pose - 1] = -_NEARNESS_SIGMA * plane * z[..., None]
        jacobian[..., 3] = goal  # relative growth of the scale
        jacobian[..., 0, 4] = 1
        jacobian[..., 1, 5] = 1
        return jacobian

    def _outline_rows(
        self, outline: Outline
    ) -> tuple[Float[np.ndarray, "faces 17 unknowns"], Float[np.ndarray, "faces 17 1"]]:
        """Weighted Jacobian and residual of the distances across the clicked outlines."""
        turned = self._turned(self.row_mean, self.row_basis)
        index = outermost(self._seen(turned), outline.across)
        turned = np.take_along_axis(turned, index[..., None], axis=1)
        goal = np.zeros_like(turned)
        goal[..., :2] = (outline.clicked_image - self.shift[:, None, :2]) / self.scale[
            :, None, None
        ]
        residual = ((goal - self._seen(turned))[..., :2] * outline.across).sum(-1)
        weight = 1 / outline.sigma_cm / (1 + residual**2 / _ROBUST_CM**2)
        # A face that turns to the image's right, its z axis towards the left, is near on the left.
        turn = -self.rotation[:, :1, 2] * np.linspace(-1, 1, JAW, dtype=np.float32)
        weight *= np.clip(1 + np.minimum(turn, 0) / _NEAR_SIDE_ENDS, 0, 1)
        moved = self.rotation[:, None] @ self.row_basis[index]
        jacobian = self._jacobian(turned, goal, moved)[..., :2, :]
        rows = (jacobian * (outline.across * weight[..., None])[..., None]).sum(axis=2)
        return rows, (weight * residual)[..., None]

    def _apply(self, change: Float[np.ndarray, "faces unknowns"], shape: bool) -> None:
        turn = Rotation.from_rotvec(np.clip(change[:, :3], -_MOST_TURN, _MOST_TURN)).as_matrix()
        self.rotation = (turn @ self.rotation).astype(np.float32)
        grown = np.clip(change[:, 3], -_MOST_GROWTH, _MOST_GROWTH)
        # Shift steps were measured in cm at the old scale.
        self.shift += change[:, 4 : 6 + self.kinds] * self.scale[:, None]
        self.scale = self.scale * np.exp(grown)
        if self.perspective:
            nearness = 1 / self.distance + _NEARNESS_SIGMA * change[:, self.pose - 1]
            self.distance = (1 / np.maximum(nearness, _LEAST_NEARNESS)).astype(np.float32)
        if shape:
            self.coefficients += change[:, self.pose :]
            blend = self.coefficients[:, self.identities :]
            np.clip(blend, _LEAST_BLEND, _MOST_BLEND, out=blend)

    def fits(self) -> HeadFits:
        return HeadFits(
            rotation=self.rotation,
            scale=self.scale,
            shift=self.shift[:, :2],
            identity=self.coefficients[:, : self.identities],
            expression=self.coefficients[:, self.identities :],
            residual_cm=self.residual_cm,
            distance_cm=self.distance,
        )
