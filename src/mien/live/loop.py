"""The loop of the window: newest frame, tracker, screen."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import UInt8

from mien.expression import DetailReader, Details
from mien.live.newest import Newest
from mien.live.pace import Pace
from mien.live.recorder import Recorder
from mien.live.shown import Numbers, compose
from mien.live.window import Screen
from mien.markup import Markup
from mien.media import Source
from mien.outputs import Sink
from mien.tracking import Tracker
from mien.types import Face, Frame

__all__ = ["Controls", "LiveOptions", "LiveResult", "run_live"]

_WAIT_SECS = 0.1
_SHAPES: Final = Details(blendshapes=True)


@dataclass
class Controls:
    """What keys change."""

    mirror: bool = False
    hide: bool = False


@dataclass(frozen=True)
class LiveOptions:
    """How long, and how it begins."""

    seconds: float | None = None
    """After so many it ends; ``None``: with the source, or by a key."""
    mirror: bool = False
    record: bool = False
    """Whether it records from the first frame on."""
    details: Details = _SHAPES
    """What is read of faces besides points and pose."""


@dataclass(frozen=True)
class LiveResult:
    """How it went: a plain noun, written as JSON."""

    frames_arrived: int
    frames_tracked: int
    frames_dropped: int
    frames_with_face: int
    seconds: float
    fps: float
    latency_ms_median: float
    latency_ms_p95: float


def run_live(
    source: Source,
    tracker: Tracker,
    markup: Markup,
    recorder: Recorder,
    screen: Screen | None,
    options: LiveOptions,
    streams: Sequence[Sink] = (),
) -> LiveResult:
    """Track the newest frame until the source ends, the time is over or ``q`` is pressed.

    Without a screen it only measures. Latency is counted from a frame's arrival to its faces. Every
    frame's faces go to ``streams`` too, which stay open.

    Raises:
        InputError: the source broke off.
        OutputError: a recording cannot be written.
    """
    details = DetailReader(options.details)
    pace, controls = Pace(), Controls(mirror=options.mirror)
    with_face = 0
    with contextlib.ExitStack() as closing:
        newest = closing.enter_context(Newest(source))
        # Before the source, which may hang for long, is waited for: the window goes away at once.
        closing.callback(recorder.stop)
        if screen is not None:
            closing.callback(screen.close)
        if options.record:
            recorder.start()
        start_secs: float | None = None
        spent_secs = 0.0
        last: Frame | None = None
        faces: Sequence[Face] = ()
        while not newest.ended:
            arrival = newest.take(_WAIT_SECS)
            now_secs = time.monotonic()
            if arrival is not None:
                last = arrival.frame
                start_secs = arrival.at_secs if start_secs is None else start_secs
                faces = details.update(last, tracker.update(last))
                now_secs = time.monotonic()
                pace.add(now_secs, 1000 * (now_secs - arrival.at_secs))
                with_face += bool(faces)
                for stream in streams:
                    stream.write(last, faces)
                recorder.write(last, faces)
            pace.forget_before(now_secs)
            # Also while the source is silent: keys are heard and a window is not left frozen.
            if screen is not None and last is not None:
                numbers = Numbers(pace.fps, pace.recent_ms, newest.dropped, recorder.seconds)
                key = screen.show(_composed(last, faces, markup, numbers, controls))
                if not _obey(key, controls, tracker, recorder):
                    break
                if key == "c":  # the person's neutral, too, is learned anew
                    details = DetailReader(options.details)
            spent_secs = now_secs - start_secs if start_secs is not None else 0.0
            if options.seconds is not None and spent_secs >= options.seconds:
                break
        arrived = newest.arrived
    tracked = len(pace.latency_ms)
    return LiveResult(
        frames_arrived=arrived,
        frames_tracked=tracked,
        frames_dropped=arrived - tracked,
        frames_with_face=with_face,
        seconds=round(spent_secs, 3),
        fps=round(tracked / spent_secs, 2) if spent_secs > 0 else 0.0,
        latency_ms_median=round(pace.percentile_ms(50), 2),
        latency_ms_p95=round(pace.percentile_ms(95), 2),
    )


def _composed(
    frame: Frame, faces: Sequence[Face], markup: Markup, numbers: Numbers, controls: Controls
) -> UInt8[np.ndarray, "rows columns 3"]:
    image, mirror, hide = frame.image_rgb, controls.mirror, controls.hide
    return compose(image, faces, markup, numbers, mirror=mirror, hide=hide)


def _obey(key: str, controls: Controls, tracker: Tracker, recorder: Recorder) -> bool:
    """Do what the key says; False to end."""
    if key == "m":
        controls.mirror = not controls.mirror
    elif key == "h":
        controls.hide = not controls.hide
    elif key == "c":
        tracker.reset()
    elif key == "r":
        if recorder.seconds is None:
            recorder.start()
        else:
            recorder.stop()
    return key != "q"
