"""Face detectors behind one Protocol."""

from mien.runtime.detectors.boxes_csv import BoxesCsv
from mien.runtime.detectors.centerface import CenterFace
from mien.runtime.detectors.choose import open_detector
from mien.runtime.detectors.protocol import FaceDetector
from mien.runtime.detectors.yunet import YuNet

__all__ = ["BoxesCsv", "CenterFace", "FaceDetector", "YuNet", "open_detector"]
