"""Track this video: reader, tracker and sinks joined. There is no second tracking loop anywhere."""

from mien.pipeline.calls import find_faces, track
from mien.pipeline.parts import ALL_FACES, TrackerParts, load_tracker, make_tracker
from mien.pipeline.source import Checkpoint, track_source
from mien.pipeline.tally import StageTimes, Tally

__all__ = [
    "ALL_FACES",
    "Checkpoint",
    "StageTimes",
    "Tally",
    "TrackerParts",
    "find_faces",
    "load_tracker",
    "make_tracker",
    "track",
    "track_source",
]
