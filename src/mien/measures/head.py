"""What heads do: nod, shake, and face the camera."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float

__all__ = ["AT_CAMERA_DEG", "Gesture", "faces_camera", "find_nods", "find_shakes"]

AT_CAMERA_DEG: Final = 15.0
_LEAST_SWING_DEG = 4.0
"""Smaller ones are the network's noise, or speech."""
_LARGEST_SWING_DEG = 40.0
_LONGEST_SWING_SECS = 0.6
_LONGEST_REST_SECS = 0.4
"""Between two swings of one gesture."""
_EDGE = 0.1
"""A swing is counted from the first to the last tenth of its way: the rest before is not of it."""
_NOD_SWINGS, _SHAKE_SWINGS = 2, 3
"""Down and up again is a nod; to one side and back is a glance, and once more a shake."""


@dataclass(frozen=True)
class Gesture:
    """A nod or a shake, by places in the arrays it was found in."""

    onset: int
    apex: int
    """The end of its largest swing."""
    offset: int
    swings: int
    largest_deg: float
    """Of its swings."""


def faces_camera(
    yaw_deg: Float[np.ndarray, " frames"],
    pitch_deg: Float[np.ndarray, " frames"],
    within_deg: float = AT_CAMERA_DEG,
) -> Bool[np.ndarray, " frames"]:
    """Where the head points at the camera, whatever the eyes do: its forward axis and the line to
    the camera are at most ``within_deg`` apart. False where the pose is not known."""
    yaw, pitch = np.radians(yaw_deg), np.radians(pitch_deg)
    return np.asarray(np.cos(yaw) * np.cos(pitch) >= np.cos(np.radians(within_deg)))


def find_nods(
    times_secs: Float[np.ndarray, " frames"],
    pitch_deg: Float[np.ndarray, " frames"],
    yaw_deg: Float[np.ndarray, " frames"],
) -> list[Gesture]:
    """Two or more swings of the pitch, each of 4 to 40 degrees and done in 0.6 s, at most 0.4 s
    after the one before; the largest is larger than what the yaw does meanwhile."""
    return _find(times_secs, pitch_deg, yaw_deg, _NOD_SWINGS)


def find_shakes(
    times_secs: Float[np.ndarray, " frames"],
    yaw_deg: Float[np.ndarray, " frames"],
    pitch_deg: Float[np.ndarray, " frames"],
) -> list[Gesture]:
    """The same of the yaw, with three or more swings."""
    return _find(times_secs, yaw_deg, pitch_deg, _SHAKE_SWINGS)


@dataclass(frozen=True)
class _Swing:
    """From where the angle leaves one turning point to where it reaches the next."""

    first: int
    last: int
    size_deg: float


def _find(
    times_secs: Float[np.ndarray, " frames"],
    angle_deg: Float[np.ndarray, " frames"],
    other_deg: Float[np.ndarray, " frames"],
    least_swings: int,
) -> list[Gesture]:
    found: list[Gesture] = []
    run: list[_Swing] = []
    for swing in [*_swings(angle_deg), None]:
        fits = swing is not None and _is_quick(times_secs, swing)
        if fits and run and swing is not None:
            fits = times_secs[swing.first] - times_secs[run[-1].last] <= _LONGEST_REST_SECS
            if fits:
                run.append(swing)
                continue
        if len(run) >= least_swings and _leads(other_deg, run):
            largest = max(run, key=lambda one: one.size_deg)
            found.append(
                Gesture(run[0].first, largest.last, run[-1].last, len(run), largest.size_deg)
            )
        run = [swing] if swing is not None and _is_quick(times_secs, swing) else []
    return found


def _swings(angle_deg: Float[np.ndarray, " frames"]) -> list[_Swing]:
    pivots = _pivots(angle_deg)
    swings = []
    for start, end in itertools.pairwise(pivots):
        size = float(angle_deg[end] - angle_deg[start])
        way = (angle_deg[start : end + 1] - angle_deg[start]) / size
        reached = int(np.flatnonzero(way >= 1 - _EDGE)[0])
        left = int(np.flatnonzero(way[: reached + 1] <= _EDGE)[-1])
        swings.append(_Swing(start + left, start + reached, abs(size)))
    return swings


def _pivots(angle_deg: Float[np.ndarray, " frames"]) -> list[int]:
    """Where the angle turns round by more than noise: alternately lows and highs."""
    seen = np.flatnonzero(np.isfinite(angle_deg)).tolist()
    if not seen:
        return []
    pivots: list[int] = []
    high = low = seen[0]
    way = 0
    for frame in seen:
        angle = angle_deg[frame]
        high = frame if angle > angle_deg[high] else high
        low = frame if angle < angle_deg[low] else low
        if way >= 0 and angle_deg[high] - angle >= _LEAST_SWING_DEG:
            pivots.append(high)
            way, low = -1, frame
        elif way <= 0 and angle - angle_deg[low] >= _LEAST_SWING_DEG:
            pivots.append(low)
            way, high = 1, frame
    return [*pivots, high if way > 0 else low] if pivots else []


def _is_quick(times_secs: Float[np.ndarray, " frames"], swing: _Swing) -> bool:
    secs = times_secs[swing.last] - times_secs[swing.first]
    return bool(secs <= _LONGEST_SWING_SECS and swing.size_deg <= _LARGEST_SWING_DEG)


def _leads(other_deg: Float[np.ndarray, " frames"], run: list[_Swing]) -> bool:
    """Whether the angle moves more than the other one: a head that circles does neither."""
    other = other_deg[run[0].first : run[-1].last + 1]
    other = other[np.isfinite(other)]
    return not len(other) or bool(max(one.size_deg for one in run) > np.ptp(other))
