"""Two-sided smoothing of tracked faces, for files: it knows what comes next, and lags nothing.

Each point is a local quadratic over time (at rest a line), fitted by weighted least squares
(Savitzky and Golay 1964, for uneven times), over the widest of several windows whose result still
agrees with that of every narrower one within what the noise explains (Lepski's rule; as
intersection of confidence intervals: Katkovnik 1999). A resting point is so averaged over a second;
a blink of two frames and a fast turn keep the narrow windows. Weights fall with the distance in
time and with the network's doubt. Windows end where a face was lost or the film was cut.

The noise is the face's own: the median second difference of its points about their middle; and of
the middle, which shakes with a hand that holds the camera, the fourth, of which a head that nods or
swings has hardly any.
"""

from __future__ import annotations

import dataclasses
import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from mien.geometry import pose_head
from mien.tracking.settings import OfflineSettings
from mien.types import Face, Frame, Landmarks

__all__ = ["OfflineSmoother", "smooth_offline"]

_LEAST_FRAMES = 4
"""A quadratic needs three; with one more it averages."""
_LEAST_NOISE, _MOST_NOISE = 2e-4, 5e-3
"""Bounds on the noise, in face sizes: a talking mouth must not pass for it."""
_MOST_SHAKE = 2e-3
"""The same of the middle of all points: a head that swings must not pass for a shaking camera."""
_SLOWEST_STEP_SECS = 0.07
"""Between the frames of a film that can tell a shake from a nod."""
_MEDIAN_LENGTH = 1.1774
"""Of noise in the plane, of 1 in each axis."""
_OWN_ORDER, _SHAKE_ORDER = 2, 4
"""Of the differences in time by which a face's own noise and the camera's shake are told."""
_MIDDLE = 0.35
"""Noise of the mean of all points, as a share of that of one: they tremble together in part."""
_LONGEST_STEP = 2.5
"""A gap of more than so many usual steps ends a window: frames in which the face was not seen."""
_BEYOND_ENDS = 1.001
"""The window against its outermost frames: they keep a weight."""


@dataclass(frozen=True)
class _Seen:
    """One frame: its faces by number, as the tracker gave them."""

    frame: Frame | None
    """``None`` once it has been handed out: the picture is not needed any more."""
    time_secs: float
    faces: tuple[Face, ...]

    def of(self, track_id: int) -> Face | None:
        return next((face for face in self.faces if face.track_id == track_id), None)


