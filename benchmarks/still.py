"""What steadies a still face without other weights: filters, and means of several crops.

    python benchmarks/still.py --data FACES --clips CLIPS --json benchmarks/results/still.json nano

The faces of ``steadiness.py``, tracked once without smoothing; every frame is read in each way on
the very same crop, and each way's points go through each filter. Val faces alone. ``perfect`` are
the true points themselves: what a tracker gives that follows the shake and has no noise. What the
filters do to heads and lids that move is measured on clips of ``mien data video`` of val people.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from looks import CHANGES, MIRROR, halved
from mien.datasets.ours.clips import read_clips
from mien.datasets.ours.pack import read_face_pack
from mien.evaluation import steadiness
from mien.evaluation.metrics import face_size
from mien.evaluation.videos import VideoTruth, follow_video, score_video
from mien.files import write_atomically
from mien.geometry import Similarity, mirror_crop
from mien.runtime import Landmarker, LandmarkerPair, load_landmarkers, open_detector
from mien.tracking import SmoothingSettings, Tracker, TrackerSettings
from mien.tracking.smoothing import PointFilter
from mien.types import Box, Face, Frame, Landmarks, Prediction
from provenance import command, weights_of

SHIPS = SmoothingSettings()
FILTERS: dict[str, SmoothingSettings | None] = {
    "none": None,
    "as it ships": SHIPS,
    **{
        f"rest {rest}, shake {shake}": dataclasses.replace(SHIPS, rest_hz=rest, shake=shake)
        for rest in (2.5, 2.0, 1.5)
        for shake in (0.0, 0.03, 0.06, 0.1, 0.15)
    },
}
CROPS = ("one", "mirrored too", "two, half a cell apart", "free of aliasing")
STEP_SECS, CLIPS = 1 / 30, 3


@dataclass
class Seen:
    """One face in one frame."""

    points: dict[str, np.ndarray]
    confidence: np.ndarray


@dataclass
class EveryWay:
    """A network that answers by one look, and remembers what the other ways see."""

    inner: Landmarker
    plain: bool
    """One look alone."""
    seen: dict[int, tuple[Prediction, dict[str, np.ndarray]]] = field(default_factory=dict)

    @property
    def side(self) -> int:
        return self.inner.side

    @property
    def mean_shape(self) -> np.ndarray:
        return self.inner.mean_shape

    def predict(self, image_rgb: np.ndarray, places: Sequence[Similarity]) -> list[Prediction]:
        found = self.inner.predict(image_rgb, places)
        for place, one in zip(places, found, strict=True):
            self.seen[id(one.landmarks)] = one, self._ways(image_rgb, place, one)
        return found

    def _ways(
        self, image_rgb: np.ndarray, place: Similarity, one: Prediction
    ) -> dict[str, np.ndarray]:
        own, model = one.landmarks.points_image, self.inner
        if self.plain:
            return {CROPS[0]: own}
        flipped, width = np.ascontiguousarray(image_rgb[:, ::-1]), image_rgb.shape[1]
        (mirrored,) = model.predict(flipped, [mirror_crop(place, width, self.side)])
        twin = mirrored.landmarks.points_image[MIRROR].copy()
        twin[:, 0] = width - 1 - twin[:, 0]
        moved = [place @ CHANGES[name](self.side) for name in ("cell", "-cell")]
        apart = [each.landmarks.points_image for each in model.predict(image_rgb, moved)]
        clear = own.copy()
        clear[:, :2] = halved(model, image_rgb, place)
        means = (own, (own + twin) / 2, (apart[0] + apart[1]) / 2, clear)
        return dict(zip(CROPS, means, strict=True))


@dataclass
class Recorder:
    """The tracker, and what every way saw in each frame of each sequence."""

    tracker: Tracker
    network: EveryWay
    sequences: list[list[list[tuple[Box, Seen]]]] = field(default_factory=list)

    def reset(self) -> None:
        self.tracker.reset()
        self.sequences.append([])

    def update(self, frame: Frame) -> list[Face]:
        faces = self.tracker.update(frame)
        self.sequences[-1].append([(face.box, self._seen(face)) for face in faces])
        self.network.seen.clear()
        return faces

    def _seen(self, face: Face) -> Seen:
        own = face.landmarks
        _, ways = self.network.seen.get(id(own), (None, dict.fromkeys(CROPS, own.points_image)))
        return Seen(ways, own.confidence)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the face pack")
    parser.add_argument("--faces", type=int, default=12)
    parser.add_argument("--plain", action="store_true", help="one crop alone: no means of several")
    parser.add_argument("--clips", type=Path, help="clips of val people")
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("models", nargs="+")
    given = parser.parse_args()
    photos = read_face_pack(given.data, split="val", sources=["helen"])
    photos = photos[:: max(1, len(photos) // given.faces)][: given.faces]
    truths = [photo.points_image[photo.valid, :2] for photo in photos]
    results = json.loads(given.json.read_text()) if given.json.exists() else {}
    for model in given.models:
        pair = load_landmarkers(model, points=68, threads=1)
        network = EveryWay(pair.following, given.plain)
        settings = TrackerSettings(smoothing=None)
        recorder = Recorder(
            Tracker(open_detector("centerface", 1), pair.first, network, settings), network
        )
        steadiness.measure_steadiness(photos, recorder)
        rows = {
            crops: {name: told(recorder, truths, crops, one) for name, one in FILTERS.items()}
            for crops in (CROPS[:1] if given.plain else CROPS)
        }
        results[model] = {
            "networks": weights_of(model),
            "command": command(),
            "photos": len(photos),
            "perfect": round(float(np.mean([shake_of(truth) for truth in truths])), 7),
            "rows": rows,
            "clips": of_clips(given.clips, pair) if given.clips else None,
        }
        write_atomically(given.json, (json.dumps(results, indent=1) + "\n").encode())
        print(model, json.dumps(results[model], indent=1), flush=True)


def of_clips(folder: Path, pair: LandmarkerPair) -> dict[str, dict[str, float]]:
    """Every filter on what one tracker saw: errors, jitter and lids."""
    settings = TrackerSettings(smoothing=None)
    tracker = Tracker(open_detector("centerface", 1), pair.first, pair.following, settings)
    clips = read_clips(folder)[:CLIPS]
    truths = [VideoTruth.of_clip(clip) for clip in clips]
    raw = [follow_video(truth, tracker) for truth in truths]
    rows = {}
    for name, one in FILTERS.items():
        scores = [
            score_video(truth, smoothed(tracked, clip.time_secs, one))
            for clip, truth, tracked in zip(clips, truths, raw, strict=True)
        ]
        errors = np.concatenate([score.errors for score in scores])
        figures = {
            "nme": errors[np.isfinite(errors)].mean(),
            "jitter": np.concatenate([score.jitters for score in scores]).mean(),
            "eyes_shut": np.concatenate([score.eye_errors_shut for score in scores]).mean(),
            "eyes_open": np.concatenate([score.eye_errors_open for score in scores]).mean(),
        }
        rows[name] = {key: round(float(value), 5) for key, value in figures.items()}
    return rows


def smoothed(
    tracked: list[list[Face]], times_secs: np.ndarray, settings: SmoothingSettings | None
) -> list[list[Face]]:
    """The faces of one clip, each number through a filter of its own."""
    if settings is None:
        return tracked
    filters: dict[int, PointFilter] = {}
    steps = np.diff(times_secs, prepend=times_secs[0] - STEP_SECS)
    frames = []
    for faces, step in zip(tracked, steps.tolist(), strict=True):
        kept = {face.track_id: filters.get(face.track_id) for face in faces}
        filters = {number: one or PointFilter(settings) for number, one in kept.items()}
        frames.append([through(filters[face.track_id], face, step) for face in faces])
    return frames


def through(one: PointFilter, face: Face, step_secs: float) -> Face:
    points, sure = face.landmarks.points_image, face.landmarks.confidence
    box = Box.around(points)
    new = one.update(points, sure, math.sqrt(box.width * box.height), step_secs)
    return dataclasses.replace(face, landmarks=Landmarks(new, sure))


def shake_of(truth: np.ndarray) -> float:
    """Mean length of the shake, as a share of the face's size."""
    return steadiness._SHAKE_PX * math.sqrt(math.pi / 2) / face_size(truth)


