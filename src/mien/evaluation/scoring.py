"""Predictions against the truth: a score a face, and one for the whole set (paper 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from mien.datasets.photo import LabelledPhoto
from mien.errors import DataError
from mien.evaluation.metrics import (
    YAW_BINS_DEG,
    auc,
    failure_rate,
    mean_or_none,
    nme,
    nme_3d,
    nme_inner51,
    yaw_bin,
)
from mien.evaluation.predictions import Predictions

__all__ = ["BinScore", "FaceScore", "Score", "score"]


@dataclass(frozen=True)
class FaceScore:
    """One face; its errors are ``None`` where it was missed or where they are not defined."""

    name: str
    yaw_deg: float | None
    missed: bool
    nme: float | None
    nme_inner51: float | None
    nme_3d: float | None


@dataclass(frozen=True)
class BinScore:
    """The faces of one range of yaw."""

    name: str
    n: int
    missed: int
    nme: float | None
    """Mean over the faces found; ``None`` where there are none."""
    nme_inner51: float | None


@dataclass(frozen=True)
class Score:
    """A whole set. Means are over the faces found; missed ones fail in AUC and failure rate."""

    per_image: tuple[FaceScore, ...]
    bins: tuple[BinScore, ...] | None
    """``None`` where no face's yaw is known."""

    @property
    def n(self) -> int:
        return len(self.per_image)

    @property
    def missed(self) -> int:
        return sum(face.missed for face in self.per_image)

    @property
    def nme(self) -> float | None:
        return mean_or_none([face.nme for face in self.per_image if face.nme is not None])

    @property
    def nme_inner51(self) -> float | None:
        inner = [face.nme_inner51 for face in self.per_image if face.nme_inner51 is not None]
        return mean_or_none(inner)

    @property
    def nme_3d(self) -> float | None:
        return mean_or_none([face.nme_3d for face in self.per_image if face.nme_3d is not None])

    @property
    def balanced(self) -> float | None:
        """Mean of the bins' NMEs; ``None`` unless every bin has one."""
        means = [one.nme for one in self.bins or () if one.nme is not None]
        return mean_or_none(means) if len(means) == len(YAW_BINS_DEG) else None

    @property
    def errors(self) -> list[float]:
        """NME a face, infinite for a face missed."""
        return [float("inf") if face.nme is None else face.nme for face in self.per_image]

    @property
    def auc_07(self) -> float:
        return auc(self.errors)

    @property
    def failure_rate_07(self) -> float:
        return failure_rate(self.errors)


def score(
    photos: Sequence[LabelledPhoto], predictions: Predictions, truth_name: str | None = None
) -> Score:
    """Measure predictions against the truth, or against the other truth of that name.

    Faces that lack the other truth are left out.

    Raises:
        DataError: the predictions are of other photos, or a truth spans no area.
    """
    if predictions.names != tuple(photo.name for photo in photos):
        raise DataError("the predictions are of other photos than the data set: predict again")
    faces = []
    for photo, points in zip(photos, predictions.points_image, strict=True):
        truth = photo.points_image if truth_name is None else _other_truth(photo, truth_name)
        if truth is not None:
            faces.append(_score_face(photo, points, truth))
    return Score(tuple(faces), _score_bins(faces))


def _other_truth(photo: LabelledPhoto, name: str) -> Float[np.ndarray, "68 dims"] | None:
    return next((other.points_image for other in photo.other_truths if other.name == name), None)


def _score_face(
    photo: LabelledPhoto,
    points: Float[np.ndarray, "68 3"],
    truth: Float[np.ndarray, "68 dims"],
) -> FaceScore:
    if not np.isfinite(points).all():
        return FaceScore(photo.name, photo.yaw_deg, True, None, None, None)
    try:
        return FaceScore(
            photo.name,
            photo.yaw_deg,
            False,
            nme(points, truth),
            nme_inner51(points, truth),
            nme_3d(points, truth),
        )
    except ValueError as error:
        raise DataError(f"{photo.name}: {error}; mend or remove that label") from error


def _score_bins(faces: Sequence[FaceScore]) -> tuple[BinScore, ...] | None:
    if all(face.yaw_deg is None for face in faces):
        return None
    bins = []
    for index, (lower, upper) in enumerate(YAW_BINS_DEG):
        inside = [f for f in faces if f.yaw_deg is not None and yaw_bin(f.yaw_deg) == index]
        errors = [face.nme for face in inside if face.nme is not None]
        inner = [face.nme_inner51 for face in inside if face.nme_inner51 is not None]
        name = f"{'[' if lower == 0 else '('}{lower},{upper}]"
        missed = sum(face.missed for face in inside)
        means = mean_or_none(errors), mean_or_none(inner)
        bins.append(BinScore(name, len(inside), missed, *means))
    return tuple(bins)