class OfflineSmoother:
    """Takes frames with their faces, gives them back in order, smoothed, half a second later.

    The tracker before it must not smooth (``TrackerSettings(smoothing=None)``).
    """

    def __init__(
        self,
        mean_shape: Float[np.ndarray, "points 3"],
        settings: OfflineSettings | None = None,
    ) -> None:
        """``mean_shape`` is the head by which poses are read anew."""
        self._mean_shape = mean_shape
        self._settings = settings or OfflineSettings()
        self._before: deque[_Seen] = deque()
        self._waiting: deque[_Seen] = deque()

    @property
    def is_empty(self) -> bool:
        """Whether no frame waits for its future."""
        return not self._waiting

    def push(self, frame: Frame, faces: Sequence[Face]) -> Iterator[tuple[Frame, list[Face]]]:
        """Take the next frame; gives those whose future is known now, most often one."""
        self._waiting.append(_Seen(frame, self._time_of(frame), tuple(faces)))
        reach = self._settings.half_windows_secs[-1]
        while (
            self._waiting[-1].time_secs - self._waiting[0].time_secs >= reach
            or len(self._waiting) > self._settings.most_frames
        ):
            yield self._next()

    def drain(self) -> Iterator[tuple[Frame, list[Face]]]:
        """The last frames, when no more come."""
        while self._waiting:
            yield self._next()

    def _time_of(self, frame: Frame) -> float:
        """Its time; a clock that stands still or jumps back goes on by a usual step."""
        last = self._waiting[-1] if self._waiting else self._before[-1] if self._before else None
        if last is None:
            return frame.time_secs if math.isfinite(frame.time_secs) else 0.0
        known = math.isfinite(frame.time_secs) and frame.time_secs > last.time_secs
        return frame.time_secs if known else last.time_secs + 1 / 30

    def _next(self) -> tuple[Frame, list[Face]]:
        now = self._waiting[0]
        faces = [self._smoothed(face) if face.is_seen else face for face in now.faces]
        self._waiting.popleft()
        self._before.append(dataclasses.replace(now, frame=None))
        reach = self._settings.half_windows_secs[-1]
        while (
            now.time_secs - self._before[0].time_secs > reach
            or len(self._before) > self._settings.most_frames
        ):
            self._before.popleft()
        assert now.frame is not None
        return now.frame, faces

    def _smoothed(self, face: Face) -> Face:
        times, faces, here = self._around(face)
        points = np.stack([each.landmarks.points_image for each in faces])
        sure = np.stack([each.landmarks.confidence for each in faces])
        size = max(math.sqrt(face.box.width * face.box.height), 1e-6)
        smooth = smooth_at(times, points, sure, here, size, self._settings)
        landmarks = Landmarks(smooth, face.landmarks.confidence)
        pose = pose_head(smooth, self._mean_shape).pose
        return dataclasses.replace(face, landmarks=landmarks, pose=pose)

    def _around(self, face: Face) -> tuple[Float[np.ndarray, " frames"], list[Face], int]:
        """Times from now, and the same face in the frames before and after, without a gap."""
        now = self._waiting[0].time_secs
        earlier, later = list[tuple[float, Face]](), [(0.0, face)]
        for seen in reversed(self._before):
            if (same := seen.of(face.track_id)) is None or not same.is_seen:
                break
            earlier.append((seen.time_secs - now, same))
        for seen in list(self._waiting)[1:]:
            if (same := seen.of(face.track_id)) is None or not same.is_seen:
                break
            later.append((seen.time_secs - now, same))
        both = [*reversed(earlier), *later]
        here = len(earlier)
        steps = np.diff([secs for secs, _ in both])
        if len(steps):
            gaps = np.flatnonzero(steps > _LONGEST_STEP * np.median(steps))
            first = max((int(gap) + 1 for gap in gaps if gap < here), default=0)
            last = min((int(gap) + 1 for gap in gaps if gap >= here), default=len(both))
            both, here = both[first:last], here - first
        return np.array([secs for secs, _ in both]), [one for _, one in both], here


def smooth_offline(
    tracked: Iterable[tuple[Frame, Sequence[Face]]], smoother: OfflineSmoother
) -> Iterator[tuple[Frame, list[Face]]]:
    """A whole video through a smoother, in order."""
    for frame, faces in tracked:
        yield from smoother.push(frame, faces)
    yield from smoother.drain()


def smooth_at(
    times_secs: Float[np.ndarray, " frames"],
    points: Float[np.ndarray, "frames points 3"],
    confidence: Float[np.ndarray, "frames points"],
    here: int,
    face_size: float,
    settings: OfflineSettings,
) -> Float[np.ndarray, "points 3"]:
    """The points of frame ``here``, by those around it.

    The face's middle and the points about it are smoothed apart: the middle is a mean of many, so
    that far less of its motion passes for noise.

    Args:
        times_secs: from the frame's own time, ascending.
        points: in px, as the network gave them.
        face_size: sqrt(width * height) of the landmark box, px.
    """
    middles = points.mean(axis=1, keepdims=True)
    noise = noise_of(points, face_size)
    shake = _shake_of(middles, times_secs, face_size)
    trust = settings.doubt + (1 - settings.doubt) * np.clip(confidence, 0, 1)
    mean_trust = trust.mean(axis=1, keepdims=True)
    shaken = max(_MIDDLE * noise, shake)
    middle = _widest_believed(times_secs, middles, mean_trust, here, shaken, settings)
    about = _widest_believed(times_secs, points - middles, trust, here, noise, settings)
    return np.asarray(middle + about)


