"""Follow human faces in 3D: landmarks with depth, head pose, identity and confidence, offline.

::

    import mien

    for frame, faces in mien.track("clip.mp4"):
        for face in faces:
            print(frame.time_secs, face.track_id, face.pose.yaw_deg)

The names below are loaded when they are first used, so that ``import mien`` costs nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # of ``typing``, which would be most of what importing this costs
if TYPE_CHECKING:
    from typing import Any

    from mien.errors import MienError
    from mien.evaluation.evaluate import evaluate
    from mien.markup import load_markup
    from mien.outputs.dataframe import to_dataframe
    from mien.pipeline import find_faces, load_tracker, track
    from mien.tracking import Tracker, TrackerSettings
    from mien.types import Box, Face, Frame, HeadPose, Landmarks
    from mien.version import __version__

__all__ = [
    "Box",
    "Face",
    "Frame",
    "HeadPose",
    "Landmarks",
    "MienError",
    "Tracker",
    "TrackerSettings",
    "__version__",
    "evaluate",
    "find_faces",
    "load_markup",
    "load_tracker",
    "to_dataframe",
    "track",
]

_HOMES = {
    "mien.types": ("Box", "Face", "Frame", "HeadPose", "Landmarks"),
    "mien.errors": ("MienError",),
    "mien.version": ("__version__",),
    "mien.evaluation.evaluate": ("evaluate",),
    "mien.tracking": ("Tracker", "TrackerSettings"),
    "mien.markup": ("load_markup",),
    "mien.outputs.dataframe": ("to_dataframe",),
    "mien.pipeline": ("find_faces", "load_tracker", "track"),
}


def __getattr__(name: str) -> Any:
    import importlib

    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(home), name)
    raise AttributeError(f"module 'mien' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
