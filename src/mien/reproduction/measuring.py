"""Errors of a trained row: on stills aligned by their truth, and of a tracker on films."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from mien.errors import ConfigError
from mien.evaluation.metrics import nme
from mien.evaluation.videos import VideoTruth, follow_video, score_video
from mien.geometry import crop_from_landmarks, pose_head
from mien.reproduction.jobs import Reproduction
from mien.reproduction.measurement import Measurement, Still
from mien.reproduction.progress import Listener
from mien.runtime import open_detector
from mien.tracking import LandmarkPredictor, Tracker, TrackerSettings
from mien.types import Detection, FaceFinder, Frame

__all__ = ["TruthFinder", "measure_films", "measure_row", "measure_stills"]


def measure_row(
    first: LandmarkPredictor,
    following: LandmarkPredictor,
    work: Reproduction,
    listener: Listener,
    label: str,
) -> list[Measurement]:
    """A row's networks on all that the table is measured on."""
    material = work.material
    if work.target.on_video:
        listener.begin(f"tracking with {label}", len(material.films))
        finder = _finders(work.detector, len(material.films))
        settings, films = work.scale.tracker, material.films
        return [measure_films(first, following, films, finder, settings, listener.advance)]
    measured: list[Measurement] = []
    for name, stills in material.stills:
        listener.begin(f"measuring {label} on {name}", len(stills))
        measured += measure_stills(following, name, stills, listener.advance)
    return measured


def measure_stills(
    model: LandmarkPredictor,
    set_name: str,
    stills: Sequence[Still],
    on_face: Callable[[int], None] = lambda done: None,
) -> list[Measurement]:
    """One measurement a truth, of crops aligned by the true landmarks as in section 4.1."""
    errors: dict[str, list[tuple[float, float | None, float]]] = {}
    for done, still in enumerate(stills, start=1):
        aligned = still.truths[0][1][:, :2]
        crop = crop_from_landmarks(aligned, model.mean_shape, model.side)
        points = model.predict(still.read_rgb(), [crop])[0].landmarks.points_image
        for name, truth in still.truths:
            pose = _pose_error_deg(points, truth, model.mean_shape)
            errors.setdefault(name, []).append((nme(points, truth), still.yaw_deg, pose))
        on_face(done)
    return [
        Measurement(set_name, name, *(tuple(column) for column in zip(*rows, strict=True)))
        for name, rows in errors.items()
    ]


def _pose_error_deg(
    points: Float[np.ndarray, "68 3"],
    truth: Float[np.ndarray, "68 dims"],
    mean_shape: Float[np.ndarray, "68 3"],
) -> float:
    """Of pitch, yaw and roll, in the mean: the paper's "viewpoint", which section 3.3 mends.

    Both poses are read from x and y alone, for not every truth has depth.
    """
    seen, true = (pose_head(each[:, :2], mean_shape).pose for each in (points, truth))
    off = np.subtract(
        (seen.pitch_deg, seen.yaw_deg, seen.roll_deg), (true.pitch_deg, true.yaw_deg, true.roll_deg)
    )
    return float(np.abs((off + 180) % 360 - 180).mean())


def measure_films(
    first: LandmarkPredictor,
    following: LandmarkPredictor,
    films: Sequence[VideoTruth],
    open_finder: Callable[[VideoTruth], FaceFinder],
    settings: TrackerSettings,
    on_film: Callable[[int], None] = lambda done: None,
) -> Measurement:
    """The tracker over each film from its first frame, measured on the labelled faces."""
    errors: list[float] = []
    yaws: list[float | None] = []
    for done, film in enumerate(films, start=1):
        tracker = Tracker(open_finder(film), first, following, settings)
        score = score_video(film, follow_video(film, tracker))
        errors += score.errors.tolist()
        yaws += [None if math.isnan(yaw) else yaw for yaw in score.yaw_deg.tolist()]
        on_film(done)
    return Measurement("videos", "labels", tuple(errors), tuple(yaws))


@dataclass(frozen=True)
class TruthFinder:
    """A detector that is told: the boxes of the true faces, each about its landmarks."""

    film: VideoTruth

    def find(self, frame: Frame) -> list[Detection]:
        """The labelled faces of the frame."""
        return [Detection(box, 1.0) for box in self.film.boxes_at(frame.index)]


def _finders(name: str, films: int) -> Callable[[VideoTruth], FaceFinder]:
    """The detector, opened once; one that is told the truth is new for each film."""
    if name == "truth":
        return TruthFinder
    if name.startswith("boxes:") and films > 1:
        raise ConfigError(f"a file of boxes is of one film, and there are {films}: choose another")
    opened = open_detector(name)
    return lambda film: opened
