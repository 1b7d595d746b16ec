"""What a Python user calls: ``mien.track`` on whatever moves, ``mien.find_faces`` on photos."""

from __future__ import annotations

import dataclasses
import functools
import logging
from collections.abc import Iterator
from pathlib import Path
from types import NoneType

from mien.errors import InputError, expect
from mien.expression import DetailReader, Details
from mien.media import ReadAhead, SourceKind, as_picture, open_source
from mien.pipeline.folders import list_folder
from mien.pipeline.hold import Hold
from mien.pipeline.parts import TrackerParts, load_tracker
from mien.pipeline.source import tracked
from mien.pipeline.tally import Tally
from mien.tracking import ALL_FACES, OfflineSettings, Tracker, TrackerSettings
from mien.types import Face, Frame

__all__ = ["find_faces", "track"]

_log = logging.getLogger(__name__)


def track(
    where: str | Path,
    tracker: Tracker | None = None,
    *,
    blendshapes: bool = False,
    metric: bool = False,
    focal_px: float | None = None,
    fov_deg: float | None = None,
    offline: bool = False,
    careful: bool = False,
    seen_only: bool = False,
    recursive: bool = False,
) -> Iterator[tuple[Frame, list[Face]]]:
    """Each frame of a video, a photo, a webcam ("0") or a whole folder with its faces.

    ::

        for frame, faces in mien.track("clip.mp4"):
            print(frame.time_secs, [face.pose.yaw_deg for face in faces])

    ``frame.source`` says which file of a folder it is; each file begins anew, as if alone. What of
    a folder is left out (other files, folders inside) is one warning of the log ``mien``.

    Args:
        where: path or address of a video, photo or folder, or the number of a webcam.
        tracker: whose networks and settings to use; its own state does not change. If not given,
            the default model: up to 8 faces at once in a video, all faces in a photo.
        blendshapes: fill ``face.expression``, by ARKit's names.
        metric: fill ``face.head_matrix``: the head in cm in the camera's frame.
        focal_px: the camera's focal length, px; ``fov_deg``: or its diagonal field of view. Either
            asks for ``metric`` too; without both, 63 degrees are assumed.
        offline: smooth a file's points by what comes before and after them, so that they lag
            nothing; frames come half a second late.
        careful: average the predictions of six crops of each face (test-time augmentation), at six
            times the cost.
        seen_only: leave out faces that another one hides; else they are there for up to 0.6 s,
            where their motion leads, with a score of 0 (``face.is_seen``).
        recursive: of a folder, the folders inside too.

    Yields:
        Each decoded frame in order, and its faces by ``track_id``; an empty list without faces.

    Raises:
        InputError: the source cannot be read; or it ends too early, which is raised after its last
            whole frame. For a file of a folder it is raised after all the other files.
        ConfigError: a focal length or field of view out of range, or an argument of a wrong type.
    """
    expect(where, (str, Path), "where", "a path, an address or a camera's number as text")
    expect(tracker, (Tracker, NoneType), "tracker", "a Tracker, as load_tracker makes it")
    for name, value in (("focal_px", focal_px), ("fov_deg", fov_deg)):
        expect(value, (int, float, NoneType), name, "a number")
    metric = metric or focal_px is not None or fov_deg is not None
    details = Details(blendshapes, metric, focal_px, fov_deg)
    listing = list_folder(Path(where), recursive=recursive) if Path(where).is_dir() else None
    shared = tracker or load_tracker()
    if offline:
        shared = shared.fresh(dataclasses.replace(shared.settings, smoothing=OfflineSettings()))
    if careful:
        shared = shared.fresh(dataclasses.replace(shared.settings, careful=True))
    if seen_only:
        shared = shared.fresh(dataclasses.replace(shared.settings, held_secs=0.0))
    if listing is None:
        yield from _track_file(where, shared, details, all_faces_of_photos=tracker is None)
        return
    if line := listing.left_out.line("recursive=True reads them"):
        _log.warning("%s: %s", where, line)
    bad = list(listing.refused)
    for file, _ in listing.found:
        try:
            yield from _track_file(file, shared, details, all_faces_of_photos=tracker is None)
        except InputError as error:
            bad.append(str(error))
    if bad:
        more = f" (and {len(bad) - 1} more files)" if len(bad) > 1 else ""
        raise InputError(f"{bad[0]}{more}")


def _track_file(
    where: str | Path, tracker: Tracker, details: Details, *, all_faces_of_photos: bool
) -> Iterator[tuple[Frame, list[Face]]]:
    reader = DetailReader(details)
    with open_source(where) as source, ReadAhead(source) as frames:
        settings = tracker.settings
        if source.kind is SourceKind.PHOTO:
            settings = settings.for_photo(all_faces=all_faces_of_photos)
        tracker = tracker.fresh(settings)
        for frame, faces in tracked(frames, tracker, Hold(source, tracker), Tally(), 0):
            named = dataclasses.replace(frame, source=str(where))
            yield named, reader.update(named, faces)


def find_faces(
    image: object, tracker: Tracker | None = None, *, careful: bool = False
) -> list[Face]:
    """The faces of one photo, independent of any other.

    Any number of threads may call it, with one tracker or with many.

    Args:
        image: an RGB array (height, width, 3), a grey or RGBA one, each uint8; one of Pillow's; or
            a path.
        tracker: whose networks and settings to use; its own state does not change. If not given,
            the default model for any number of faces, opened at the first call and kept.
        careful: average the predictions of six crops of each face, some mirrored (test-time
            augmentation): confidence falls where they differ, and it takes four times as long.

    Returns:
        The faces by ``track_id``, which counts them in this photo; empty if there is none.

    Raises:
        InputError: not a picture, or an empty one.
        ConfigError: ``tracker`` is not a tracker.
    """
    expect(tracker, (Tracker, NoneType), "tracker", "a Tracker, as load_tracker makes it")
    picture = as_picture(image)
    if tracker is None:
        tracker = _default_parts().tracker()
    settings = dataclasses.replace(tracker.settings, careful=careful or tracker.settings.careful)
    return tracker.fresh(settings.for_photo()).update(Frame(picture, 0, 0.0))


@functools.cache
def _default_parts() -> TrackerParts:
    return TrackerParts.open(settings=TrackerSettings(max_faces=ALL_FACES))
