"""CenterFace (Xu et al., 2019; code and weights MIT: ``weights/centerface.LICENSE.txt``).

The network is a fully convolutional map: every fourth pixel says how likely a face is centred
there, how large it is, and where its eyes, nose and mouth corners lie in its box. The file that
ships is the original's, with sizes left free for onnxruntime (``benchmarks/centerface_file.py``):
that takes half the time of OpenCV's dnn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8

from mien.runtime.detectors.suppression import strongest_boxes
from mien.runtime.detectors.tiles import fine_ratio, tiles_of
from mien.runtime.session import open_session, usable_threads
from mien.runtime.weights import shipped_centerface
from mien.types import Box, Detection, Frame

__all__ = ["CenterFace", "HeadMaps", "decode_heads"]

_STRIDE = 4
_MULTIPLE = 32
_OUTPUTS = ["heat", "scale", "offset", "landmarks"]
_LONG_SIDE = 512
_SCORE = 0.4
"""The landmark network judges what is found, so that doubtful faces may pass (decision 32)."""
_READABLE = 36
"""Px of a face at the usual search from which it finds nearly all."""


@dataclass(frozen=True)
class HeadMaps:
    """The four outputs for one picture, at a quarter of its size; pairs are (y, x)."""

    heat: Float32[np.ndarray, "rows cols"]
    scale: Float32[np.ndarray, "2 rows cols"]
    """Logarithm of height and width in cells."""
    offset: Float32[np.ndarray, "2 rows cols"]
    """Centre of the face from the middle of the cell, in cells."""
    landmarks: Float32[np.ndarray, "10 rows cols"]
    """Five points as shares of the box from its top left corner."""


class CenterFace:
    """The detector that needs no file from the user; any number of threads may ask it."""

    def __init__(
        self,
        *,
        long_side: int | None = None,
        score: float = _SCORE,
        overlap: float = 0.3,
        upscale: float = 1,
        threads: int | None = None,
    ) -> None:
        """Open the network.

        Args:
            long_side: the picture is shrunk to it before the search, and searched no finer. Faces
                below about 20 px there are missed; time grows with its square. If not given, 512,
                and :meth:`find_small` looks at larger pictures finer.
            score: detections below it are dropped.
            overlap: of two boxes with a larger IoU the weaker is dropped.
            upscale: small pictures are enlarged up to this factor.
            threads: of the network; ``None``: all cores.

        Raises:
            ModelError: this installation is broken: the network is missing.
        """
        self._session = open_session(shipped_centerface(), usable_threads(threads))
        self._long_side = long_side or _LONG_SIDE
        self._may_look_finer = long_side is None
        self._score = score
        self._overlap = overlap
        self._upscale = upscale

    def finer_words(self, width: int, height: int) -> str | None:
        """What to ask for to search a picture of that size finer; ``None`` where nothing is."""
        longest = max(width, height)
        whole = self._long_side / longest
        finest = (fine_ratio(width, height, whole) if self._may_look_finer else None) or whole
        return f"centerface:{min(longest, round(2 * finest * longest))}" if finest < 1 else None

    def find(self, frame: Frame) -> list[Detection]:
        """Every face, best first, in image pixels."""
        image_rgb = frame.image_rgb
        return self._look(image_rgb, min(self._whole_ratio(image_rgb), self._upscale))

    def find_small(self, frame: Frame) -> list[Detection]:
        """Faces that are too small for :meth:`find`, and maybe others, best first: the picture is
        looked at as finely as a bounded number of pixels allows, whatever its shape, in tiles.

        Empty where the one look is fine enough, or its size was asked for.
        """
        image_rgb = frame.image_rgb
        height, width = image_rgb.shape[:2]
        whole = self._whole_ratio(image_rgb)
        ratio = fine_ratio(width, height, whole)
        if ratio is None or not self._may_look_finer:
            return []
        found = []
        for tile in tiles_of(width, height, ratio, least_overlap=_READABLE / whole):
            part = np.ascontiguousarray(image_rgb[tile.top : tile.bottom, tile.left : tile.right])
            seen = (one.moved(tile.left, tile.top) for one in self._look(part, ratio))
            found += [one for one in seen if tile.owns(one.box.centre)]
        return _strongest(found, self._overlap)

    def _whole_ratio(self, image_rgb: UInt8[np.ndarray, "height width 3"]) -> float:
        return self._long_side / float(max(image_rgb.shape[:2]))

    def _look(
        self, image_rgb: UInt8[np.ndarray, "height width 3"], ratio: float
    ) -> list[Detection]:
        height, width = image_rgb.shape[:2]
        inner_w, inner_h = max(round(width * ratio), 1), max(round(height * ratio), 1)
        padded = np.zeros((_round_up(inner_h), _round_up(inner_w), 3), np.uint8)
        shrink = cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR
        padded[:inner_h, :inner_w] = cv2.resize(image_rgb, (inner_w, inner_h), interpolation=shrink)
        heat, scale, offset, landmarks = self._session.run(_OUTPUTS, {"pictures": padded[None]})
        maps = HeadMaps(heat[0, 0], scale[0], offset[0], landmarks[0])
        to_image = np.array([width / inner_w, height / inner_h])
        return [
            _resize(found, to_image) for found in decode_heads(maps, self._score, self._overlap)
        ]


def decode_heads(maps: HeadMaps, score: float, overlap: float) -> list[Detection]:
    """Boxes and points in pixels of the network's input, centres at integers, best first."""
    rows, cols = np.nonzero(maps.heat >= score)
    if not len(rows):
        return []
    scores = maps.heat[rows, cols].astype(np.float64)
    size = np.exp(maps.scale[:, rows, cols].T.astype(np.float64)) * _STRIDE
    cell = np.stack([rows, cols], axis=1) + maps.offset[:, rows, cols].T.astype(np.float64)
    # The cell's middle lies at (cell + 0.5) * stride from the picture's edge, and the edge lies
    # half a pixel before the first pixel's centre.
    centre = (cell + 0.5) * _STRIDE - 0.5
    start, end = centre - size / 2, centre + size / 2
    shares = maps.landmarks[:, rows, cols].T.astype(np.float64).reshape(-1, 5, 2)
    points = start[:, None] + shares * size[:, None]
    boxes = np.concatenate([start[:, ::-1], end[:, ::-1]], axis=1)
    return [
        Detection(Box(*map(float, boxes[i])), float(scores[i]), points[i, :, ::-1].copy())
        for i in strongest_boxes(start, end, scores, overlap)
    ]


def _strongest(found: Sequence[Detection], overlap: float) -> list[Detection]:
    corners = np.array(
        [[one.box.left, one.box.top, one.box.right, one.box.bottom] for one in found]
    ).reshape(-1, 4)
    scores = np.array([one.score for one in found])
    return [found[i] for i in strongest_boxes(corners[:, :2], corners[:, 2:], scores, overlap)]


def _resize(found: Detection, factor: Float[np.ndarray, " 2"]) -> Detection:
    """Pixel centres at integers: x_image = (x + 0.5) * factor - 0.5."""
    box, points = found.box, found.five_points
    corners = np.array([[box.left, box.top], [box.right, box.bottom]])
    (left, top), (right, bottom) = (corners + 0.5) * factor - 0.5
    return Detection(
        Box(float(left), float(top), float(right), float(bottom)),
        found.score,
        None if points is None else (points + 0.5) * factor - 0.5,
    )


def _round_up(pixels: int) -> int:
    return math.ceil(pixels / _MULTIPLE) * _MULTIPLE
