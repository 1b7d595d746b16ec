"""Count single wrong frames in films: a head that is read turned away for one frame.

    python benchmarks/wrong_frames.py CLIPS --model nano --set real --out wrong_frames.json

A frame is wrong where a face's yaw, as `mien track` hands it out, differs by more than 8 degrees
from that of both neighbouring frames and from a fresh look: the same frame read as a photo that
nothing follows (detector, model 1, model 2, other rolls where in doubt). Where the detector does
not see the face, the fresh look starts from the box of the frame before. Made clips know their
truth, which takes the fresh look's place, and for them the error of all faces is told. Each clip is
followed without and with second looks (`mien.tracking.recheck`). `--sheet` draws what was found,
the frame between its neighbours.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mien.datasets.ours.clips import read_clips
from mien.evaluation.video_score import VideoScore
from mien.evaluation.videos import VideoTruth, score_video
from mien.geometry import Similarity, crop_from_box, pose_head
from mien.geometry.convention import Convention
from mien.media import open_source
from mien.pipeline import find_faces
from mien.runtime import LandmarkerPair, load_landmarkers, open_detector
from mien.tracking import Tracker, TrackerSettings
from mien.types import Box, Face, Frame, Prediction

FAR_DEG = 8.0
SAME_IOU = 0.3
LONGEST_STEP_SECS = 0.2
"""Neighbours farther apart in time are none."""
TILE = 200


@dataclass
class Counted:
    """A network that counts the crops it reads."""

    inner: Any
    crops: int = 0

    @property
    def side(self) -> int:
        return int(self.inner.side)

    @property
    def mean_shape(self) -> np.ndarray:
        return np.asarray(self.inner.mean_shape)

    def predict(self, image_rgb: np.ndarray, places: Sequence[Similarity]) -> list[Prediction]:
        self.crops += len(places)
        return list(self.inner.predict(image_rgb, places))


@dataclass(frozen=True)
class Moment:
    """A frame and its faces by number."""

    frame: Frame
    faces: dict[int, Face]


@dataclass
class Counts:
    """Of one clip, followed in one way."""

    frames: int = 0
    faces: int = 0
    differ: int = 0
    """Faces whose yaw differs from both neighbours."""
    wrong: list[dict[str, Any]] = field(default_factory=list)
    sheet: list[np.ndarray] = field(default_factory=list)
    score: VideoScore | None = None
    """Of a made clip, against its truth."""


class Model:
    """The networks and the detector, opened once."""

    def __init__(self, name: str, threads: int) -> None:
        self.pair: LandmarkerPair = load_landmarkers(name, points=68, threads=threads)
        self.detector = open_detector("centerface")
        self.first, self.following = Counted(self.pair.first), Counted(self.pair.following)
        self._photo = Tracker(self.detector, self.pair.first, self.pair.following)

    def tracker(self, settings: TrackerSettings) -> Tracker:
        return Tracker(self.detector, self.first, self.following, settings)

    def fresh_yaw_deg(self, frame: Frame, near: Sequence[Box]) -> float:
        """Of the face there, read as if this frame were a photo."""
        for box in near:
            found = [(face.box.iou(box), face) for face in find_faces(frame.image_rgb, self._photo)]
            overlap, face = max(found, key=lambda one: one[0], default=(0.0, None))
            if face is not None and overlap >= SAME_IOU:
                return face.pose.yaw_deg
        crop = crop_from_box(near[0], self.pair.first.side)
        (seen,) = self.pair.refine(frame.image_rgb, [crop])
        return pose_head(seen.landmarks.points_image, self.pair.markup.mean_shape).pose.yaw_deg


def triples(moments: Iterator[Moment]) -> Iterator[tuple[Moment, Moment, Moment]]:
    """Each frame between its neighbours."""
    last: list[Moment] = []
    for moment in moments:
        last = [*last[-2:], moment]
        if len(last) == 3:
            yield last[0], last[1], last[2]


def off_deg(one: float, other: float) -> float:
    """Difference of two angles."""
    return abs((one - other + 180) % 360 - 180)


def count(path: Path, model: Model, settings: TrackerSettings, truth: Any) -> Counts:
    """Follow a clip and count."""
    counts, tracker = Counts(), model.tracker(settings)
    tracked: list[list[Face]] = []

    def moments() -> Iterator[Moment]:
        with open_source(str(path)) as source:
            for frame in source:
                tracked.append(tracker.update(frame))
                faces = {face.track_id: face for face in tracked[-1]}
                counts.frames += 1
                counts.faces += len(faces)
                yield Moment(frame, faces)

    for before, here, after in triples(moments()):
        if after.frame.time_secs - before.frame.time_secs > 2 * LONGEST_STEP_SECS:
            continue
        for number in here.faces.keys() & before.faces.keys() & after.faces.keys():
            trio = [one.faces[number] for one in (before, here, after)]
            yaws = [face.pose.yaw_deg for face in trio]
            if min(off_deg(yaws[1], yaws[0]), off_deg(yaws[1], yaws[2])) <= FAR_DEG:
                continue
            counts.differ += 1
            fresh = true_yaw_deg(truth, here.frame.index, trio[1].box)
            if fresh is None:
                fresh = model.fresh_yaw_deg(here.frame, [trio[0].box, trio[2].box, trio[1].box])
            if off_deg(yaws[1], fresh) > FAR_DEG:
                told = {"frame": here.frame.index, "face": number}
                told |= {"yaw_deg": [round(yaw, 1) for yaw in yaws], "fresh_deg": round(fresh, 1)}
                told |= {"score": [round(face.score, 3) for face in trio]}
                counts.wrong.append(told)
                images = [one.frame.image_rgb for one in (before, here, after)]
                counts.sheet.append(drawn(images, trio, f"{path.stem} {here.frame.index}"))
    if truth is not None:
        own = Convention(model.pair.following.card.convention)
        counts.score = score_video(VideoTruth.of_clip(truth, own), tracked)
    return counts


def true_yaw_deg(truth: Any, frame: int, box: Box) -> float | None:
    """Of the made face that lies there; ``None`` where there is none."""
    if truth is None:
        return None
    for face in np.flatnonzero(truth.present[:, frame]):
        if Box.around(truth.points_image[face, frame]).iou(box) >= SAME_IOU:
            return float(truth.yaw_deg[face, frame])
    return None


def against_truth(scores: list[VideoScore]) -> dict[str, Any]:
    """Of made clips: errors as shares of the face's size."""
    if not scores:
        return {}
    whole = VideoScore.joined("all", scores)
    found = whole.errors[np.isfinite(whole.errors)]
    return {
        "mean_error": round(float(found.mean()), 5),
        "above_0.07": round(float((found > 0.07).mean()), 4),
        "missed": int((~np.isfinite(whole.errors)).sum()),
        "id_switches": whole.id_switches,
        "jitter": round(float(whole.jitters.mean()), 5),
    }


