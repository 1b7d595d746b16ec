"""Smooth random motion of heads and cameras: turns, speech, blinks, ways through a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline, PchipInterpolator
from scipy.spatial.transform import Rotation

__all__ = ["HeadMotion", "blink_curve", "frame_times", "mouth_curve", "smooth_path"]

_FASTEST_HZ = 50
_VARIABLE_STEPS, _STEP_SHARES = (
    (1 / _FASTEST_HZ, 1 / 30, 1 / 25, 1 / 15, 1 / 8),
    (0.2, 0.3, 0.3, 0.15, 0.05),
)
"""Seconds between frames of cameras and of calls over a bad line, and how often each occurs."""
_RATE = 25
_YAW_DEG, _PITCH_DEG, _ROLL_DEG = (-90, 90), (-25, 25), (-35, 35)
"""To both profiles; as people nod and tilt."""
_GOAL_SECS, _GOAL_SPREAD, _GOAL_START = (0.6, 1.8), 0.4, 0.3
"""Time between goals of a path; their deviation, in half spans; and how much nearer the middle the
first one is: most shots begin about upright."""
_PAST_END_SECS = 0.1
"""The last goal lies so far behind the last frame: no path ends flat."""

# Blinks: people shut their eyes every two to ten seconds and faster while they talk, for 0.1 to
# 0.4 s; here at the quick end, so that short clips hold some.
_BLINK_EVERY_SECS, _FIRST_BLINK_SECS = (2, 4), (0.3, 2)
_DOWN_SECS, _UP_SECS, _SHUT_SECS = 0.1, 0.2, 0.04
_LONG_SHUT, _LONG_SHUT_SECS = 1 / 6, (0.3, 0.9)
"""Share of eyes that stay shut for longer, and for how long."""

# Speech: four to six syllables a second, each an opening and a closing.
_HALF_SYLLABLES_HZ, _SYLLABLE, _BETWEEN = (8, 12), (0.1, 0.55), 0.02
"""Openings and closings a second, how far a jaw drops for one, and between two."""
_SILENCE = 0.3
"""Share of seconds in which nothing is said."""
_SPEECH_PAST_SECS = 0.2
_YAWN, _YAWN_WIDE, _YAWN_SECS = 0.3, 0.9, 0.5
"""Share of clips with a yawn, how wide it is, and its half width in time."""


@dataclass(frozen=True)
class HeadMotion:
    """How one head moves; each curve has one value a frame."""

    yaw_deg: Float[np.ndarray, " frames"]
    pitch_deg: Float[np.ndarray, " frames"]
    roll_deg: Float[np.ndarray, " frames"]
    blink: Float[np.ndarray, " frames"]
    """0 open, 1 shut."""
    mouth: Float[np.ndarray, " frames"]
    """How far the jaw drops, 0 to 1."""

    @classmethod
    def draw(cls, times_secs: Float[np.ndarray, " frames"], rng: np.random.Generator) -> HeadMotion:
        """Random turns to both profiles with rests between, speech and blinks."""
        return cls(
            yaw_deg=smooth_path(times_secs, _YAW_DEG, rng, far_apart=True),
            pitch_deg=smooth_path(times_secs, _PITCH_DEG, rng),
            roll_deg=smooth_path(times_secs, _ROLL_DEG, rng),
            blink=blink_curve(times_secs, rng),
            mouth=mouth_curve(times_secs, rng),
        )

    def rotation(self, frame: int) -> Float[np.ndarray, "3 3"]:
        """Head to image."""
        tilt, turn, nod = self.roll_deg[frame], self.yaw_deg[frame], self.pitch_deg[frame]
        # A head nods about its own ears, turns on its neck, then tilts in the picture.
        pose = Rotation.from_euler("ZYX", [tilt, -turn, nod], degrees=True)
        matrix: Float[np.ndarray, "3 3"] = pose.as_matrix().astype(np.float32)
        return matrix


def frame_times(
    seconds: float, variable: bool, rng: np.random.Generator
) -> Float[np.ndarray, " frames"]:
    """Presentation times from 0: 25 a second, or steps that change from frame to frame."""
    if not variable:
        return np.arange(round(seconds * _RATE)) / _RATE
    most = round(seconds * _FASTEST_HZ)
    steps = rng.choice(_VARIABLE_STEPS, size=most, p=_STEP_SHARES)
    times = np.concatenate([[0.0], np.cumsum(steps)])
    return np.asarray(times[times < seconds])


def smooth_path(
    times_secs: Float[np.ndarray, " frames"],
    span: tuple[float, float],
    rng: np.random.Generator,
    far_apart: bool = False,
) -> Float[np.ndarray, " frames"]:
    """A path that never leaves ``span``, through goals 0.6 to 1.8 s apart.

    With ``far_apart`` goals change sides and every third is an end of the span.
    """
    knots = [0.0]
    while knots[-1] < times_secs[-1] + _PAST_END_SECS:
        knots.append(knots[-1] + rng.uniform(*_GOAL_SECS))
    low, high = span
    goals: np.ndarray = np.clip(rng.normal(0, _GOAL_SPREAD, len(knots)), -1, 1)
    if far_apart:
        side = (-1.0) ** (np.arange(len(knots)) + rng.integers(2))
        goals = side * np.abs(rng.uniform(0, 1, len(knots)))
        goals[2::3] = side[2::3]
    goals[0] *= _GOAL_START
    # Monotone between goals: no overshoot past a profile.
    curve = PchipInterpolator(knots, (low + high) / 2 + goals * (high - low) / 2)
    path: Float[np.ndarray, " frames"] = curve(times_secs)
    return path


def blink_curve(
    times_secs: Float[np.ndarray, " frames"], rng: np.random.Generator
) -> Float[np.ndarray, " frames"]:
    """A blink every two to four seconds, 0.1 s down and 0.2 s up; one in six stays shut longer."""
    shut, start = np.zeros(len(times_secs)), rng.uniform(*_FIRST_BLINK_SECS)
    while start < times_secs[-1]:
        rest = rng.uniform(*_LONG_SHUT_SECS) if rng.random() < _LONG_SHUT else _SHUT_SECS
        down, up = _DOWN_SECS, _DOWN_SECS + _UP_SECS
        knots = start + np.array([0, down, down + rest, up + rest])
        shut = np.maximum(shut, np.interp(times_secs, knots, [0, 1, 1, 0]))
        start += rng.uniform(*_BLINK_EVERY_SECS)
    return shut


def mouth_curve(
    times_secs: Float[np.ndarray, " frames"], rng: np.random.Generator
) -> Float[np.ndarray, " frames"]:
    """Syllables, four to six a second, in phrases with pauses; a yawn now and then."""
    end, step = times_secs[-1] + _SPEECH_PAST_SECS, 1 / rng.uniform(*_HALF_SYLLABLES_HZ)
    knots = np.arange(0, end, step)
    beat = np.where(np.arange(len(knots)) % 2, rng.uniform(*_SYLLABLE, len(knots)), _BETWEEN)
    seconds = np.arange(np.ceil(knots[-1]) + 1)
    phrase = np.interp(knots, seconds, rng.random(len(seconds)) > _SILENCE)
    opened = CubicSpline(knots, beat * phrase)(times_secs)
    if rng.random() < _YAWN:
        middle = rng.uniform(0, times_secs[-1])
        opened = opened + _YAWN_WIDE * np.exp(-(((times_secs - middle) / _YAWN_SECS) ** 2))
    return np.asarray(np.clip(opened, 0, 1))
