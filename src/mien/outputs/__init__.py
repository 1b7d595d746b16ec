"""What a run leaves behind: tables, overlays, a timeline and a summary."""

from mien.outputs.background_writer import WriteBehind
from mien.outputs.drawing import draw_faces
from mien.outputs.optional_sink import OptionalSink
from mien.outputs.overlay import OverlayPhoto, OverlayVideo
from mien.outputs.ownership import is_ours, is_ours_within, may_be_ours, refuse_foreign
from mien.outputs.rows import NO_DETAILS
from mien.outputs.sink import Sink
from mien.outputs.summary import StageSeconds, Summary, write_summary
from mien.outputs.tables import TABLE_FORMATS, open_table
from mien.outputs.timeline import Timeline

__all__ = [
    "NO_DETAILS",
    "TABLE_FORMATS",
    "OptionalSink",
    "OverlayPhoto",
    "OverlayVideo",
    "Sink",
    "StageSeconds",
    "Summary",
    "Timeline",
    "WriteBehind",
    "draw_faces",
    "is_ours",
    "is_ours_within",
    "may_be_ours",
    "open_table",
    "refuse_foreign",
    "write_summary",
]
