"""One pass over the packets of a video: pictures as they are shown, and what was lost."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import av
import av.error
import numpy as np
from jaxtyping import UInt8

from mien.errors import InputError
from mien.media.container import Shape, has_no_times, numbers_as_stored, pictures_of
from mien.media.display_matrix import UPRIGHT, DisplayMark
from mien.media.source import check_size
from mien.media.timestamps import PictureStamps

__all__ = ["Tally", "decode", "say_what_is_missing"]

_log = logging.getLogger(__name__)

_LOOK_AHEAD: Final = 20
"""Pictures decoded before the first is handed out: more than any codec may reorder."""
_DAMAGED = (av.error.FFmpegError, OSError, ValueError)


@dataclass
class Tally:
    """What became of the packets of one pass over the file."""

    packets: int = 0
    frames: int = 0
    refused: int = 0
    stopped: str = ""
    """Why the file could not be read on, if it could not."""
    stamps: PictureStamps = field(default_factory=PictureStamps)


def decode(
    container: Any, named: str | Path, *, threads: int, skip: int, cut_off: bool, tally: Tally
) -> Generator[tuple[UInt8[np.ndarray, "height width 3"], float | None]]:
    """Pictures from number ``skip`` on, each with its own stamp in seconds.

    Raises:
        InputError: the pictures are too small to show a face.
    """
    stream = pictures_of(container, named)
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = threads
    shape = Shape(container, stream)
    unstamped = has_no_times(container)
    mark: DisplayMark | None = None
    pictures = _pictures(container, stream, cut_off, tally)
    for picture, ticks in _stamped(pictures, tally, as_stored=numbers_as_stored(container)):
        tally.frames += 1
        if tally.frames <= skip:
            continue
        if mark is None:
            mark = _display_mark(picture)
            check_size(named, *shape.size(picture.width, picture.height))
        image_rgb = mark.apply(shape.rgb(picture))
        yield image_rgb, None if ticks is None or unstamped else float(ticks * stream.time_base)


def _stamped(
    pictures: Generator[Any], tally: Tally, *, as_stored: bool
) -> Generator[tuple[Any, int | None]]:
    first = list(itertools.islice(pictures, _LOOK_AHEAD))
    tally.stamps.decide([picture.pts for picture in first], numbers_as_stored=as_stored)
    while first:
        picture = first.pop(0)
        yield picture, tally.stamps.of(picture.pts, picture.dts)
    for picture in pictures:
        yield picture, tally.stamps.of(picture.pts, picture.dts)


def _pictures(container: Any, stream: Any, cut_off: bool, tally: Tally) -> Generator[Any]:
    for packet in _whole_packets(container, stream, cut_off, tally):
        if packet is not None and not packet.is_discard:
            tally.stamps.sent(packet.pts, packet.dts)
        try:
            yield from stream.codec_context.decode(packet)
        except _DAMAGED as error:
            _log.debug("a packet cannot be decoded: %s", error)
            if packet is not None:
                tally.stamps.refused(packet.pts, packet.dts)
            # A broadcast joined between two key frames begins with packets nobody can decode.
            tally.refused += bool(tally.frames or stream.frames)


def _whole_packets(container: Any, stream: Any, cut_off: bool, tally: Tally) -> Generator[Any]:
    """The stream's packets, then ``None`` to flush the decoder.

    A packet marked corrupt is held back until another follows it: the last one is where the file
    was cut, and would decode to a picture that is part grey.
    """
    held = None
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except _DAMAGED as error:
            tally.stopped = str(error)
            break
        if packet is None:
            break
        if not packet.size:  # PyAV's own flush packet, or a frame a recorder dropped
            continue
        if held is not None:
            tally.packets += not held.is_discard
            yield held
            held = None
        if packet.is_corrupt or (cut_off and container.format.name == "gif"):
            held = packet
            continue
        tally.packets += not packet.is_discard
        yield packet
    yield None


def say_what_is_missing(
    named: str | Path,
    tally: Tally,
    last_secs: float,
    *,
    expected: int | None,
    cut_off: bool,
    again: str = "copy or download it again for the rest",
) -> None:
    """Nothing if every frame was read.

    Raises:
        InputError: how much was read, and what to do for the rest.
    """
    of_all = f" of {expected}" if expected and expected > tally.frames else ""
    read = f"{tally.frames}{of_all} frames were read (up to {last_secs:.2f} s)"
    if cut_off or tally.stopped:
        raise InputError(f"{named}: the video is cut off: {read}; {again}")
    if tally.frames == 0:
        raise InputError(f"{named}: no frame can be decoded; convert it to MP4 (H.264)")
    if tally.refused:
        raise InputError(f"{named}: {tally.refused} damaged frames were left out: {read}; {again}")


def _display_mark(picture: Any) -> DisplayMark:
    matrix = picture.side_data.get("DISPLAYMATRIX")
    return UPRIGHT if matrix is None else DisplayMark.from_bytes(bytes(matrix))
