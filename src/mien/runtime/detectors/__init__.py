"""Face detectors, each a ``mien.types.FaceFinder``."""

from mien.runtime.detectors.boxes_csv import BoxesCsv
from mien.runtime.detectors.centerface import CenterFace
from mien.runtime.detectors.choose import open_detector
from mien.runtime.detectors.finder import Finder
from mien.runtime.detectors.yunet import YuNet

__all__ = ["BoxesCsv", "CenterFace", "Finder", "YuNet", "open_detector"]
