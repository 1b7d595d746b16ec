"""Smoothing of landmarks by time, speed, confidence and face size.

An exponential low pass a point, whose cut-off rises with the point's speed (the idea of the
1-euro filter: Casiez, Roussel, Vogel, CHI 2012). Speed is measured in face sizes a second, so that
a face twice as near is smoothed alike, and steps in seconds, so that frame rate does not matter.
The motion of the whole face is read from all points together, which averages the network's noise
away; the motion of a point within the face counts from where it rises above that noise.
Points the network doubts rest harder; once they move, they follow as fast as any.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from mien.tracking.settings import SmoothingSettings

__all__ = ["PointFilter"]


class PointFilter:
    """Smooths the points of one face, or of several at once: every axis before the last two.

    State: the smoothed points and their speed. It begins with the first points it is given, which
    it hands back untouched; make a new filter when a face is found anew.
    """

    def __init__(self, settings: SmoothingSettings) -> None:
        self._settings = settings
        self._points: Float[np.ndarray, "*faces points 3"] | None = None
        self._velocity: Float[np.ndarray, "*faces points 2"] | None = None

    def update(
        self,
        points: Float[np.ndarray, "*faces points 3"],
        confidence: Float[np.ndarray, "*faces points"],
        face_size: Float[np.ndarray, "*faces"] | float,
        step_secs: float,
    ) -> Float[np.ndarray, "*faces points 3"]:
        """The smoothed points, ``step_secs`` (positive) after the last ones."""
        if self._points is None or self._velocity is None:
            self._points, self._velocity = points.copy(), np.zeros_like(points[..., :2])
            return points.copy()
        settings = self._settings
        moved = (points - self._points)[..., :2] / step_secs
        self._velocity = self._velocity + _weight(settings.speed_hz, step_secs) * (
            moved - self._velocity
        )
        size = np.maximum(np.asarray(face_size, dtype=np.float64), 1e-6)[..., None]
        whole = self._velocity.mean(axis=-2, keepdims=True)
        within = np.linalg.norm(self._velocity - whole, axis=-1) / size
        shared = np.linalg.norm(whole, axis=-1) / size
        speed = np.maximum(shared - settings.shake, 0) + np.maximum(within - settings.noise, 0)
        trust = settings.doubt + (1 - settings.doubt) * np.clip(confidence, 0, 1)
        weight = _weight(settings.rest_hz * trust + settings.open_hz * speed, step_secs)
        self._points = self._points + weight[..., None] * (points - self._points)
        return self._points.copy()


def _weight(
    cutoff_hz: Float[np.ndarray, "*any"] | float, step_secs: float
) -> Float[np.ndarray, "*any"]:
    """Weight of the new value in a first-order low pass with that cut-off."""
    return np.asarray(-np.expm1(-2 * np.pi * np.asarray(cutoff_hz) * step_secs))
