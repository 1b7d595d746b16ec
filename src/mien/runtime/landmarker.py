"""Crop, predict, lift: the landmarks of places in a picture, and of whole photos."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, UInt8

from mien.alignment import AnswerJudge, LandmarkPredictor, StartSettings, align
from mien.errors import ConfigError
from mien.geometry import (
    Similarity,
    crop_from_box,
    crop_from_landmarks,
    crop_of_head_in_box,
    warp_crop,
)
from mien.markup import Markup, load_markup
from mien.runtime.border import (
    BorderJudge,
    border_features,
    border_map,
    lies_inside,
    recalibrated,
)
from mien.runtime.session import RunCrops, WeightFile, open_weights
from mien.runtime.weights import find_weights
from mien.types import Box, Landmarks, Prediction

__all__ = ["Landmarker", "LandmarkerPair", "load_landmarkers"]


class Landmarker:
    """One network of a model: places of a picture in, landmarks in the picture out.

    A network of 84 points serves both markups: asked for 68, it is read at the 68 among them, and
    nobody behind this class knows of the others. Where the picture's border cuts a face, confidence
    is corrected for the weights that ship (``runtime.border``), of each look or by a judge of the
    answer; any other network's is its own.
    """

    def __init__(self, weights: WeightFile, points: int | None = None) -> None:
        """Take the markup of that many points; ``None`` takes the network's own.

        Raises:
            ConfigError: the network does not have that markup.
        """
        own = load_markup(weights.card.markup)
        self._weights = weights
        self.card = weights.card
        self.markup: Markup = own if points is None else load_markup(points)
        if len(self.markup) > len(own):
            raise ConfigError(
                f"model {self.card.name!r} has {len(own)} points, not {points}: "
                f"run it with --markup {len(own)}, or give weights with {points} points"
            )
        told = border_map(self.card.sha256)
        self._border = told if told is not None and told.of == "look" else None
        self._judge: AnswerJudge | None = None
        if told is not None and told.of == "answer":
            self._judge = BorderJudge(told.weights, self.mean_shape, self.side)
        self._chosen = None if self.markup is own else np.array(own.ibug68)

    @property
    def side(self) -> int:
        """Side of the crops it takes, px."""
        return self.card.side

    @property
    def mean_shape(self) -> Float[np.ndarray, "points 3"]:
        """The mean head that its crops are aligned by."""
        return self.markup.mean_shape

    @property
    def judge(self) -> AnswerJudge | None:
        """What its answers are worth at the picture's border; ``None``: its looks say that."""
        return self._judge

    def predict(
        self,
        image_rgb: UInt8[np.ndarray, "height width 3"],
        image_from_crops: Sequence[Similarity],
    ) -> list[Prediction]:
        """One prediction a crop, in their order."""
        shares = self._shares(image_from_crops)
        if self._weights.lanes == 1 or len(shares) < self._weights.least_batches:
            looks = [self._look(image_rgb, self._weights.run, share) for share in shares]
        else:
            look = functools.partial(self._look, image_rgb)
            looks = list(self._weights.side_by_side(look, shares))
        return [prediction for look in looks for prediction in look]

    def _shares(self, image_from_crops: Sequence[Similarity]) -> list[Sequence[Similarity]]:
        """Equal ones for the lanes, and none above what a batch may be."""
        count = len(image_from_crops)
        size = max(min(-(-count // self._weights.lanes), self._weights.most_crops), 1)
        return [image_from_crops[start : start + size] for start in range(0, count, size)]

    def _look(
        self,
        image_rgb: UInt8[np.ndarray, "height width 3"],
        run: RunCrops,
        image_from_crops: Sequence[Similarity],
    ) -> list[Prediction]:
        crops = [warp_crop(image_rgb, place, self.side) for place in image_from_crops]
        batch = run(crops[0][None] if len(crops) == 1 else np.stack(crops))
        points_crop = batch.points_crop.astype(np.float64)
        confidence = batch.confidence.astype(np.float64)
        if self._chosen is not None:
            points_crop, confidence = points_crop[:, self._chosen], confidence[:, self._chosen]
            points_crop[:, :, 2] -= points_crop[:, :, 2].mean(axis=1, keepdims=True)
        predictions = []
        size = image_rgb.shape[1], image_rgb.shape[0]
        for i, place in enumerate(image_from_crops):
            points, sure = place.apply(points_crop[i]), confidence[i]
            if self._border is not None and not lies_inside(place, self.side, size):
                outside = border_features(points, place, self.side, size)
                sure = recalibrated(sure, outside, self._border.weights)
            predictions.append(Prediction(Landmarks(points, sure), float(batch.score[i])))
        return predictions


@dataclass(frozen=True)
class LandmarkerPair:
    """Both networks of a model (paper 3.4): model 1 after a detection, model 2 afterwards."""

    first: Landmarker
    following: Landmarker
    starts: StartSettings | None = field(default_factory=StartSettings)
    """From where a rough crop is looked at again; ``None``: never."""

    def __post_init__(self) -> None:
        if len(self.first.markup) != len(self.following.markup):
            raise ConfigError(
                "the two files of a model must have the same markup, not "
                f"{len(self.first.markup)} and {len(self.following.markup)} points"
            )

    @property
    def name(self) -> str:
        return self.following.card.name

    @property
    def markup(self) -> Markup:
        return self.following.markup

    def align_crop(
        self,
        image_rgb: UInt8[np.ndarray, "height width 3"],
        image_from_crop: Similarity,
        careful: LandmarkPredictor | None = None,
    ) -> Prediction:
        """Model 2, or ``careful``, on a crop of its side, as landmarks would place it."""
        model: LandmarkPredictor = careful or self.following
        return self._judged(model.predict(image_rgb, [image_from_crop])[0], image_rgb)

    def align_box(
        self,
        image_rgb: UInt8[np.ndarray, "height width 3"],
        box: Box,
        careful: LandmarkPredictor | None = None,
    ) -> Prediction:
        """Landmarks from the box of a face's landmarks.

        The first look says how the head is turned; as its box is known, so is where it lies and how
        near. Model 2 looks from there too, and the two looks are averaged
        (``docs/decisions/0035-more-looks.md``); ``careful`` looks at what both say.
        """
        (seen,) = self.refine(image_rgb, [crop_from_box(box, self.first.side)])
        model = self.following
        points = seen.landmarks.points_image
        crop = crop_of_head_in_box(box, points, model.mean_shape, model.side)
        both = _mean(seen, self.align_crop(image_rgb, crop))
        if careful is None:
            return both
        points = both.landmarks.points_image
        crop = crop_from_landmarks(points, careful.mean_shape, careful.side)
        return self.align_crop(image_rgb, crop, careful)

    def refine(
        self,
        image_rgb: UInt8[np.ndarray, "height width 3"],
        image_from_crops: Sequence[Similarity],
        careful: LandmarkPredictor | None = None,
    ) -> list[Prediction]:
        """Model 1 on rough crops of its side, then model 2 on crops by model 1's landmarks;
        where they doubt or differ, again from other rolls (:func:`mien.alignment.align`)."""
        seen_all = align(
            self.first,
            self.following,
            image_rgb,
            image_from_crops,
            starts=self.starts,
            careful=careful,
        )
        return [self._judged(seen, image_rgb) for seen in seen_all if seen is not None]

    def _judged(
        self, seen: Prediction, image_rgb: UInt8[np.ndarray, "height width 3"]
    ) -> Prediction:
        judge = self.following.judge
        if judge is None:
            return seen
        size = image_rgb.shape[1], image_rgb.shape[0]
        return Prediction(judge(seen.landmarks, size), seen.score)


def _mean(one: Prediction, other: Prediction) -> Prediction:
    points = (one.landmarks.points_image + other.landmarks.points_image) / 2
    confidence = (one.landmarks.confidence + other.landmarks.confidence) / 2
    return Prediction(Landmarks(points, confidence), (one.score + other.score) / 2)


def load_landmarkers(
    model: str, *, points: int | None = None, threads: int | None = None
) -> LandmarkerPair:
    """Open the model of that name or path (see :func:`mien.runtime.weights.find_weights`).

    Args:
        points: the markup asked for: 68, which every model has, or 84; ``None`` takes the
            model's own.
        threads: threads for the network; ``None`` means all cores.

    Raises:
        ModelError: unknown model, or a file that is not a weight file.
        ConfigError: the model does not have that markup, or its engine is not installed.
    """
    paths = find_weights(model)
    following = Landmarker(open_weights(paths.tracking, threads, paths.engine), points)
    same = paths.detection == paths.tracking
    if same:
        return LandmarkerPair(following, following)
    first = Landmarker(open_weights(paths.detection, threads, paths.engine), points)
    return LandmarkerPair(first, following)
