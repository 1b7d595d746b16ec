"""From what a user names to sources of frames: files, folders, cameras."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from mien.errors import InputError
from mien.media.camera import CameraSource
from mien.media.foreign import RAW_SUFFIXES
from mien.media.moving import MovingPicture
from mien.media.photo import Content, PhotoSource, content_of
from mien.media.sequence import ImageSequence, is_sequence
from mien.media.source import Source, camera_number, require_file
from mien.media.stream import STDIN, is_address, is_pipe, open_address, open_pipe
from mien.media.video import VideoSource

__all__ = ["Input", "has_media_suffix", "list_inputs", "open_source", "output_stems"]

_log = logging.getLogger(__name__)

_PHOTO_SUFFIXES: Final = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".tif", ".tiff", ".bmp", ".dib", ".webp"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".tga", ".avif", ".heic", ".heif", ".hif", ".apng"),
    *(".ico", ".avifs", *RAW_SUFFIXES),
)
_VIDEO_SUFFIXES: Final = (
    *(".mp4", ".m4v", ".mov", ".qt", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".m2v", ".mts"),
    *(".m2ts", ".ts", ".wmv", ".asf", ".flv", ".3gp", ".3g2", ".ogv", ".gif", ".mjpeg", ".mjpg"),
    *(".vob", ".mxf", ".dv", ".y4m", ".h264", ".264", ".h265", ".265", ".hevc", ".ivf", ".obu"),
    *(".mjpe", ".m1v", ".nut", ".rm", ".rmvb", ".heics", ".heifs", ".f4v", ".divx"),
)
_OUR_OUTPUTS = (".overlay.mp4", ".overlay.png", ".timeline.png")
"""Left over in a folder that an earlier run read from and wrote to."""


@dataclass(frozen=True)
class Input:
    """One thing to track, and what its outputs are named after."""

    where: str
    """A path, or the number of a camera: what :func:`open_source` takes."""
    stem: str
    """Unique among the inputs listed together, also where case is ignored."""


def open_source(where: str | Path, *, threads: int = 0, rate: float | None = None) -> Source:
    """What is named, as frames: a photo, a video or a moving picture by its path; a webcam ("0" or
    "/dev/video0"); numbered pictures as one clip ("frame_%04d.png"); a stream ("rtsp://...",
    "http://..."); "-", standard input, or a named pipe.

    The bytes decide what a file is; a photo's ending only forbids reading it as a video.

    Args:
        threads: decoder threads of a video, 0 for one a core.
        rate: frames a second of what carries no times itself: a raw stream, numbered pictures,
            pages of a TIFF. Anything else keeps its own times.

    Raises:
        InputError: it cannot be read, or is a folder: :func:`list_inputs` lists one.
    """
    number = camera_number(where)
    if number is not None:
        return CameraSource(number)
    if str(where).lower().startswith("file://"):
        where = str(where)[len("file://") :]
    if is_address(where):
        return open_address(str(where), threads=threads, rate=rate)
    if is_pipe(where):
        return open_pipe(
            where, partial(_open_file, threads=threads, rate=rate), threads=threads, rate=rate
        )
    if is_sequence(where):
        return ImageSequence(Path(where), rate=rate)
    return _open_file(Path(where), threads=threads, rate=rate)


def _open_file(path: Path, *, threads: int, rate: float | None) -> Source:
    require_file(path)
    content = content_of(path)
    if content is Content.MOVING:
        return MovingPicture(path, rate=rate)
    if content is Content.MOTION_JPEG:
        return VideoSource(path, threads=threads, rate=rate, form="mjpeg")
    if content is Content.PHOTO or path.suffix.lower() in _PHOTO_SUFFIXES:
        return PhotoSource(path)
    return VideoSource(path, threads=threads, rate=rate)


def list_inputs(where: str | Path) -> list[Input]:
    """A folder's photos and videos in natural order, or the one file or camera named.

    Folders within and hidden files are skipped, and so are mien's own overlays and timelines.

    Raises:
        InputError: nothing is there, or a folder holds neither photos nor videos.
    """
    number = camera_number(where)
    if number is not None:
        return [Input(str(where), f"camera{number}")]
    if is_pipe(where):
        return [Input(str(where), Path(where).stem if str(where) != STDIN else "stdin")]
    folder = Path(where)
    if not folder.is_dir():
        require_file(folder)
        return [Input(str(folder), folder.stem)]
    try:
        found = [path for path in folder.iterdir() if _is_input(path)]
    except OSError as error:
        raise InputError(f"{folder}: the folder cannot be listed ({error.strerror})") from error
    if not found:
        raise InputError(
            f"{folder}: the folder holds no photos or videos (folders within are not searched); "
            "name one that does"
        )
    found.sort(key=_natural_order)
    pairs = zip(found, output_stems(found), strict=True)
    return [Input(str(path), stem) for path, stem in pairs]


def output_stems(paths: Sequence[Path]) -> list[str]:
    """For each path a name for its outputs, none of them twice.

    The file's stem; its whole name where a stem is shared (``a.jpg`` beside ``a.mp4``); and a
    number behind it in the rare case that this, too, is taken.
    """
    folded = [path.stem.casefold() for path in paths]
    unshared = {stem for stem, count in Counter(folded).items() if count == 1}
    taken = set(unshared)
    stems = []
    for path, fold in zip(paths, folded, strict=True):
        stem = path.stem
        if fold not in unshared:
            stem, number = path.name, 1
            while stem.casefold() in taken:
                number += 1
                stem = f"{path.name}-{number}"
            taken.add(stem.casefold())
        stems.append(stem)
    return stems


def has_media_suffix(name: str) -> bool:
    """Whether a file of that name is taken from a folder: a visible photo or video by its ending,
    and no overlay or timeline of mien's."""
    last = name.rpartition("/")[2].lower()
    if last.startswith(".") or last.endswith(_OUR_OUTPUTS):
        return False
    return Path(last).suffix in _PHOTO_SUFFIXES + _VIDEO_SUFFIXES


def _is_input(path: Path) -> bool:
    if path.name.lower().endswith(_OUR_OUTPUTS):
        _log.info("%s: skipped, an output of an earlier run", path)
    leads_nowhere = path.is_symlink() and not path.exists()  # refused by name when it is opened
    return has_media_suffix(path.name) and (path.is_file() or leads_nowhere)


def _natural_order(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    """``frame2`` before ``frame10``, whatever the case."""
    parts = re.findall(r"\d+|\D+", path.name.casefold())
    key = [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]
    return key, path.name
