"""What is measured of a row, and on what: nouns alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from mien.evaluation.metrics import YAW_BINS_DEG, auc, failure_rate, mean_or_none, yaw_bin

__all__ = ["Measurement", "Still"]


@dataclass(frozen=True)
class Still:
    """One labelled face of one picture."""

    read_rgb: Callable[[], UInt8[np.ndarray, "height width 3"]]
    truths: tuple[tuple[str, Float[np.ndarray, "68 _"]], ...]
    """Names and points, pixels from 0, with depth or without; the first aligns the crop."""
    yaw_deg: float | None


@dataclass(frozen=True)
class Measurement:
    """The errors of one row against one truth of one set."""

    set_name: str
    truth: str
    errors: tuple[float, ...]
    """NME a face, infinite where none was found."""
    yaw_deg: tuple[float | None, ...]
    pose_error_deg: tuple[float | None, ...] = ()
    """Mean absolute error of pitch, yaw and roll a face, both poses read from the points; empty
    where it was not measured."""

    @property
    def over_images(self) -> float | None:
        """Mean over all faces found: the paper's own protocol (eq. 5)."""
        return mean_or_none([error for error in self.errors if math.isfinite(error)])

    @property
    def by_bin(self) -> list[float | None]:
        """Mean of the faces found in each of ``YAW_BINS_DEG``."""
        bins: list[list[float]] = [[] for _ in YAW_BINS_DEG]
        for error, yaw in zip(self.errors, self.yaw_deg, strict=True):
            if yaw is not None and math.isfinite(error):
                bins[yaw_bin(yaw)].append(error)
        return [mean_or_none(each) for each in bins]

    @property
    def over_bins(self) -> float | None:
        """Mean of the three yaw bins' means: that of [45]; ``None`` unless every bin has one."""
        means = [mean for mean in self.by_bin if mean is not None]
        return mean_or_none(means) if len(means) == len(YAW_BINS_DEG) else None

    @property
    def pose_deg(self) -> float | None:
        """Mean over the faces whose pose was compared."""
        return mean_or_none([error for error in self.pose_error_deg if error is not None])

    @property
    def missed(self) -> float:
        """Share of the faces that were not found."""
        return 1 - float(np.isfinite(self.errors).mean())

    @property
    def auc(self) -> float:
        """Area under the curve of cumulative errors, to 0.07."""
        return auc(self.errors)

    @property
    def failure_rate(self) -> float:
        """Share of faces above 0.07, those missed among them."""
        return failure_rate(self.errors)
