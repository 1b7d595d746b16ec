"""A contact sheet of the worst faces: where to look first for what to mend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from mien.datasets.photo import LabelledPhoto
from mien.evaluation.metrics import face_size
from mien.evaluation.predictions import Predictions
from mien.evaluation.scoring import FaceScore, Score
from mien.files import write_atomically
from mien.geometry import Similarity, warp_crop
from mien.types import Box

__all__ = ["draw_worst", "write_worst"]

_CELL_PX = 240
_CAPTION_PX = 36
_COLUMNS = 10
_FACES = 50
_MARGIN = 1.4
"""Side of the cut against the longer side of the face's box."""
_TRUTH_BGR = (80, 220, 80)
_PREDICTED_BGR = (60, 60, 255)
_TEXT_BGR = (255, 255, 255)

_Picture = UInt8[np.ndarray, "height width 3"]
_TEXT_SIZE = 0.42
"""Of OpenCV's font: some thirty characters a picture."""
_FARTHEST = 1e6
"""Sixteenths of a pixel: what OpenCV's integers hold, with room for its own sums."""


def write_worst(
    photos: Sequence[LabelledPhoto], predictions: Predictions, measured: Score, file: Path
) -> None:
    """Write the sheet of ``draw_worst`` as a PNG.

    Raises:
        OutputError: the file cannot be written.
        DataError: a photo cannot be read.
    """
    encoded = cv2.imencode(".png", draw_worst(photos, predictions, measured))[1]
    write_atomically(file, encoded.tobytes())


def draw_worst(
    photos: Sequence[LabelledPhoto],
    predictions: Predictions,
    measured: Score,
    faces: int = _FACES,
) -> _Picture:
    """The faces with the largest NME, missed ones first, as one BGR picture.

    Truth is green, prediction is red, each pair joined by a line; under each face its NME and name.
    """
    rows = sorted(range(len(photos)), key=lambda row: -measured.errors[row])[:faces]
    cells = [
        _draw_cell(photos[row], predictions.points_image[row], measured.per_image[row])
        for row in rows
    ]
    columns = min(_COLUMNS, len(cells))
    cells += [np.zeros_like(cells[0])] * (-len(cells) % columns)
    lines = [np.hstack(cells[start : start + columns]) for start in range(0, len(cells), columns)]
    return np.vstack(lines)


def _draw_cell(
    photo: LabelledPhoto, predicted: Float[np.ndarray, "68 3"], face: FaceScore
) -> _Picture:
    truth = photo.points_image[:, :2]
    box = Box.around(truth[photo.valid])
    side = _MARGIN * max(box.width, box.height, face_size(truth))
    px = side / _CELL_PX
    left, top = np.array(box.centre) - px * (_CELL_PX - 1) / 2
    image_from_cell = Similarity(px, 0.0, (float(left), float(top)))
    cell = np.zeros((_CELL_PX + _CAPTION_PX, _CELL_PX, 3), np.uint8)
    cell[:_CELL_PX] = warp_crop(photo.read_rgb(), image_from_cell, _CELL_PX)[:, :, ::-1]
    cell_from_image = image_from_cell.inverse()
    pairs = zip(cell_from_image.apply(truth), cell_from_image.apply(predicted[:, :2]), strict=True)
    for true_point, predicted_point in pairs:
        _draw_pair(cell[:_CELL_PX], true_point, predicted_point)
    error = "missed" if face.nme is None else f"{face.nme:.4f}"
    yaw = "" if face.yaw_deg is None else f"  yaw {face.yaw_deg:.0f}"
    _write_line(cell, error + yaw, _CELL_PX + 14)
    _write_line(cell, face.name, _CELL_PX + 30)
    return cell


def _draw_pair(
    picture: _Picture, true_point: Float[np.ndarray, " 2"], predicted_point: Float[np.ndarray, " 2"]
) -> None:
    ends = [
        (point, colour)
        for point, colour in ((true_point, _TRUTH_BGR), (predicted_point, _PREDICTED_BGR))
        if np.isfinite(point).all()
    ]
    if len(ends) == 2:
        cv2.line(picture, _sixteenths(true_point), _sixteenths(predicted_point),
                 _TEXT_BGR, 1, cv2.LINE_AA, 4)  # fmt: skip
    for point, colour in ends:
        cv2.circle(picture, _sixteenths(point), 24, colour, cv2.FILLED, cv2.LINE_AA, 4)


def _sixteenths(point: Float[np.ndarray, " 2"]) -> tuple[int, int]:
    """OpenCV draws between pixels in fixed point; kept within what its integers hold."""
    x, y = np.clip(np.round(point * 16), -_FARTHEST, _FARTHEST)
    return int(x), int(y)


def _write_line(cell: _Picture, text: str, baseline: int) -> None:
    """As much of the end of the text as fits: names differ at their end."""
    font, size = cv2.FONT_HERSHEY_SIMPLEX, _TEXT_SIZE
    width = cv2.getTextSize("0", font, size, 1)[0][0]
    fits = math.floor((_CELL_PX - 8) / width)
    cv2.putText(cell, text[-fits:], (4, baseline), font, size, _TEXT_BGR, 1, cv2.LINE_AA)