def drawn(images: list[np.ndarray], trio: list[Face], title: str) -> np.ndarray:
    """A frame between its neighbours, with their points."""
    box = trio[0].box
    x, y = box.centre
    half = max(box.width, box.height)
    scale = TILE / (2 * half)
    matrix = np.array([[scale, 0, TILE / 2 - scale * x], [0, scale, TILE / 2 - scale * y]])
    tiles = []
    for image, face in zip(images, trio, strict=True):
        tile = cv2.warpAffine(image, matrix, (TILE, TILE), flags=cv2.INTER_AREA)
        for point in face.landmarks.points_image[:, :2] @ matrix[:, :2].T + matrix[:, 2]:
            cv2.circle(tile, tuple(int(v) for v in point.round()), 1, (0, 255, 0), -1)
        words = f"{face.pose.yaw_deg:.0f} deg, {face.score:.2f}"
        cv2.putText(tile, words, (4, TILE - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 0), 1)
        tiles.append(tile)
    cv2.putText(tiles[0], title, (4, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 0), 1)
    return np.concatenate(tiles, axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", type=Path, nargs="+", help="videos, or folders of made clips")
    parser.add_argument("--model", default="nano")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--set", default="val", help="under which name the figures are kept")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sheet", type=Path)
    asked = parser.parse_args()
    model = Model(asked.model, asked.threads)
    paths = [(path, None) for path in asked.clips if path.is_file()]
    for folder in asked.clips:
        if folder.is_dir():
            paths += [(clip.video_path, clip) for clip in read_clips(folder)]
    ways = {"once": TrackerSettings(recheck=None), "looked_again": TrackerSettings()}
    card = model.pair.following.card
    told: dict[str, Any] = {"clips": len(paths), "tracking_sha256": card.sha256}
    sheets: list[np.ndarray] = []
    for way, settings in ways.items():
        model.first.crops = model.following.crops = 0
        of_clip = {}
        for path, truth in paths:
            counts = count(path, model, settings, truth)
            of_clip[path.stem] = counts
            print(
                way, path.name, counts.frames, counts.faces, counts.differ, counts.wrong, flush=True
            )
            sheets += counts.sheet
        faces = sum(one.faces for one in of_clip.values())
        told[way] = {
            "frames": sum(one.frames for one in of_clip.values()),
            "faces": faces,
            "differ_from_both_neighbours": sum(one.differ for one in of_clip.values()),
            "wrong": sum(len(one.wrong) for one in of_clip.values()),
            "crops_of_model_1_a_face": round(model.first.crops / faces, 4),
            "crops_of_model_2_a_face": round(model.following.crops / faces, 4),
            **against_truth([one.score for one in of_clip.values() if one.score is not None]),
            "wrong_frames": {name: one.wrong for name, one in of_clip.items() if one.wrong},
        }
    told["command"] = (
        f"python benchmarks/wrong_frames.py CLIPS --model {asked.model} --set {asked.set} "
        f"--out {asked.out.name}"
    )
    whole = json.loads(asked.out.read_text()) if asked.out.is_file() else {}
    whole.setdefault(asked.set, {})[asked.model] = told
    asked.out.write_text(json.dumps(whole, indent=1) + "\n")
    if asked.sheet and sheets:
        cv2.imwrite(str(asked.sheet), np.concatenate(sheets)[..., ::-1])


if __name__ == "__main__":
    main()
