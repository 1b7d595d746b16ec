"""From a face's 3D points to its blendshapes, frame by frame.

Each frame the person's neutral, moved by shapes between 0 and 1, is laid over the points by
generalised least squares: errors that points share (a whole mouth seen too high, depth, the jaw of
a turned head) and errors of pose cost little; what no such error explains is expression. The
neutral is learned beside it. All matrices are constant, so that a frame costs an alignment, two
products and two small bounded solves.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from mien.expression.basis import load_basis
from mien.expression.bounded import solve_bounded
from mien.expression.neutral import NeutralFace, doubt_covariance, noise_covariance
from mien.expression.settings import ExpressionSettings
from mien.expression.shapes import PAIRS, SHAPES
from mien.geometry import umeyama
from mien.markup import load_markup
from mien.types import Expression, Face, Landmarks

__all__ = ["ExpressionReader", "FaceExpressions"]

_LIDS = (
    (SHAPES.index("eyeBlinkRight"), (37, 38), (41, 40)),
    (SHAPES.index("eyeBlinkLeft"), (43, 44), (47, 46)),
)
_LID_SHAPES = [shape for shape, _, _ in _LIDS]
_SIDED = np.array(PAIRS)
_LEAST_STEP_SECS = 1e-3
_STEPS_SECS = (0.0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8)
"""How long a neutral is known, in steps that a table of matrices can have."""
_FORGET_SECS = 5.0
"""A face not seen for so long will not come back under its number."""
_LID_RANGE = (0.2, 2.0)
"""Scales of a blink's shape: a neutral learned from eyes that were shut asks for one near 0."""


class FaceExpressions:
    """Gives every face of a video its expression; each number is a person of its own."""

    def __init__(self, settings: ExpressionSettings | None = None) -> None:
        self._settings = settings or ExpressionSettings()
        self._people: dict[int, _Person] = {}

    def update(self, faces: Sequence[Face], time_secs: float) -> list[Face]:
        """The faces of the next frame with ``expression`` filled in."""
        given = []
        for face in faces:
            person = self._people.get(face.track_id)
            if person is None:
                person = _Person(ExpressionReader(self._settings), time_secs)
                self._people[face.track_id] = person
            expression = person.reader.read(face.landmarks, time_secs - person.seen_secs)
            person.seen_secs = time_secs
            given.append(replace(face, expression=expression))
        for track_id, person in tuple(self._people.items()):
            if time_secs - person.seen_secs > _FORGET_SECS:
                del self._people[track_id]
        return given


class ExpressionReader:
    """Reads one person's expression; make a new one for another person."""

    def __init__(self, settings: ExpressionSettings | None = None) -> None:
        self._settings = settings or ExpressionSettings()
        self._neutral = NeutralFace(self._settings)
        self._found = np.zeros(len(SHAPES))
        self._smooth = _LowPass(self._settings)
        self._lids = np.ones(len(SHAPES))
        self._unlearned_secs = 0.0
        self._scale_lids()

    def read(self, landmarks: Landmarks, step_secs: float) -> Expression:
        """The expression of 68 or 84 points, ``step_secs`` after the last ones (0 at first).

        The very first one knows only the mean head's neutral; one second is usually enough. Points
        that are no face (not finite, or all in one place) leave the expression as it was.
        """
        points, confidence = landmarks.points_image, float(landmarks.confidence.mean())
        if len(points) != 68:
            points = points[list(load_markup(len(points)).ibug68)]
        if not (np.isfinite(points).all() and np.ptp(points, axis=0).max() > 1e-6):
            return Expression(SHAPES, self._smooth.last)
        step_secs = max(step_secs, _LEAST_STEP_SECS)
        settings, neutral_cm = self._settings, self._neutral.points_cm
        columns = load_basis().shown_cm
        expected_cm = neutral_cm + np.tensordot(self._lids * self._found, columns, 1)
        scale, rotation, shift = umeyama(expected_cm, points.astype(np.float64))
        seen_cm = (points - shift) @ rotation / scale
        evidence, certainty = _normal_equations(settings, _known(self._neutral.known_secs))
        pull = self._lids * (evidence @ (seen_cm - neutral_cm).ravel())
        stiffness = self._lids[:, None] * certainty * self._lids
        self._found = _fewest(settings, stiffness, pull, self._found)
        self._learn(seen_cm, confidence, float(rotation[2, 2]), step_secs)
        return Expression(SHAPES, self._smooth.update(self._found, step_secs))

    def _learn(
        self,
        seen_cm: Float[np.ndarray, "68 3"],
        confidence: float,
        frontal: float,
        step_secs: float,
    ) -> None:
        """Now and then show the neutral a moment, the less the more the face is at work."""
        settings = self._settings
        self._unlearned_secs += min(step_secs, settings.learn_every_secs)
        if self._unlearned_secs < settings.learn_every_secs and self._neutral.known_secs > 0:
            return
        calm = 1 / (1 + 2 * float((self._found**2).sum()) / settings.calm)
        weight_secs = confidence**2 * calm * max(frontal, 0.0) ** 4 * self._unlearned_secs
        self._unlearned_secs = 0.0
        self._neutral.learn(self._rested(self._open_eyed(seen_cm)), weight_secs)
        self._scale_lids()

    def _rested(self, seen_cm: Float[np.ndarray, "68 3"]) -> Float[np.ndarray, "68 3"]:
        """What was seen, without a part of what the found shapes explain of it; lids have a rule of
        their own."""
        found = self._settings.explained * self._found
        found[_LID_SHAPES] = 0
        return seen_cm - np.tensordot(found, load_basis().shown_cm, 1)

    def _open_eyed(self, seen_cm: Float[np.ndarray, "68 3"]) -> Float[np.ndarray, "68 3"]:
        """What was seen, with lids that teach the neutral more the wider they are open: those that
        are nearly shut say little of how far the person's eyes are open at rest."""
        settings, taught, neutral = self._settings, seen_cm.copy(), self._neutral.points_cm
        for _, upper, lower in _LIDS:
            open_share = _opening(seen_cm, upper, lower) / _opening(neutral, upper, lower)
            span = settings.open_from - settings.shut_to
            shut = min(max((settings.open_from - open_share) / span, 0.0), 1.0)
            lids = [*upper, *lower]
            more = settings.open_more if open_share > 1 else -settings.shut_ignored * shut
            taught[lids] += more * (seen_cm[lids] - neutral[lids])
        return taught

    def _scale_lids(self) -> None:
        """A blink of 1 shuts the person's own eyes, be they small or large."""
        neutral, columns = self._neutral.points_cm, load_basis().shown_cm
        for shape, upper, lower in _LIDS:
            opening = _opening(neutral, upper, lower)
            closing = -_opening(columns[shape], upper, lower)
            scaled = (1 - self._settings.shut_gap) * opening / closing
            self._lids[shape] = float(np.clip(scaled, *_LID_RANGE))


