"""How well a tracker follows faces through labelled videos: paper 4.2, table 4, made clips.

In each labelled frame the tracked faces are given to the true ones so that their boxes overlap
most; a pair that overlaps by less than 0.3 is none. A pair of the frame before is kept while it
overlaps by so much (as CLEAR MOT does): where one face hides another, a number that stays on its
face must not count as the other's for a frame. Of a face with fewer than a quarter of its points in
sight nothing can be found; misses are counted with and without them
(``docs/decisions/0017-videos.md``). Errors are shares of the true face's size (eq. 5).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int

from mien.datasets.ours.clips import LabelledClip
from mien.datasets.video import LabelledVideo
from mien.errors import DataError
from mien.evaluation.eyes import eye_opening, eye_opening_error, eye_width, seen_eyes
from mien.evaluation.metrics import face_size, nme
from mien.evaluation.video_score import VideoScore
from mien.geometry import least_cost_pairs
from mien.geometry.convention import Convention, in_convention
from mien.markup import load_markup
from mien.media import open_source
from mien.tracking import OfflineSmoother, smooth_offline
from mien.types import Box, Face, Frame

__all__ = ["FaceTracker", "VideoTruth", "follow_video", "moved_faces", "score_video"]

_LEAST_IOU = 0.3
_LEAST_SEEN = 0.25
"""Share of a face's points that are not hidden from which it counts as seen. Its own head hides
half of them in profile."""
_SHUT = 0.08
"""An eye whose true opening is below this share of its width is shut."""
_LONGEST_GAP_FRAMES = 30
"""Between labelled frames farther apart the face may have been away."""


@runtime_checkable
class FaceTracker(Protocol):
    """What is measured; its points are those of the truth's markup."""

    def reset(self) -> None:
        """The next frame begins another video."""
        ...

    def update(self, frame: Frame) -> Sequence[Face]:
        """The faces of the next frame."""
        ...


@dataclass(frozen=True)
class VideoTruth:
    """The true faces of the labelled frames of one video, whatever set it is of."""

    name: str
    video_path: Path
    frame_indices: Int[np.ndarray, " frames"]
    """The labelled frames, ascending, as ``Frame.index`` counts."""
    points_image: Float[np.ndarray, "faces frames points dims"]
    """68 or 84 points; NaN where a face is out of the frame."""
    yaw_deg: Float[np.ndarray, "faces frames"]
    """NaN where it is not known."""
    hidden: Bool[np.ndarray, "faces frames points"] | None
    """``None`` where nobody knows; then eyes are not measured."""
    convention: Convention | None
    """Of the points."""
    whole: bool
    """Every frame of the video has its label."""

    @classmethod
    def of_clip(cls, clip: LabelledClip, convention: Convention = Convention.CLICKED) -> VideoTruth:
        """A clip of ``mien data video``, its points moved to a convention."""
        points = np.array(clip.points_image)
        for place in zip(*np.nonzero(clip.present), strict=True):
            points[place] = in_convention(points[place], Convention.CLICKED, convention)
        indices = np.arange(len(clip.time_secs))
        return cls(
            clip.name, clip.video_path, indices, points, clip.yaw_deg, clip.hidden, convention, True
        )

    @classmethod
    def of_video(cls, video: LabelledVideo, convention: Convention | None) -> VideoTruth:
        """A video of one face, frames between labels joined by straight lines (paper 4.2)."""
        joined = video.continuous(max_gap_frames=_LONGEST_GAP_FRAMES)
        points = joined.points_image[None]
        yaw = np.full(points.shape[:2], np.nan)
        return cls(
            video.name, video.video_path, joined.frame_indices, points, yaw, None, convention, False
        )

    @property
    def seen(self) -> Bool[np.ndarray, "faces frames"]:
        """Where each face is in the frame and not all but hidden; where nobody knows, in the
        frame."""
        if self.hidden is None:
            return self.present
        in_sight = (~self.hidden).mean(axis=2) >= _LEAST_SEEN
        there: Bool[np.ndarray, "faces frames"] = self.present & in_sight
        return there

    @property
    def present(self) -> Bool[np.ndarray, "faces frames"]:
        """Where each face is in the frame."""
        there: Bool[np.ndarray, "faces frames"] = np.isfinite(self.points_image[:, :, 0, 0])
        return there

    def to_68(self) -> VideoTruth:
        """The 68 points among 84, for whoever measures in 68."""
        if self.points_image.shape[2] == 68:
            return self
        chosen = list(load_markup(84).ibug68)
        hidden = None if self.hidden is None else self.hidden[:, :, chosen]
        points = self.points_image[:, :, chosen]
        return dataclasses.replace(self, points_image=points, hidden=hidden)

    def boxes_at(self, frame_index: int) -> list[Box]:
        """About the true points of the faces in a frame; empty where it has no label."""
        at = np.flatnonzero(self.frame_indices == frame_index)
        return [
            Box.around(self.points_image[face, at[0]])
            for face in (np.flatnonzero(self.present[:, at[0]]) if len(at) else ())
        ]


