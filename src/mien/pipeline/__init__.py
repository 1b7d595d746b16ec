"""Track this video: reader, tracker and sinks joined. There is no second tracking loop anywhere."""

from mien.pipeline.calls import find_faces, track
from mien.pipeline.parts import TrackerParts, load_tracker, make_tracker
from mien.pipeline.source import Checkpoint, track_source
from mien.pipeline.tally import StageTimes, Tally
from mien.tracking import ALL_FACES

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
