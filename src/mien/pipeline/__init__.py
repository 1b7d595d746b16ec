"""Track this video: reader, tracker and sinks joined. There is no second tracking loop anywhere."""

from mien.pipeline.calls import find_faces, track
from mien.pipeline.folders import FolderListing, LeftOut, left_out_of, list_folder, real_place
from mien.pipeline.parts import TrackerParts, load_tracker, make_tracker
from mien.pipeline.source import Checkpoint, track_source
from mien.pipeline.tally import StageTimes, Tally
from mien.tracking import ALL_FACES

__all__ = [
    "ALL_FACES",
    "Checkpoint",
    "FolderListing",
    "LeftOut",
    "StageTimes",
    "Tally",
    "TrackerParts",
    "find_faces",
    "left_out_of",
    "list_folder",
    "load_tracker",
    "make_tracker",
    "real_place",
    "track",
    "track_source",
]
