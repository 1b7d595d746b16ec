"""What cut a result, said in words: a limit nobody is told of is a wrong result."""

from __future__ import annotations

from mien.expression import Details
from mien.geometry.metric_head import USUAL_FOV_DEG
from mien.media import Source, SourceKind
from mien.pipeline import Tally, TrackerParts
from mien.runtime.detectors import CenterFace, Finder

__all__ = ["notes_on", "report_line"]


def notes_on(
    tally: Tally, parts: TrackerParts, source: Source, details: Details | None = None
) -> list[str]:
    """What the reader of a table must know of it."""
    limited = tally.note_on_limit(parts.settings.max_faces, "--max-faces")
    notes = [limited] if limited else []
    dropped = getattr(source, "frames_dropped", 0)
    if dropped:
        notes.append(f"{dropped} frames of the camera came too fast and were dropped")
    if tally.frames_decoded and not tally.frames_with_face and tally.size:
        hint = _finer_search(parts, *tally.size)
        notes += [hint] if hint else []
    if details is not None and tally.frames_with_face:
        notes += _of_details(details, source)
    return notes


def _of_details(details: Details, source: Source) -> list[str]:
    notes = []
    if details.metric and details.assumes_camera:
        notes.append(
            f"a camera of {USUAL_FOV_DEG:g} degrees from corner to corner is assumed: distances "
            "are as wrong as that is (--fov or --focal tells the true one)"
        )
    if details.blendshapes and source.kind is SourceKind.PHOTO:
        notes.append("a photo's blendshapes count from the average face, not from the person's own")
    return notes


def _finer_search(parts: TrackerParts, width: int, height: int) -> str | None:
    detector = parts.detector
    if not isinstance(detector, CenterFace | Finder):
        return None
    words = detector.finer_words(width, height)
    return None if words is None else f"--detector {words} looks for smaller faces"


def report_line(stem: str, tally: Tally, *, complete: bool = True) -> str:
    """What came of one input, for a person."""
    frames = f"{tally.frames_decoded} frame{'s' * (tally.frames_decoded != 1)}"
    speed = f"{tally.fps:.1f} frames/s"
    cut = "" if complete else " (incomplete)"
    if not tally.frames_with_face:
        return f"{stem}: no face found in {frames}, {speed}{cut}"
    faces = len(tally.track_ids)
    return (
        f"{stem}: {frames}, {tally.frames_with_face} with a face, "
        f"{faces} face{'s' * (faces != 1)}, {speed}{cut}"
    )
