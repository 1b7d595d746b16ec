"""What a run leaves behind: tables, overlays, a timeline and a summary."""

from mien.outputs.background_writer import WriteBehind
from mien.outputs.drawing import Colouring, draw_faces
from mien.outputs.overlay import OverlayPhoto, OverlayVideo
from mien.outputs.sink import Sink
from mien.outputs.summary import StageSeconds, Summary, write_summary
from mien.outputs.tables import TABLE_FORMATS, open_table
from mien.outputs.timeline import Timeline

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
