"""Smooth random motion of heads and cameras: turns, speech, blinks, ways through a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline, PchipInterpolator
from scipy.spatial.transform import Rotation

__all__ = ["HeadMotion", "blink_curve", "frame_times", "mouth_curve", "smooth_path"]

_VARIABLE_STEPS = (1 / 50, 1 / 30, 1 / 25, 1 / 15, 1 / 8)


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
            yaw_deg=smooth_path(times_secs, (-90, 90), rng, far_apart=True),
            pitch_deg=smooth_path(times_secs, (-25, 25), rng),
            roll_deg=smooth_path(times_secs, (-35, 35), rng),
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
        return np.arange(round(seconds * 25)) / 25
    steps = rng.choice(_VARIABLE_STEPS, size=round(seconds * 50), p=[0.2, 0.3, 0.3, 0.15, 0.05])
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
    while knots[-1] < times_secs[-1] + 0.1:
        knots.append(knots[-1] + rng.uniform(0.6, 1.8))
    low, high = span
    goals: np.ndarray = np.clip(rng.normal(0, 0.4, len(knots)), -1, 1)
    if far_apart:
        side = (-1.0) ** (np.arange(len(knots)) + rng.integers(2))
        goals = side * np.abs(rng.uniform(0, 1, len(knots)))
        goals[2::3] = side[2::3]
    goals[0] *= 0.3
    # Monotone between goals: no overshoot past a profile.
    curve = PchipInterpolator(knots, (low + high) / 2 + goals * (high - low) / 2)
    path: Float[np.ndarray, " frames"] = curve(times_secs)
    return path


def blink_curve(
    times_secs: Float[np.ndarray, " frames"], rng: np.random.Generator
) -> Float[np.ndarray, " frames"]:
    """A blink every two to four seconds, 0.1 s down and 0.2 s up; one in six stays shut longer."""
    shut, start = np.zeros(len(times_secs)), rng.uniform(0.3, 2)
    while start < times_secs[-1]:
        rest = rng.uniform(0.3, 0.9) if rng.random() < 1 / 6 else 0.04
        knots = start + np.array([0, 0.1, 0.1 + rest, 0.3 + rest])
        shut = np.maximum(shut, np.interp(times_secs, knots, [0, 1, 1, 0]))
        start += rng.uniform(2, 4)
    return shut


def mouth_curve(
    times_secs: Float[np.ndarray, " frames"], rng: np.random.Generator
) -> Float[np.ndarray, " frames"]:
    """Syllables, four to six a second, in phrases with pauses; a yawn now and then."""
    knots = np.arange(0, times_secs[-1] + 0.2, 1 / rng.uniform(8, 12))
    beat = np.where(np.arange(len(knots)) % 2, rng.uniform(0.1, 0.55, len(knots)), 0.02)
    seconds = np.arange(np.ceil(knots[-1]) + 1)
    phrase = np.interp(knots, seconds, rng.random(len(seconds)) > 0.3)
    opened = CubicSpline(knots, beat * phrase)(times_secs)
    if rng.random() < 0.3:
        middle = rng.uniform(0, times_secs[-1])
        opened = opened + 0.9 * np.exp(-(((times_secs - middle) / 0.5) ** 2))
    return np.asarray(np.clip(opened, 0, 1))