def told(
    recorder: Recorder, truths: list[np.ndarray], crops: str, settings: SmoothingSettings | None
) -> dict[str, float]:
    """As ``mien.evaluation.steadiness`` measures them."""
    jitters, lags = list[float](), list[float]()
    swing = np.sin(2 * np.pi * steadiness._SWING_HZ * np.arange(steadiness._SWING_FRAMES) / 30)
    for number, truth in enumerate(truths):
        still, moving = recorder.sequences[2 * number : 2 * number + 2]
        size = face_size(truth)
        shifts = steadiness._SWING_SIZES * size * swing
        settled = filtered(still, truth, np.zeros(len(still)), crops, settings)
        settled = settled[steadiness._SETTLING_FRAMES :]
        jitters.append(float(np.linalg.norm(settled - settled.mean(axis=0), axis=2).mean()) / size)
        moved = filtered(moving, truth, shifts, crops, settings)
        lags.append(steadiness.fitted_lag(moved.mean(axis=1)[:, 0], shifts))
    return {
        "jitter": round(float(np.mean(jitters)), 7), "lag_frames": round(float(np.mean(lags)), 4)
    }  # fmt: skip


def filtered(
    sequence: list[list[tuple[Box, Seen]]],
    truth: np.ndarray,
    shifts: np.ndarray,
    crops: str,
    settings: SmoothingSettings | None,
) -> np.ndarray:
    """The points of the labelled face in each frame."""
    smooth = None if settings is None else PointFilter(settings)
    kept = []
    for faces, shift in zip(sequence, shifts, strict=True):
        box = Box.around(truth + np.array([shift, 0.0]))
        _, seen = max(faces, key=lambda one: one[0].iou(box))
        points = seen.points[crops]
        if smooth is not None:
            at = Box.around(points)
            size = math.sqrt(at.width * at.height)
            points = smooth.update(points, seen.confidence, size, STEP_SECS)
        kept.append(points[:, :2])
    return np.stack(kept)


if __name__ == "__main__":
    main()
