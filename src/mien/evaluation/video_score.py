"""The figures of a tracker over one video, or over several joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from mien.evaluation.metrics import YAW_BINS_DEG, auc, failure_rate, mean_or_none, yaw_bin

__all__ = ["VideoScore"]


@dataclass(frozen=True)
class VideoScore:
    """One video, or several joined. A face-frame is one true face in one labelled frame."""

    name: str
    frames: int
    """Labelled ones."""
    id_switches: int
    """A face that stays in the frame goes on, or is found again, under another number. One that
    left the frame may come back as another."""
    tracks: int
    """Numbers that were given."""
    false_tracks: int
    """Those that lie on no true face in most of their labelled frames."""
    false_face_frames: int
    """Tracked faces on no true face, frame by frame."""
    errors: Float[np.ndarray, " face_frames"]
    """NME of each face-frame, infinite where the face was missed."""
    seen: Bool[np.ndarray, " face_frames"]
    """Whether at least a quarter of the face's points is in sight."""
    yaw_deg: Float[np.ndarray, " face_frames"]
    """True yaw of each; NaN where it is not known."""
    jitters: Float[np.ndarray, " triples"]
    """|second difference of the error vector| between three frames running, mean over the points,
    in face sizes: jitter, whatever the head does and however far the points are off."""
    eye_errors_shut: Float[np.ndarray, " shut_eyes"]
    """Errors of the eye opening (``evaluation.eyes``) where a seen eye is shut."""
    eye_errors_open: Float[np.ndarray, " open_eyes"]

    @property
    def face_frames(self) -> int:
        return len(self.errors)

    @property
    def missed(self) -> int:
        """Face-frames without a tracked face."""
        return int(np.isinf(self.errors).sum())

    @property
    def missed_seen(self) -> int:
        """Those of them in which the face could be seen."""
        return int(np.isinf(self.errors[self.seen]).sum())

    @property
    def nme(self) -> float | None:
        """Mean over the face-frames that were not missed."""
        return mean_or_none(self.errors[np.isfinite(self.errors)])

    @property
    def nme_by_yaw(self) -> list[float | None]:
        """One for each of ``YAW_BINS_DEG``."""
        known = np.isfinite(self.errors) & np.isfinite(self.yaw_deg)
        errors = self.errors[known]
        bins = np.array([yaw_bin(yaw) for yaw in self.yaw_deg[known].tolist()], int)
        return [mean_or_none(errors[bins == index]) for index in range(len(YAW_BINS_DEG))]

    @property
    def jitter(self) -> float | None:
        return mean_or_none(self.jitters)

    @property
    def auc_07(self) -> float | None:
        """Of all face-frames, those missed among them; ``None`` of no face."""
        return auc(self.errors.tolist()) if len(self.errors) else None

    @property
    def failure_rate_07(self) -> float | None:
        """Likewise."""
        return failure_rate(self.errors.tolist()) if len(self.errors) else None

    @classmethod
    def joined(cls, name: str, videos: Sequence[VideoScore]) -> VideoScore:
        """All videos as one: each face-frame counts alike."""

        def total(count: str) -> int:
            return sum(int(getattr(video, count)) for video in videos)

        def every(values: str) -> np.ndarray:
            return np.concatenate([getattr(video, values) for video in videos])

        return cls(
            name,
            frames=total("frames"),
            id_switches=total("id_switches"),
            tracks=total("tracks"),
            false_tracks=total("false_tracks"),
            false_face_frames=total("false_face_frames"),
            errors=every("errors"),
            seen=every("seen"),
            yaw_deg=every("yaw_deg"),
            jitters=every("jitters"),
            eye_errors_shut=every("eye_errors_shut"),
            eye_errors_open=every("eye_errors_open"),
        )
