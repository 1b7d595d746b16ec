"""YuNet (Wu et al., 2023) through OpenCV, with a model file that the user names."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np

from mien.errors import ModelError
from mien.types import Box, Detection, Frame

__all__ = ["YuNet"]


class YuNet:
    """OpenCV's face detector."""

    def __init__(self, path: Path, *, long_side: int = 640, score: float = 0.7) -> None:
        """Open a ``face_detection_yunet_*.onnx`` file.

        Raises:
            ModelError: the file is missing or is not YuNet.
        """
        if not path.is_file():
            raise ModelError(f"no YuNet model file at {path}")
        try:
            self._net = cv2.FaceDetectorYN.create(str(path), "", (320, 320), score)
            self._net.detect(np.zeros((320, 320, 3), np.uint8))
        except cv2.error as error:
            reason = str(error).splitlines()[0][:120]
            raise ModelError(
                f"{path} is not a YuNet model that OpenCV can run ({reason})"
            ) from None
        self._turn = threading.Lock()  # OpenCV's networks keep the last size inside
        self._long_side = long_side

    def find(self, frame: Frame) -> list[Detection]:
        """Every face, best first, in image pixels."""
        image_rgb = frame.image_rgb
        height, width = image_rgb.shape[:2]
        ratio = min(self._long_side / max(height, width), 1.0)
        size = max(round(width * ratio), 1), max(round(height * ratio), 1)
        small = cv2.cvtColor(
            cv2.resize(image_rgb, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR
        )
        with self._turn:
            self._net.setInputSize(size)
            _, rows = self._net.detect(small)
        if rows is None:
            return []
        factor = np.array([width / size[0], height / size[1]])
        return sorted(
            (_detection(row.astype(np.float64), factor) for row in rows),
            key=lambda found: -found.score,
        )


def _detection(row: np.ndarray, factor: np.ndarray) -> Detection:
    """A row is left, top, width, height, five points, score, measured from the picture's edge."""
    corners = np.stack([row[:2], row[:2] + np.maximum(row[2:4], 0)])
    (left, top), (right, bottom) = corners * factor - 0.5
    return Detection(
        Box(float(left), float(top), float(right), float(bottom)),
        float(row[14]),
        row[4:14].reshape(5, 2) * factor - 0.5,
    )
