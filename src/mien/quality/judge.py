"""One number a face and frame, and why: how far its points are to be trusted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

import numpy as np
from jaxtyping import Float, UInt8

from mien.quality.signs import SIGNS, look_at, ramp, signs_of
from mien.types import Face

__all__ = ["QUALITY_COLUMNS", "Calibration", "Quality", "QualityJudge", "features"]

QUALITY_COLUMNS: Final = ("quality", *(f"sign_{name}" for name in SIGNS))
_JUMP = (0.12, 0.04)
"""Change of shape between two frames, in face sizes, that is a jump, and that is none."""
_LEAP = (0.6, 0.3)
"""The same of the middle of the face."""
_USUAL_STEP_SECS, _LONGEST_STEP_SECS = 0.04, 0.2
_SUREST = 0.01
"""Shares keep this far from 0 and 1, whose log odds are infinite."""


@dataclass(frozen=True)
class Quality:
    """Of one face in one frame."""

    quality: float
    """The probability that its points are at most 0.05 face sizes off in their mean."""
    signs: Float[np.ndarray, " 7"]
    """What speaks against it, 0 to 1 each, in the order of ``SIGNS``."""


@dataclass(frozen=True)
class Calibration:
    """``quality = 1 / (1 + exp(-(bias + weights @ features)))``, learned on perturbed
    photos and on films."""

    bias: float
    weights: Float[np.ndarray, " features"]

    @classmethod
    def shipped(cls) -> Calibration:
        """The one that came along (``benchmarks/quality.py`` learns and checks it)."""
        return _shipped()

    def quality(self, values: Float[np.ndarray, "*faces features"]) -> Float[np.ndarray, "*faces"]:
        """Of faces by their features."""
        return np.asarray(1 / (1 + np.exp(-(self.bias + values @ self.weights))))


@cache
def _shipped() -> Calibration:
    text = resources.files("mien.quality").joinpath("calibration.json").read_text("utf-8")
    told = json.loads(text)
    return Calibration(float(told["bias"]), np.array(told["weights"], np.float64))


def features(
    signs: Float[np.ndarray, " 7"], confidence: Float[np.ndarray, " 68"], score: float
) -> Float[np.ndarray, " features"]:
    """What the calibration weighs: the signs, how sure the network is of all points and of the
    worst quarter, and its score, these three as log odds."""
    worst = np.sort(confidence)[: len(confidence) // 4]
    odds = [_log_odds(float(value)) for value in (confidence.mean(), worst.mean(), score)]
    return np.array([*signs, *odds])


def _log_odds(share: float) -> float:
    kept = min(max(share, _SUREST), 1 - _SUREST)
    return float(np.log(kept / (1 - kept)))


class QualityJudge:
    """Judges the faces of one video, frame after frame.

    State: each face's last points, which ``state`` gives and takes.
    """

    def __init__(self, calibration: Calibration | None = None) -> None:
        self._calibration = calibration or Calibration.shipped()
        self._last: dict[int, tuple[float, Float[np.ndarray, "68 2"]]] = {}

    def judge(
        self,
        image_rgb: UInt8[np.ndarray, "height width 3"],
        time_secs: float,
        faces: Sequence[Face],
        chosen: Sequence[int],
    ) -> list[Quality]:
        """A judgement a face; ``chosen`` are the 68 points among the face's."""
        now: dict[int, tuple[float, Float[np.ndarray, "68 2"]]] = {}
        told: list[Quality] = []
        for face in faces:
            points = face.landmarks.points_image[list(chosen)].astype(np.float64)
            confidence = face.landmarks.confidence[list(chosen)].astype(np.float64)
            flat = points[:, :2].copy()
            if face.is_seen:  # from a guess nobody jumps
                now[face.track_id] = time_secs, flat
            last = self._last.get(face.track_id)
            jumped = _jump(last, time_secs, flat) if last is not None else 0.0
            look = look_at(image_rgb, points)
            signs = signs_of(look, confidence, face.pose.yaw_deg, jumped)
            values = features(signs, confidence, face.score)
            told.append(Quality(float(self._calibration.quality(values)), signs))
        self._last = now
        return told

    def state(self) -> dict[str, Any]:
        """As ``json.dumps`` takes it."""
        return {str(one): [secs, points.tolist()] for one, (secs, points) in self._last.items()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where another one stood."""
        self._last = {int(one): (secs, np.array(points)) for one, (secs, points) in state.items()}


def _jump(
    last: tuple[float, Float[np.ndarray, "68 2"]], time_secs: float, points: np.ndarray
) -> float:
    """How far the points changed beyond what a head does in that time."""
    step_secs = time_secs - last[0]
    if not 0 < step_secs <= _LONGEST_STEP_SECS:
        return 0.0
    slack = max(1.0, step_secs / _USUAL_STEP_SECS)
    before, after = (one - one.mean(axis=0) for one in (last[1], points))
    size = max(float(np.sqrt(np.ptp(last[1], axis=0).prod())), 1e-6)
    scale = float((before * after).sum()) / max(float((before**2).sum()), 1e-9)
    shape = float(np.linalg.norm(after - scale * before, axis=1).mean()) / size
    leap = float(np.linalg.norm(points.mean(axis=0) - last[1].mean(axis=0))) / size
    return max(ramp(shape / slack, *_JUMP), ramp(leap / slack, *_LEAP))
