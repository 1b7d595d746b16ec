"""Photos, videos, folders of them and webcams, read into frames."""

from mien.media.background_reader import ReadAhead
from mien.media.picture import as_picture
from mien.media.reader import Input, has_media_suffix, list_inputs, open_source, output_stems
from mien.media.sequence import is_sequence, name_of_sequence
from mien.media.source import SMALLEST_SIDE, Source, SourceKind
from mien.media.stream import STDIN, is_address, is_pipe, name_of_address

__all__ = [
    "SMALLEST_SIDE",
    "STDIN",
    "Input",
    "ReadAhead",
    "Source",
    "SourceKind",
    "as_picture",
    "has_media_suffix",
    "is_address",
    "is_pipe",
    "is_sequence",
    "list_inputs",
    "name_of_address",
    "name_of_sequence",
    "open_source",
    "output_stems",
]
