"""A run to the one file that the field wing reads: landmark networks and face finders."""

from mien.export.finder import FinderOnPictures, export_finder
from mien.export.landmarker import CONFIDENCE_RADIUS, Deployed, export_run
from mien.export.onnx_graph import digest_of

__all__ = [
    "CONFIDENCE_RADIUS",
    "Deployed",
    "FinderOnPictures",
    "digest_of",
    "export_finder",
    "export_run",
]
