"""The first look at a face: model 1 on a rough crop, aligned anew, model 2 (paper 3.4).

Beyond the paper: where that look is doubtful, model 1 looks again with the crop turned to other
rolls, model 2 follows its most confident looks up, and the best pair is kept. A rough crop knows
little of a head's roll, and beyond 60 degrees model 1 fails.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from mien.alignment.border import beyond_border, cut_direction, joined_looks, may_be_one_face
from mien.alignment.predictor import LandmarkPredictor, judge_of
from mien.alignment.settings import StartSettings
from mien.geometry import FACE_SHARE, Similarity, crop_from_landmarks
from mien.types import Box, Prediction

__all__ = ["align"]

_FARTHEST = 0.5
"""Face sizes by which a face may lie beside the middle of its rough crop."""


def align(
    first: LandmarkPredictor,
    following: LandmarkPredictor,
    image_rgb: UInt8[np.ndarray, "height width 3"],
    rough: Sequence[Similarity],
    accepts: Callable[[Prediction], bool] = lambda seen: True,
    starts: StartSettings | None = None,
    may_start_anew: Sequence[bool] | None = None,
    careful: LandmarkPredictor | None = None,
) -> list[Prediction | None]:
    """What model 2 sees on the crops that model 1's landmarks give.

    Args:
        first: model 1, which looks at the rough crops.
        following: model 2.
        rough: ``image_from_crop`` of each face, of model 1's side.
        accepts: whether what a model sees is a face; model 2 does not look where model 1 saw none.
        starts: how doubtful faces are looked at again; ``None``: not at all.
        may_start_anew: which of the faces ``starts`` is for; ``None``: all.
        careful: what looks in model 2's stead at the faces that were kept, aligned once more.

    Returns:
        One a rough crop, in their order; ``None`` where either saw no face. Confidences are as
        looks have them: the judge of ``following``, if there is one, comes after.
    """
    if not rough:
        return []
    pair = _Models(first, following, image_rgb, accepts)
    guesses = first.predict(image_rgb, rough)
    passed = [i for i, guess in enumerate(guesses) if accepts(guess)]
    best: list[_Look | None] = [None] * len(rough)
    for i, look in zip(passed, pair.follow_up([guesses[i] for i in passed]), strict=True):
        best[i] = look if accepts(look.seen) else None
    if starts is not None and starts.rolls_deg:
        may = may_start_anew or [True] * len(rough)
        again = [i for i, look in enumerate(best) if may[i] and _is_doubtful(look, starts)]
        anew = pair.from_other_rolls([rough[i] for i in again], starts)
        for i, looks in zip(again, anew, strict=True):
            faces = [each for each in looks if accepts(each.seen)]
            best[i] = _best_of(best[i], faces, starts)
    kept = [None if look is None else look.seen for look in best]
    if starts is not None and starts.border:
        kept = pair.beyond_border(rough, kept)
    if careful is None:
        return kept
    found = [seen for seen in kept if seen is not None]
    closely = iter(_follow_up(careful, image_rgb, found))
    return [None if seen is None else next(closely) for seen in kept]


@dataclass(frozen=True)
class _Look:
    """What the two models see from one start."""

    guess: Prediction
    """Of model 1."""
    seen: Prediction
    """Of model 2, on the crop that the guess aligned."""

    @property
    def confidence(self) -> float:
        return float(self.seen.landmarks.confidence.mean())

    @property
    def disagreement(self) -> float:
        """Mean distance between the points of both, in face sizes."""
        ours = self.seen.landmarks.points_image[:, :2]
        box = Box.around(ours)
        off = np.linalg.norm(ours - self.guess.landmarks.points_image[:, :2], axis=1)
        return float(off.mean()) / max(math.sqrt(box.width * box.height), 1e-6)

    @property
    def quality(self) -> float:
        """By which one of several looks is kept."""
        quality = self.confidence - self.disagreement
        return quality if math.isfinite(quality) else -math.inf


def _best_of(own: _Look | None, others: Sequence[_Look], starts: StartSettings) -> _Look | None:
    if own is None:
        others = [each for each in others if each.confidence >= starts.least_when_found_anew]
    looks = [*others, *([] if own is None else [own])]
    return max(looks, key=lambda each: each.quality, default=None)


def _is_doubtful(look: _Look | None, starts: StartSettings) -> bool:
    return (
        look is None
        or not look.confidence >= starts.least_confidence
        or not look.disagreement <= starts.most_disagreement
    )


@dataclass(frozen=True)
class _Models:
    """Both models before one picture."""

    first: LandmarkPredictor
    following: LandmarkPredictor
    image_rgb: UInt8[np.ndarray, "height width 3"]
    accepts: Callable[[Prediction], bool]

    def follow_up(self, guesses: Sequence[Prediction]) -> list[_Look]:
        """Model 2 on the crop that each guess aligns."""
        seen_all = _follow_up(self.following, self.image_rgb, guesses)
        return [_Look(*both) for both in zip(guesses, seen_all, strict=True)]

    def beyond_border(
        self, rough: Sequence[Similarity], kept: Sequence[Prediction | None]
    ) -> list[Prediction | None]:
        """What is kept, and of faces that the border cuts the average with looks from outside."""
        size = self.image_rgb.shape[1], self.image_rgb.shape[0]
        mean_shape, side = self.following.mean_shape, self.first.side
        is_judged = judge_of(self.following) is not None
        joined = list(kept)
        for i, (crop, seen) in enumerate(zip(rough, kept, strict=True)):
            if (
                seen is None
                or (direction := cut_direction(seen.landmarks.points_image, size)) is None
            ):
                continue
            crops = beyond_border(crop, side, seen, mean_shape, direction)
            guesses = [
                one for one in self.first.predict(self.image_rgb, crops) if self.accepts(one)
            ]
            looks = [
                look.seen
                for look in self.follow_up(guesses)
                if self.accepts(look.seen) and may_be_one_face(look.seen, seen)
            ]
            if looks:
                every = [seen, *looks]
                joined[i] = joined_looks(every, mean_shape, size, is_judged=is_judged)
        return joined

    def from_other_rolls(
        self, rough: Sequence[Similarity], starts: StartSettings
    ) -> list[list[_Look]]:
        """For each crop the most promising looks from the other rolls."""
        if not rough:
            return []
        turned = [
            _rolled(crop, roll, self.first.side) for crop in rough for roll in starts.rolls_deg
        ]
        guesses = self.first.predict(self.image_rgb, turned)
        count = len(starts.rolls_deg)
        chosen = []
        for i, crop in enumerate(rough):
            own = guesses[i * count : (i + 1) * count]
            faces = [
                guess
                for guess in own
                if self.accepts(guess) and _has_stayed(guess, crop, self.first.side)
            ]
            chosen.append(sorted(faces, key=_confidence)[-starts.followed_up :])
        looks = iter(self.follow_up([guess for ones in chosen for guess in ones]))
        return [[next(looks) for _ in ones] for ones in chosen]


def _follow_up(
    model: LandmarkPredictor,
    image_rgb: UInt8[np.ndarray, "height width 3"],
    seen_all: Sequence[Prediction],
) -> Sequence[Prediction]:
    if not seen_all:
        return []
    places = [
        crop_from_landmarks(seen.landmarks.points_image, model.mean_shape, model.side)
        for seen in seen_all
    ]
    return model.predict(image_rgb, places)


def _rolled(image_from_crop: Similarity, roll_deg: float, side: int) -> Similarity:
    """The crop turned about its middle."""
    middle = ((side - 1) / 2, (side - 1) / 2)
    return image_from_crop @ Similarity.about(middle, angle_rad=math.radians(roll_deg))


def _confidence(guess: Prediction) -> float:
    return float(guess.landmarks.confidence.mean())


def _has_stayed(guess: Prediction, image_from_crop: Similarity, side: int) -> bool:
    """Whether the points are those of a face in the crop's middle, not of its neighbour."""
    points = guess.landmarks.points_image[:, :2]
    if not np.isfinite(points).all() or np.ptp(points, axis=0).max() <= 0:
        return False
    centre = image_from_crop.inverse().apply(np.array(Box.around(points).centre))
    return bool(np.linalg.norm(centre - (side - 1) / 2) <= _FARTHEST * FACE_SHARE * side)
