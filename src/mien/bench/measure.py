"""One clip through the tracker, timed: what a user's run costs, decoding included, nothing drawn.

Each case runs in a process of its own (``mien bench`` starts them), so that peak memory is its own.
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien.media import ReadAhead, open_source
from mien.pipeline import StageTimes, Tally, TrackerParts
from mien.tracking import TrackerSettings
from mien.types import Frame

__all__ = ["Case", "CaseResult", "StartUp", "measure_case", "measure_start_up"]

_WARM_UP = 12
"""Frames whose time does not count: the first search, caches, thread pools."""
_KIB = 1024


@dataclass(frozen=True)
class Case:
    """One model on one clip."""

    model: str
    clip: Path
    faces: int
    height: int
    threads: int | None = None
    """Threads for the networks; ``None``: as ``mien track`` chooses."""
    max_faces: int | None = None
    """Faces followed at most; ``None``: as many as there are, and at least as ``mien track`` has.
    While so many are followed nobody is searched for."""


@dataclass(frozen=True)
class CaseResult:
    """What one case cost. Times are of the frames after the warm-up."""

    model: str
    faces: int
    height: int
    threads: int | None
    frames: int
    faces_found: float
    """Mean number of faces followed: a speed bought by losing faces shows here."""
    fps: float
    """Frames in a second of wall time, decoding included."""
    cpu_ms: float
    """Processor time of all threads a frame, ms."""
    update_ms_median: float
    """Wall time of ``Tracker.update``, ms."""
    update_ms_p95: float
    stages_ms: dict[str, float]
    """Wall time a frame: ``decode`` (its own thread), ``detect``, ``landmarks``, ``rest`` of the
    update."""
    peak_mb: float
    """Largest resident memory of the process, MB."""


def measure_case(case: Case) -> CaseResult:
    """Follow the clip once from start to end.

    Raises:
        ModelError, InputError: as its parts say.
    """
    tally = Tally()
    stages = tally.stages
    most = case.max_faces or max(TrackerSettings.max_faces, case.faces)
    settings = TrackerSettings(max_faces=most)
    tracker = TrackerParts.open(case.model, settings=settings, threads=case.threads).tracker(tally)
    update_secs: list[float] = []
    found: list[int] = []
    start_secs = start_cpu_secs = 0.0
    before = StageTimes()
    with open_source(str(case.clip)) as source, ReadAhead(source, stages.add_decode) as frames:
        for frame in frames:
            if frame.index == _WARM_UP:
                start_secs, start_cpu_secs = time.perf_counter(), time.process_time()
                before = StageTimes(stages.decode, stages.detect, stages.landmarks)
            begun_secs = time.perf_counter()
            faces = tracker.update(frame)
            update_secs.append(time.perf_counter() - begun_secs)
            found.append(len(faces))
    wall_secs = time.perf_counter() - start_secs
    cpu_secs = time.process_time() - start_cpu_secs
    count = len(update_secs) - _WARM_UP
    if count < 1:
        raise ValueError(f"{case.clip}: more than {_WARM_UP} frames are needed to time any")
    timed_ms = np.array(update_secs[_WARM_UP:]) * 1e3
    decode, detect, landmarks = (
        1e3 * (getattr(stages, name) - getattr(before, name)) / count
        for name in ("decode", "detect", "landmarks")
    )
    return CaseResult(
        model=case.model,
        faces=case.faces,
        height=case.height,
        threads=case.threads,
        frames=count,
        faces_found=round(float(np.mean(found[_WARM_UP:])), 3),
        fps=round(count / wall_secs, 2),
        cpu_ms=round(1e3 * cpu_secs / count, 3),
        update_ms_median=round(float(np.median(timed_ms)), 3),
        update_ms_p95=round(float(np.percentile(timed_ms, 95)), 3),
        stages_ms={
            "decode": round(decode, 3),
            "detect": round(detect, 3),
            "landmarks": round(landmarks, 3),
            "rest": round(float(timed_ms.mean()) - detect - landmarks, 3),
        },
        peak_mb=round(_peak_mb(), 1),
    )


@dataclass(frozen=True)
class StartUp:
    """A photo, by itself: seconds until a fresh process has its faces; then ms for one more."""

    model: str
    first_result_secs: float
    photo_ms: float
    """Detector and points on a photo, in a process that is warm: median."""
    photo_cpu_ms: float
    """The same in processor time of all threads."""
    first_result_cpu_secs: float
    """Processor time until a fresh process has its faces: what it takes on an idle machine."""


_FIRST = (
    "import sys, numpy as np, mien; from pathlib import Path; "
    "image = np.load(sys.argv[1]); tracker = mien.load_tracker(sys.argv[2]); "
    "mien.find_faces(image, tracker); import time; print(time.process_time())"
)


def measure_start_up(model: str, photo: Frame, folder: Path, runs: int = 5) -> StartUp:
    """Medians over ``runs`` fresh processes, and over four times as many warm photos."""
    import mien

    saved = folder / "photo.npy"
    np.save(saved, photo.image_rgb)
    first, first_cpu = [], []
    for _ in range(runs):
        start_secs = time.perf_counter()
        words = [sys.executable, "-c", _FIRST, str(saved), model]
        done = subprocess.run(words, check=True, capture_output=True, text=True)
        first.append(time.perf_counter() - start_secs)
        first_cpu.append(float(done.stdout))
    tracker = mien.load_tracker(model)
    warm_ms, warm_cpu_ms = [], []
    for _ in range(4 * runs):
        start_secs, start_cpu_secs = time.perf_counter(), time.process_time()
        mien.find_faces(photo.image_rgb, tracker)
        warm_ms.append(1e3 * (time.perf_counter() - start_secs))
        warm_cpu_ms.append(1e3 * (time.process_time() - start_cpu_secs))
    return StartUp(
        model,
        first_result_secs=round(float(np.median(first)), 3),
        first_result_cpu_secs=round(float(np.median(first_cpu)), 3),
        photo_ms=round(float(np.median(warm_ms[2:])), 2),
        photo_cpu_ms=round(float(np.median(warm_cpu_ms[2:])), 2),
    )


def _peak_mb() -> float:
    """0 where the system does not tell (Windows)."""
    status = Path("/proc/self/status")
    if status.is_file():  # Linux: getrusage remembers the process that started this one
        lines = (line.split() for line in status.read_text().splitlines())
        told = next((words for words in lines if words[:1] == ["VmHWM:"]), None)
        if told is not None:
            return int(told[1]) * _KIB / 1e6
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * _KIB / 1e6
