"""How well a tracker follows faces through clips with a label for every frame: paper 4.2, table 4.

In each frame the tracked faces are given to the true ones so that their boxes overlap most; a pair
that overlaps by less than 0.3 is none. Errors are shares of the true face's size (eq. 5).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import scipy.optimize
from jaxtyping import Bool, Float, Int

from mien.datasets.ours.clips import LabelledClip
from mien.errors import DataError
from mien.evaluation.eyes import eye_opening, eye_opening_error, eye_width, seen_eyes
from mien.evaluation.metrics import YAW_BINS_DEG, face_size, mean_or_none, nme, yaw_bin
from mien.geometry.convention import Convention, in_convention
from mien.media import open_source
from mien.types import Box, Face, Frame

__all__ = ["ClipScore", "FaceTracker", "follow_clip", "moved_faces", "score_clip"]

_LEAST_IOU = 0.3
_SHUT = 0.08
"""An eye whose true opening is below this share of its width is shut."""


class FaceTracker(Protocol):
    """What is measured; its points are those of the 68-point markup."""

    def reset(self) -> None:
        """The next frame begins another clip."""
        ...

    def update(self, frame: Frame) -> Sequence[Face]:
        """The faces of the next frame."""
        ...


@dataclass(frozen=True)
class ClipScore:
    """One clip, or several joined. A face-frame is one true face in one frame."""

    name: str
    frames: int
    face_frames: int
    missed: int
    """Face-frames without a tracked face."""
    id_switches: int
    """A face that stays in the frame goes on, or is found again, under another number. One that
    left the frame may come back as another."""
    tracks: int
    """Numbers that were given."""
    false_tracks: int
    """Those that lie on no true face in most of their frames."""
    false_face_frames: int
    """Tracked faces on no true face, frame by frame."""
    errors: Float[np.ndarray, " matched"]
    """NME of each face-frame that was not missed."""
    yaw_bins: Int[np.ndarray, " matched"]
    """Index into ``YAW_BINS_DEG`` of each."""
    jitters: Float[np.ndarray, " triples"]
    """|second difference of the error vector| between three frames running, mean over the points,
    in face sizes: what trembles, whatever the head does and however far the points are off."""
    eye_errors_shut: Float[np.ndarray, " eyes"]
    """Errors of the eye opening (``evaluation.eyes``) where a seen eye is shut."""
    eye_errors_open: Float[np.ndarray, " eyes"]

    @property
    def nme(self) -> float | None:
        return mean_or_none(self.errors)

    @property
    def nme_by_yaw(self) -> list[float | None]:
        """One for each of ``YAW_BINS_DEG``."""
        bins = range(len(YAW_BINS_DEG))
        return [mean_or_none(self.errors[self.yaw_bins == index]) for index in bins]

    @property
    def jitter(self) -> float | None:
        return mean_or_none(self.jitters)

    @classmethod
    def joined(cls, name: str, clips: Sequence[ClipScore]) -> ClipScore:
        """All clips as one: each face-frame counts alike."""

        def total(count: str) -> int:
            return sum(int(getattr(clip, count)) for clip in clips)

        def every(values: str) -> np.ndarray:
            return np.concatenate([getattr(clip, values) for clip in clips])

        return cls(
            name,
            frames=total("frames"),
            face_frames=total("face_frames"),
            missed=total("missed"),
            id_switches=total("id_switches"),
            tracks=total("tracks"),
            false_tracks=total("false_tracks"),
            false_face_frames=total("false_face_frames"),
            errors=every("errors"),
            yaw_bins=every("yaw_bins"),
            jitters=every("jitters"),
            eye_errors_shut=every("eye_errors_shut"),
            eye_errors_open=every("eye_errors_open"),
        )


def follow_clip(clip: LabelledClip, tracker: FaceTracker) -> list[list[Face]]:
    """The faces of each frame, from the clip's start.

    Raises:
        InputError: the clip cannot be read.
    """
    tracker.reset()
    with open_source(str(clip.video_path)) as source:
        return [list(tracker.update(frame)) for frame in source]


def moved_faces(
    tracked: Sequence[Sequence[Face]], own: Convention, new: Convention
) -> list[list[Face]]:
    """The same faces, their points moved from the tracker's convention to another."""
    return [[_moved(face, own, new) for face in faces] for faces in tracked]


