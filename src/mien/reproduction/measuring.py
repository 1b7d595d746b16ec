"""Errors of a trained row: on stills aligned by their truth, and of a tracker on films."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from mien.evaluation.metrics import (
    YAW_BINS_DEG,
    auc,
    failure_rate,
    mean_or_none,
    nme,
    yaw_bin,
)
from mien.geometry import crop_from_landmarks
from mien.media import open_source
from mien.tracking import LandmarkPredictor, Tracker, TrackerSettings
from mien.tracking.association import match_boxes
from mien.types import Box, Detection, Frame

__all__ = [
    "FaceTruth",
    "Film",
    "Measurement",
    "Still",
    "TruthFinder",
    "measure_films",
    "measure_stills",
]


@dataclass(frozen=True)
class Still:
    """One labelled face of one picture."""

    read_rgb: Callable[[], UInt8[np.ndarray, "height width 3"]]
    truths: tuple[tuple[str, Float[np.ndarray, "68 dims"]], ...]
    """Names and points, pixels from 0; the first aligns the crop."""
    yaw_deg: float | None


@dataclass(frozen=True)
class FaceTruth:
    """One labelled face of one frame."""

    points_image: Float[np.ndarray, "68 dims"]
    yaw_deg: float | None


@dataclass(frozen=True)
class Film:
    """A video with the true faces of its labelled frames, by the frame's index."""

    video_path: Path
    faces: dict[int, tuple[FaceTruth, ...]]


@dataclass(frozen=True)
class Measurement:
    """The errors of one row against one truth of one set."""

    set_name: str
    truth: str
    errors: tuple[float, ...]
    """NME a face, infinite where none was found."""
    yaw_deg: tuple[float | None, ...]

    @property
    def over_images(self) -> float | None:
        """Mean over all faces found: the paper's own protocol (eq. 5)."""
        return mean_or_none([error for error in self.errors if math.isfinite(error)])

    @property
    def over_bins(self) -> float | None:
        """Mean of the three yaw bins' means: that of [45]; ``None`` unless every bin has one."""
        bins: list[list[float]] = [[] for _ in YAW_BINS_DEG]
        for error, yaw in zip(self.errors, self.yaw_deg, strict=True):
            if yaw is not None and math.isfinite(error):
                bins[yaw_bin(yaw)].append(error)
        means = [mean_or_none(each) for each in bins]
        return mean_or_none([mean for mean in means if mean is not None]) if all(bins) else None

    @property
    def missed(self) -> float:
        """Share of the faces that were not found."""
        return 1 - float(np.isfinite(self.errors).mean())

    @property
    def auc(self) -> float:
        """Area under the curve of cumulative errors, to 0.07."""
        return auc(self.errors)

    @property
    def failure_rate(self) -> float:
        """Share of faces above 0.07, those missed among them."""
        return failure_rate(self.errors)


def measure_stills(
    model: LandmarkPredictor,
    set_name: str,
    stills: Sequence[Still],
    on_face: Callable[[int], None] = lambda done: None,
) -> list[Measurement]:
    """One measurement a truth, of crops aligned by the true landmarks as in section 4.1."""
    errors: dict[str, list[float]] = {}
    yaws: dict[str, list[float | None]] = {}
    for done, still in enumerate(stills, start=1):
        aligned = still.truths[0][1][:, :2]
        crop = crop_from_landmarks(aligned, model.mean_shape, model.side)
        points = model.predict(still.read_rgb(), [crop])[0].landmarks.points_image
        for name, truth in still.truths:
            errors.setdefault(name, []).append(nme(points, truth))
            yaws.setdefault(name, []).append(still.yaw_deg)
        on_face(done)
    return [
        Measurement(set_name, name, tuple(each), tuple(yaws[name])) for name, each in errors.items()
    ]


def measure_films(
    first: LandmarkPredictor,
    following: LandmarkPredictor,
    films: Sequence[Film],
    open_finder: Callable[[Film], FaceFinder],
    settings: TrackerSettings,
    on_film: Callable[[int], None] = lambda done: None,
) -> Measurement:
    """The tracker over each film from its first frame, measured on the labelled faces."""
    errors: list[float] = []
    yaws: list[float | None] = []
    for done, film in enumerate(films, start=1):
        tracker = Tracker(open_finder(film), first, following, settings)
        for error, yaw in _film_errors(tracker, film):
            errors.append(error)
            yaws.append(yaw)
        on_film(done)
    return Measurement("videos", "labels", tuple(errors), tuple(yaws))


def _film_errors(tracker: Tracker, film: Film) -> Iterator[tuple[float, float | None]]:
    with open_source(film.video_path) as source:
        for frame in source:
            seen = [face.landmarks.points_image for face in tracker.update(frame)]
            truths = film.faces.get(frame.index, ())
            boxes = [Box.around(points) for points in seen]
            pairs = match_boxes(boxes, [Box.around(truth.points_image) for truth in truths])
            of_truth = {truth: seen[face] for face, truth in pairs}
            for number, truth in enumerate(truths):
                found = of_truth.get(number)
                error = math.inf if found is None else nme(found, truth.points_image)
                yield error, truth.yaw_deg


@dataclass(frozen=True)
class TruthFinder:
    """A detector that is told: the boxes of the true faces, each about its landmarks."""

    film: Film

    def find(self, frame: Frame) -> list[Detection]:
        """The labelled faces of the frame."""
        faces = self.film.faces.get(frame.index, ())
        return [Detection(Box.around(face.points_image), 1.0) for face in faces]
