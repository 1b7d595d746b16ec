"""Photos, videos, folders of them and webcams, read into frames."""

from mien.media.background_reader import ReadAhead
from mien.media.picture import as_picture
from mien.media.reader import Input, list_inputs, open_source, output_stems
from mien.media.source import SMALLEST_SIDE, Source, SourceKind

__all__ = [
    "SMALLEST_SIDE",
    "Input",
    "ReadAhead",
    "Source",
    "SourceKind",
    "as_picture",
    "list_inputs",
    "open_source",
    "output_stems",
]