def _moved(face: Face, own: Convention, new: Convention) -> Face:
    points = in_convention(face.landmarks.points_image, own, new)
    landmarks = dataclasses.replace(face.landmarks, points_image=points)
    return dataclasses.replace(face, landmarks=landmarks)


def score_clip(clip: LabelledClip, tracked: Sequence[Sequence[Face]]) -> ClipScore:
    """Set the faces of each frame against the true ones.

    Raises:
        DataError: there are more or fewer frames than the label has.
    """
    count, frames = clip.present.shape
    if len(tracked) != frames:
        raise DataError(
            f"{clip.video_path} has {len(tracked)} frames, its label {frames}: make the clip again"
        )
    found: dict[tuple[int, int], Face] = {}
    on_face, off_face = list[int](), list[int]()
    for index, faces in enumerate(tracked):
        present = np.flatnonzero(clip.present[:, index])
        pairs = _match(clip.points_image[present, index], faces)
        found |= {(int(present[true]), index): faces[guess] for true, guess in pairs}
        matched = {guess for _, guess in pairs}
        on_face += [faces[guess].track_id for guess in matched]
        off_face += [one.track_id for at, one in enumerate(faces) if at not in matched]
    tracks = set(on_face) | set(off_face)
    ids = np.full((count, frames), -1)
    for place, face in found.items():
        ids[place] = face.track_id
    eyes = [_eye_errors(clip, place, face) for place, face in found.items()]
    shut, wide = (np.array([e for one in eyes for e in one[kind]]) for kind in (True, False))
    return ClipScore(
        name=clip.name,
        frames=frames,
        face_frames=int(clip.present.sum()),
        missed=int(clip.present.sum()) - len(found),
        id_switches=sum(map(_switches, ids, clip.present)),
        tracks=len(tracks),
        false_tracks=sum(on_face.count(one) < off_face.count(one) for one in tracks),
        false_face_frames=len(off_face),
        errors=np.array(
            [nme(face.landmarks.points_image, clip.points_image[at]) for at, face in found.items()]
        ),
        yaw_bins=np.array([yaw_bin(float(clip.yaw_deg[place])) for place in found], int),
        jitters=np.array(list(_jitters(clip, found, ids))),
        eye_errors_shut=shut,
        eye_errors_open=wide,
    )


def _match(truths: Float[np.ndarray, "faces 68 3"], faces: Sequence[Face]) -> list[tuple[int, int]]:
    """Pairs of rows: a true face and the tracked one that lies on it."""
    if not len(truths) or not faces:
        return []
    boxes = [Box.around(points) for points in truths]
    overlap = np.array([[face.box.iou(box) for face in faces] for box in boxes])
    rows = zip(*scipy.optimize.linear_sum_assignment(overlap, maximize=True), strict=True)
    return [(int(i), int(j)) for i, j in rows if overlap[i, j] >= _LEAST_IOU]


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
    clip: LabelledClip, found: dict[tuple[int, int], Face], ids: Int[np.ndarray, "faces frames"]
) -> Iterator[float]:
    def error(face: int, frame: int) -> Float[np.ndarray, "68 2"]:
        truth = clip.points_image[face, frame]
        predicted = found[face, frame].landmarks.points_image
        missed: Float[np.ndarray, "68 2"] = (predicted - truth)[:, :2] / face_size(truth)
        return missed

    for face, frame in found:
        if 0 < frame < ids.shape[1] - 1 and np.ptp(ids[face, frame - 1 : frame + 2]) == 0:
            before, here, after = (error(face, frame + step) for step in (-1, 0, 1))
            yield float(np.linalg.norm(before - 2 * here + after, axis=1).mean())


def _eye_errors(clip: LabelledClip, place: tuple[int, int], face: Face) -> dict[bool, list[float]]:
    """Of the seen eyes of one face in one frame, by whether they are shut."""
    truth = clip.points_image[place]
    errors = eye_opening_error(face.landmarks.points_image, truth)
    shut = eye_opening(truth) < _SHUT * eye_width(truth)
    sorted_errors: dict[bool, list[float]] = {True: [], False: []}
    for error, is_shut, is_seen in zip(errors, shut, seen_eyes(clip.hidden[place]), strict=True):
        if is_seen:
            sorted_errors[bool(is_shut)].append(float(error))
    return sorted_errors
