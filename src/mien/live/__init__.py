"""The window: the newest frame of a camera, file or stream, drawn as soon as it is tracked."""

from mien.live.loop import Controls, LiveOptions, LiveResult, run_live
from mien.live.sources import open_live
from mien.live.window import Screen, Window, require_window

__all__ = [
    "Controls",
    "LiveOptions",
    "LiveResult",
    "Screen",
    "Window",
    "open_live",
    "require_window",
    "run_live",
]
