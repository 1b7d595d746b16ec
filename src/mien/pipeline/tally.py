"""What a run counts and how long its parts take."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, UInt8

from mien.alignment import AnswerJudge, LandmarkPredictor, judge_of
from mien.geometry import Similarity
from mien.types import Detection, Face, FaceFinder, Frame, Prediction, SmallFaceFinder

__all__ = ["StageTimes", "Tally", "TimedFinder", "TimedPredictor"]


@dataclass
class StageTimes:
    """Seconds spent in each stage; stages overlap, so that their sum may exceed the run."""

    decode: float = 0.0
    detect: float = 0.0
    landmarks: float = 0.0
    write: float = 0.0

    def add_decode(self, secs: float) -> None:
        self.decode += secs

    def add_write(self, secs: float) -> None:
        self.write += secs


@dataclass
class Tally:
    """What was written so far: it agrees with the files also after an error or Ctrl-C."""

    frames_decoded: int = 0
    frames_with_face: int = 0
    track_ids: set[int] = field(default_factory=set)
    most_faces: int = 0
    """Faces seen in the frame that has most; one told behind another takes nobody's place."""
    most_detected: int = 0
    """The same of what the detector reported."""
    size: tuple[int, int] | None = None
    """Width and height of the first picture as shown, px."""
    seconds: float = 0.0
    stages: StageTimes = field(default_factory=StageTimes)

    @property
    def fps(self) -> float:
        return self.frames_decoded / self.seconds if self.seconds > 0 else 0.0

    def note_on_limit(self, limit: int, option: str = "") -> str:
        """That ``limit`` faces at once may have cut the result, in words; empty where it did not.

        Args:
            option: what sets the limit, for who can.
        """
        if self.most_faces < limit:
            return ""
        seen = self.most_detected
        more = f"up to {seen} were seen at once" if seen > limit else "there may be more"
        named = f" ({option})" if option else ""
        return f"no more than {limit} faces were followed at once{named}: {more}"

    def count(self, faces: Sequence[Face]) -> None:
        """One frame more."""
        self.most_faces = max(self.most_faces, sum(face.is_seen for face in faces))
        self.frames_decoded += 1
        self.frames_with_face += bool(faces)
        self.track_ids.update(face.track_id for face in faces)


class TimedFinder:
    """The detector as the tracker sees it."""

    def __init__(self, detector: FaceFinder, tally: Tally) -> None:
        self._detector = detector
        self._tally = tally

    def find(self, frame: Frame) -> Sequence[Detection]:
        start_secs = time.perf_counter()
        found = self._detector.find(frame)
        self._tally.stages.detect += time.perf_counter() - start_secs
        self._tally.most_detected = max(self._tally.most_detected, len(found))
        return found

    def find_small(self, frame: Frame) -> Sequence[Detection]:
        """Nothing, of a detector that has no closer look."""
        if not isinstance(self._detector, SmallFaceFinder):
            return []
        start_secs = time.perf_counter()
        found = self._detector.find_small(frame)
        self._tally.stages.detect += time.perf_counter() - start_secs
        self._tally.most_detected = max(self._tally.most_detected, len(found))
        return found


class TimedPredictor:
    """A network as the tracker sees it."""

    def __init__(self, landmarker: LandmarkPredictor, stages: StageTimes) -> None:
        self._landmarker = landmarker
        self._stages = stages

    @property
    def side(self) -> int:
        return self._landmarker.side

    @property
    def mean_shape(self) -> Float[np.ndarray, "points 3"]:
        return self._landmarker.mean_shape

    @property
    def judge(self) -> AnswerJudge | None:
        return judge_of(self._landmarker)

    def predict(
        self,
        image_rgb: UInt8[np.ndarray, "height width 3"],
        image_from_crops: Sequence[Similarity],
    ) -> Sequence[Prediction]:
        start_secs = time.perf_counter()
        predictions = self._landmarker.predict(image_rgb, image_from_crops)
        self._stages.landmarks += time.perf_counter() - start_secs
        return predictions
