"""What a run leaves behind: tables, overlays, a timeline and a summary."""

from mien.viewer.behind import WriteBehind
from mien.viewer.drawing import Colouring, draw_faces
from mien.viewer.overlay import OverlayPhoto, OverlayVideo
from mien.viewer.sink import Sink
from mien.viewer.summary import StageSeconds, Summary, write_summary
from mien.viewer.table import TABLE_FORMATS, open_table
from mien.viewer.timeline import Timeline

__all__ = [
    "TABLE_FORMATS",
    "Colouring",
    "OverlayPhoto",
    "OverlayVideo",
    "Sink",
    "StageSeconds",
    "Summary",
    "Timeline",
    "WriteBehind",
    "draw_faces",
    "open_table",
    "write_summary",
]