def _widest_believed(
    times_secs: Float[np.ndarray, " frames"],
    points: Float[np.ndarray, "frames points 3"],
    trust: Float[np.ndarray, "frames points"],
    here: int,
    noise: float,
    settings: OfflineSettings,
) -> Float[np.ndarray, "points 3"]:
    best: np.ndarray = points[here].copy()
    belief = np.ones(points.shape[1])
    narrower = [(points[here], np.ones(points.shape[1]))]
    halves = settings.half_windows_secs
    for half, order in [*((half, 2) for half in halves), *((half, 1) for half in halves[-2:])]:
        inside = np.abs(times_secs) <= half
        if inside.sum() < _LEAST_FRAMES:
            continue
        shares = _shares(times_secs[inside], half, trust[inside], order)
        spread = np.sqrt((shares**2).sum(axis=1))
        wide: np.ndarray = np.einsum("pf,fpd->pd", shares, points[inside])
        for estimate, its_spread in narrower:
            off = np.linalg.norm((wide - estimate)[:, :2], axis=1) / (noise * its_spread)
            agreed = (settings.differ - off) / (settings.differ - settings.agree)
            belief = np.minimum(belief, np.clip(agreed, 0, 1))
        narrower.append((wide, spread))
        best = best + (belief * (spread < 1))[:, None] * (wide - best)
    return best


def noise_of(points: Float[np.ndarray, "frames points 3"], face_size: float) -> float:
    """Standard deviation of the points' noise in each axis, px; bounded in face sizes."""
    about = points[..., :2] - points[..., :2].mean(axis=1, keepdims=True)
    trembling = _trembling(about, _OWN_ORDER)
    return float(np.clip(trembling, _LEAST_NOISE * face_size, _MOST_NOISE * face_size))


def _shake_of(
    middles: Float[np.ndarray, "frames 1 3"],
    times_secs: Float[np.ndarray, " frames"],
    face_size: float,
) -> float:
    """As :func:`noise_of`, of the middle; 0 where frames are too far apart to tell."""
    if len(times_secs) < 2 or np.median(np.diff(times_secs)) > _SLOWEST_STEP_SECS:
        return 0.0
    return min(_trembling(middles[..., :2], _SHAKE_ORDER), _MOST_SHAKE * face_size)


def _trembling(places: Float[np.ndarray, "frames points 2"], order: int) -> float:
    """Standard deviation of white noise with these differences in time; 0 of too few frames."""
    if len(places) <= order:
        return 0.0
    differences = np.linalg.norm(np.diff(places, n=order, axis=0), axis=-1)
    grown = math.sqrt(math.comb(2 * order, order))  # the squares of the binomials, summed
    return float(np.median(differences)) / (_MEDIAN_LENGTH * grown)


def _shares(
    times_secs: Float[np.ndarray, " frames"],
    half_secs: float,
    trust: Float[np.ndarray, "frames points"],
    order: int,
) -> Float[np.ndarray, "points frames"]:
    """What each frame contributes to the polynomial's value at time 0; each row sums to 1."""
    near = (1 - np.abs(times_secs / (_BEYOND_ENDS * half_secs)) ** 3) ** 3
    basis = (times_secs[:, None] / half_secs) ** np.arange(order + 1)
    weight = near[:, None] * trust
    normal = np.einsum("fp,fi,fj->pij", weight, basis, basis)
    normal = normal + 1e-9 * np.trace(normal, axis1=1, axis2=2)[:, None, None] * np.eye(order + 1)
    at_zero: np.ndarray = np.linalg.solve(normal, np.eye(order + 1)[None, :, :1])
    return np.asarray(np.einsum("pi,fi,fp->pf", at_zero[..., 0], basis, weight))