def _opening(
    points: Float[np.ndarray, "68 3"], upper: tuple[int, int], lower: tuple[int, int]
) -> float:
    """How far the lids are apart, cm."""
    return float((points[list(lower), 1] - points[list(upper), 1]).mean())


@dataclass
class _Person:
    reader: ExpressionReader
    seen_secs: float


class _LowPass:
    """Calms strengths that rest; what moves passes."""

    def __init__(self, settings: ExpressionSettings) -> None:
        self._settings = settings
        self._smooth: Float[np.ndarray, " shapes"] | None = None

    @property
    def last(self) -> Float[np.ndarray, " shapes"]:
        """0 before the first."""
        return np.zeros(len(SHAPES)) if self._smooth is None else self._smooth.copy()

    def update(
        self, strengths: Float[np.ndarray, " shapes"], step_secs: float
    ) -> Float[np.ndarray, " shapes"]:
        if self._smooth is None:
            self._smooth = strengths
        apart = strengths - self._smooth
        cutoff_hz = self._settings.rest_hz + self._settings.open_hz * np.abs(apart) / step_secs
        self._smooth = self._smooth - np.expm1(-2 * np.pi * cutoff_hz * step_secs) * apart
        return self._smooth.copy()


def _known(known_secs: float) -> float:
    """The greatest of ``_STEPS_SECS`` that is not above it."""
    return max(step for step in _STEPS_SECS if step <= known_secs)


@functools.lru_cache(maxsize=2 * len(_STEPS_SECS))
def _normal_equations(
    settings: ExpressionSettings, known_secs: float
) -> tuple[Float[np.ndarray, "shapes coordinates"], Float[np.ndarray, "shapes shapes"]]:
    """``E' C^-1`` and ``E' C^-1 E`` of the shapes' columns E and the covariance C of what is no
    expression: the points' errors, and the error of a neutral known for so long."""
    columns = load_basis().shown_cm.reshape(len(SHAPES), -1)
    covariance = noise_covariance(settings) + doubt_covariance(settings, known_secs)
    evidence = np.linalg.solve(covariance, columns.T).T
    return evidence, evidence @ columns.T


def _fewest(
    settings: ExpressionSettings,
    stiffness: Float[np.ndarray, "shapes shapes"],
    pull: Float[np.ndarray, " shapes"],
    start: Float[np.ndarray, " shapes"],
) -> Float[np.ndarray, " shapes"]:
    """Strengths by which few shapes explain much, in two rounds: what the first found strong needs
    less evidence in the second, what it found weak more (reweighted l1: Candes, Wakin, Boyd,
    "Enhancing sparsity by reweighted l1 minimization", 2008). A pucker is thus not told as a little
    of everything, nor everything else with a little pucker."""
    sparse, prior = _sparse(settings), _prior(settings)
    first = solve_bounded(stiffness + prior, pull - sparse, start)
    usual, least = settings.usual_strength, settings.least_strength
    needed = np.minimum((usual + least) / (first + least), settings.weak_needs)
    needed[_SIDED] = np.minimum(needed[_SIDED], needed[_SIDED[:, ::-1]])
    needed[_LID_SHAPES] = 1.0
    drawn = np.sqrt(np.clip(needed, settings.strong_drawn, 1.0))
    return solve_bounded(stiffness + prior * drawn[:, None] * drawn, pull - sparse * needed, first)


@functools.lru_cache(maxsize=4)
def _sparse(settings: ExpressionSettings) -> Float[np.ndarray, " shapes"]:
    """Evidence that each shape needs; of lids less, as nothing else looks like a blink."""
    needed = np.full(len(SHAPES), settings.sparse)
    needed[_LID_SHAPES] = settings.sparse_lids
    return needed


@functools.lru_cache(maxsize=4)
def _prior(settings: ExpressionSettings) -> Float[np.ndarray, "shapes shapes"]:
    """Shapes are weak unless seen, and the two sides are alike unless seen apart."""
    prior = np.eye(len(SHAPES)) / settings.expression_spread**2
    for left, right in PAIRS:
        prior[[left, right], [left, right]] += 1 / settings.sides_spread**2
        prior[[left, right], [right, left]] -= 1 / settings.sides_spread**2
    return prior