def follow_video(
    truth: VideoTruth, tracker: FaceTracker, smoother: OfflineSmoother | None = None
) -> list[list[Face]]:
    """The faces of each frame, from the video's start; smoothed from both sides by a smoother.

    Raises:
        InputError: the video cannot be read.
    """
    tracker.reset()
    with open_source(str(truth.video_path)) as source:
        tracked = ((frame, tracker.update(frame)) for frame in source)
        if smoother is not None:
            return [faces for _, faces in smooth_offline(tracked, smoother)]
        return [list(faces) for _, faces in tracked]


def moved_faces(
    tracked: Sequence[Sequence[Face]], own: Convention, new: Convention
) -> list[list[Face]]:
    """The same faces, their points moved from the tracker's convention to another."""
    return [[_moved(face, own, new) for face in faces] for faces in tracked]


def _moved(face: Face, own: Convention, new: Convention) -> Face:
    points = in_convention(face.landmarks.points_image, own, new)
    landmarks = dataclasses.replace(face.landmarks, points_image=points)
    return dataclasses.replace(face, landmarks=landmarks)


def score_video(truth: VideoTruth, tracked: Sequence[Sequence[Face]]) -> VideoScore:
    """Set the faces of each labelled frame against the true ones.

    Args:
        tracked: one list a frame of the video, as ``follow_video`` gives them.

    Raises:
        DataError: the video has not the frames that are labelled.
    """
    labelled = int(truth.frame_indices[-1]) + 1
    if len(tracked) < labelled or (truth.whole and len(tracked) > labelled):
        raise DataError(
            f"{truth.video_path} has {len(tracked)} frames, its label {labelled}: they do not "
            "belong together"
        )
    frames = [tracked[index] for index in truth.frame_indices]
    found: dict[tuple[int, int], Face] = {}
    on_face, off_face = list[int](), list[int]()
    last: dict[int, int] = {}
    for at, faces in enumerate(frames):
        present = np.flatnonzero(truth.present[:, at])
        known = [last.get(int(true)) for true in present]
        pairs = _match(truth.points_image[present, at], faces, known)
        last = {int(present[true]): faces[guess].track_id for true, guess in pairs}
        found |= {(int(present[true]), at): faces[guess] for true, guess in pairs}
        matched = {guess for _, guess in pairs}
        on_face += [faces[guess].track_id for guess in matched]
        off_face += [one.track_id for row, one in enumerate(faces) if row not in matched]
    tracks = set(on_face) | set(off_face)
    ids = np.full(truth.present.shape, -1)
    for place, face in found.items():
        ids[place] = face.track_id
    eyes = [_eye_errors(truth, place, face) for place, face in found.items()]
    shut, wide = (np.array([e for one in eyes for e in one[kind]]) for kind in (True, False))
    places = [(int(face), int(at)) for at, face in zip(*np.nonzero(truth.present.T), strict=True)]
    return VideoScore(
        name=truth.name,
        frames=len(frames),
        id_switches=sum(map(_switches, ids, truth.present)),
        tracks=len(tracks),
        false_tracks=sum(on_face.count(one) < off_face.count(one) for one in tracks),
        false_face_frames=len(off_face),
        errors=np.array([_error(truth, place, found.get(place)) for place in places], float),
        seen=np.array([truth.seen[place] for place in places], bool),
        yaw_deg=np.array([truth.yaw_deg[place] for place in places], float),
        jitters=np.array(list(_jitters(truth, found, ids))),
        eye_errors_shut=shut,
        eye_errors_open=wide,
    )


