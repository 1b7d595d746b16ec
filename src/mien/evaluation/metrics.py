"""How far predicted landmarks lie from the truth: paper 4.1, tables 1 to 3.

All errors are shares of the face's size, so 0.03 means three percent of it. A face that was not
found enters every curve with an infinite error: it fails, it is never dropped.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

__all__ = [
    "FAILURE_AT",
    "INNER_POINTS",
    "YAW_BINS_DEG",
    "auc",
    "ced",
    "depth_error",
    "face_size",
    "failure_rate",
    "mean_or_none",
    "nme",
    "nme_3d",
    "nme_inner51",
    "yaw_bin",
]

FAILURE_AT = 0.07
"""NME above which a face counts as failed, and up to which the CED curve is integrated."""
INNER_POINTS = slice(17, 68)
"""The 68-point markup without its jaw."""
YAW_BINS_DEG = ((0, 30), (30, 60), (60, 90))
"""As published: [0, 30], (30, 60], (60, 90]. The last bin also takes the few heads beyond 90."""


def face_size(truth: Float[np.ndarray, "points dims"]) -> float:
    """sqrt(w h) of the box around the true landmarks, in px; points without a label are left out.

    Raises:
        ValueError: the box has no area.
    """
    known = truth[np.isfinite(truth).all(axis=1), :2]
    width, height = np.ptp(known, axis=0) if len(known) else (0.0, 0.0)
    size = math.sqrt(float(width) * float(height))
    if size <= 0:
        raise ValueError("the true landmarks span no area: NME is not defined")
    return size


def nme(
    predicted: Float[np.ndarray, "points dims"], truth: Float[np.ndarray, "points true_dims"]
) -> float:
    """Eq. 5: mean distance in x and y over the size of the true face.

    The mean is over the points that have a label.
    """
    return float(np.nanmean(_distances(predicted[:, :2], truth[:, :2]))) / face_size(truth)


def nme_inner51(
    predicted: Float[np.ndarray, "68 dims"], truth: Float[np.ndarray, "68 true_dims"]
) -> float | None:
    """The same over the 51 points that are not jaw, over the size of *all* 68.

    ``None`` where the truth lacks a point: the box of a jawless truth is a smaller unit, and two
    units must not meet in one mean.
    """
    if not np.isfinite(truth).all():
        return None
    distances = _distances(predicted[INNER_POINTS, :2], truth[INNER_POINTS, :2])
    return float(distances.mean()) / face_size(truth)


def nme_3d(
    predicted: Float[np.ndarray, "points 3"], truth: Float[np.ndarray, "points dims"]
) -> float | None:
    """Mean distance in space, each depth about its own mean, over the same size as Eq. 5.

    ``None`` where the truth has no depth.
    """
    if truth.shape[1] < 3:
        return None
    known = np.isfinite(truth).all(axis=1)
    flattened = [points[known] - [0, 0, points[known, 2].mean()] for points in (predicted, truth)]
    return float(_distances(*flattened).mean()) / face_size(truth)


def depth_error(
    predicted: Float[np.ndarray, "points 3"], truth: Float[np.ndarray, "points 3"]
) -> float:
    """Mean |error of z|, each depth about its own mean, over the same size as Eq. 5."""
    known = np.isfinite(truth).all(axis=1)
    ours, true = (points[known, 2] - points[known, 2].mean() for points in (predicted, truth))
    return float(np.abs(ours - true).mean()) / face_size(truth)


def _distances(
    predicted: Float[np.ndarray, "points dims"], truth: Float[np.ndarray, "points dims"]
) -> Float[np.ndarray, " points"]:
    distances: Float[np.ndarray, " points"] = np.linalg.norm(predicted - truth, axis=1)
    return distances


def yaw_bin(yaw_deg: float) -> int:
    """Index into ``YAW_BINS_DEG``; the sign of the yaw does not matter."""
    uppers = [upper for _, upper in YAW_BINS_DEG[:-1]]
    return sum(abs(yaw_deg) > upper for upper in uppers)


def ced(
    errors: Sequence[float], thresholds: Float[np.ndarray, " steps"]
) -> Float[np.ndarray, " steps"]:
    """Cumulative error distribution: share of faces whose error is at most each threshold."""
    ordered = np.sort(np.asarray(errors, dtype=np.float64))
    share: Float[np.ndarray, " steps"] = np.searchsorted(ordered, thresholds, side="right") / len(
        ordered
    )
    return share


def auc(errors: Sequence[float], up_to: float = FAILURE_AT) -> float:
    """Area under the CED curve from 0 to ``up_to``, as a share of the whole.

    Exact, not sampled: a face of error e lifts the curve by 1/n over the stretch from e to
    ``up_to``.
    """
    return float(np.clip(1 - np.asarray(errors, dtype=np.float64) / up_to, 0, None).mean())


def failure_rate(errors: Sequence[float], above: float = FAILURE_AT) -> float:
    """Share of faces whose error lies above ``above``."""
    return float((np.asarray(errors, dtype=np.float64) > above).mean())


def mean_or_none(values: Sequence[float] | Float[np.ndarray, " n"]) -> float | None:
    """The mean, or ``None`` of nothing."""
    return float(np.mean(values)) if len(values) else None