def _error(truth: VideoTruth, place: tuple[int, int], face: Face | None) -> float:
    """Infinite where the face was missed."""
    if face is None:
        return float("inf")
    return nme(face.landmarks.points_image, truth.points_image[place])


def _match(
    truths: Float[np.ndarray, "faces points dims"],
    faces: Sequence[Face],
    known: Sequence[int | None],
) -> list[tuple[int, int]]:
    """Pairs of rows: a true face and the tracked one that lies on it; ``known`` are the numbers
    that lay on the true ones in the frame before."""
    if not len(truths) or not faces:
        return []
    boxes = [Box.around(points) for points in truths]
    overlap = np.array([[face.box.iou(box) for face in faces] for box in boxes])
    goes_on = np.array([[face.track_id == number for face in faces] for number in known])
    lies_on = overlap >= _LEAST_IOU
    worth = np.where(lies_on, overlap + len(truths) * goes_on, 0.0)  # kept pairs come first
    return [(i, j) for i, j in least_cost_pairs(-worth) if lies_on[i, j]]


def _switches(ids: Int[np.ndarray, " frames"], present: Bool[np.ndarray, " frames"]) -> int:
    """Changes of the number while the face stays in the frame; -1 where it was missed."""
    switches, last = 0, -1
    for track_id, is_there in zip(ids.tolist(), present.tolist(), strict=True):
        if not is_there:
            last = -1
        elif track_id >= 0:
            switches += last not in (-1, track_id)
            last = track_id
    return switches


def _jitters(
    truth: VideoTruth, found: dict[tuple[int, int], Face], ids: Int[np.ndarray, "faces frames"]
) -> Iterator[float]:
    def error(face: int, at: int) -> Float[np.ndarray, "points 2"]:
        true = truth.points_image[face, at]
        predicted = found[face, at].landmarks.points_image
        off: Float[np.ndarray, "points 2"] = (predicted[:, :2] - true[:, :2]) / face_size(true)
        return off

    running = np.diff(truth.frame_indices) == 1
    for face, at in found:
        if (
            0 < at < ids.shape[1] - 1
            and running[at - 1 : at + 1].all()
            and np.ptp(ids[face, at - 1 : at + 2]) == 0
        ):
            before, here, after = (error(face, at + step) for step in (-1, 0, 1))
            yield float(np.linalg.norm(before - 2 * here + after, axis=1).mean())


def _eye_errors(truth: VideoTruth, place: tuple[int, int], face: Face) -> dict[bool, list[float]]:
    """Of the seen eyes of one face in one frame, by whether they are shut."""
    sorted_errors: dict[bool, list[float]] = {True: [], False: []}
    if truth.hidden is None or truth.points_image.shape[2:] != (68, 3):
        return sorted_errors
    points = truth.points_image[place]
    errors = eye_opening_error(face.landmarks.points_image, points)
    shut = eye_opening(points) < _SHUT * eye_width(points)
    for error, is_shut, is_seen in zip(errors, shut, seen_eyes(truth.hidden[place]), strict=True):
        if is_seen:
            sorted_errors[bool(is_shut)].append(float(error))
    return sorted_errors
