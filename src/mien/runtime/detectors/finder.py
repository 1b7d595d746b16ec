"""mien's own face finder: a small network whose file says how to read it.

A picture is looked at once as a whole, for large faces, and once as finely as a bounded number of
pixels allows, for small ones; a small picture needs one look.
"""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from mien.errors import ModelError
from mien.runtime.detectors.finder_maps import Finds, decode_maps, strongest
from mien.runtime.finder_card import FinderCard
from mien.runtime.session import card_in, open_session
from mien.runtime.weights import shipped_finder
from mien.types import Detection, Frame

__all__ = ["Finder", "read_finder_card", "search_ratios"]

_KIND = "face finder of mien"
_MULTIPLE = 32
_OVERLAP = 0.35
"""IoU of two square boxes above which they are of one face."""
_ONE_LOOK = 480
"""Px of the long side up to which one look finds large and small faces."""
_WHOLE = 320
"""Px of the long side of the look at the whole."""
_FINE_PIXELS = 400_000
"""Most pixels of the fine look: 843 x 474 of a full HD picture, whose faces of 24 px become 10."""
_USUAL_SHAPE = 9 / 16
_LARGEST_FINE = 300.0
"""Faces larger than this, px of the fine look, are left to the look at the whole."""


class Finder:
    """The detector that mien has learned itself; any number of threads may ask it."""

    def __init__(
        self,
        path: Path | None = None,
        *,
        score: float | None = None,
        fine_pixels: int = _FINE_PIXELS,
        threads: int = 1,
    ) -> None:
        """Open a finder's weight file.

        Args:
            path: ``None`` takes the one that ships with mien.
            score: finds below it are dropped; ``None`` takes the file's own.
            fine_pixels: most pixels that the picture is searched at. Faces below about 10 px there
                are missed; time grows with it.
            threads: of the network.

        Raises:
            ModelError: there is no such file, or it is no face finder of mien.
        """
        path = path or shipped_finder()
        if path is None:
            raise ModelError("no face finder ships with this installation: name a weight file")
        self._session = open_session(path, threads)
        self.card = card_in(self._session, path, FinderCard.from_json, _KIND)
        self._outputs = [f"maps_{stride}" for stride in self.card.strides]
        missing = set(self._outputs) - {node.name for node in self._session.get_outputs()}
        if missing or [node.name for node in self._session.get_inputs()] != ["pictures"]:
            raise ModelError(f"{path} is not a face finder of mien")
        self.path = path
        self._score = self.card.score if score is None else score
        self._fine_pixels = fine_pixels

    def finer_words(self, width: int, height: int) -> str | None:
        """What to ask for to search a picture of that size finer; ``None`` where nothing is."""
        if search_ratios(width, height, self._fine_pixels)[-1] >= 1:
            return None
        most = min(width * height, 4 * self._fine_pixels)
        return f"finder:{math.ceil(math.sqrt(most / _USUAL_SHAPE))}"

    @classmethod
    def as_fine_as(cls, long_side: int) -> Finder:
        """The shipped finder, which searches as finely as a 16:9 picture with that long side, px.

        Raises:
            ModelError: no finder ships with this installation.
        """
        return cls(fine_pixels=round(long_side**2 * _USUAL_SHAPE))

    def find(self, frame: Frame) -> list[Detection]:
        """Every face, best first, in image pixels."""
        height, width = frame.image_rgb.shape[:2]
        *whole, fine = search_ratios(width, height, self._fine_pixels)
        image_rgb = _shrunk(frame.image_rgb, width * fine, height * fine)
        finds = self._look(image_rgb, width, height)
        if whole:
            finds = finds.take(np.flatnonzero(finds.size * fine <= _LARGEST_FINE))
            image_rgb = _shrunk(image_rgb, width * whole[0], height * whole[0])
            finds = Finds.joined([self._look(image_rgb, width, height), finds])
        return strongest(finds, _OVERLAP).detections()

    def maps(
        self, pictures_rgb: UInt8[np.ndarray, "n height width 3"]
    ) -> list[Float32[np.ndarray, "n 14 _ _"]]:
        """What the network says of pictures whose sides are multiples of 32."""
        return list(self._session.run(self._outputs, {"pictures": pictures_rgb}))

    def _look(self, image_rgb: UInt8[np.ndarray, "rows cols 3"], width: int, height: int) -> Finds:
        """Faces in a shrunk picture, in px of the one it was made from."""
        inner_h, inner_w = image_rgb.shape[:2]
        padded = np.zeros((_round_up(inner_h), _round_up(inner_w), 3), np.uint8)
        padded[:inner_h, :inner_w] = image_rgb
        maps = [one[0] for one in self.maps(padded[None])]
        finds = decode_maps(maps, self.card.strides, self._score)
        inside = (finds.centre >= -0.5) & (finds.centre <= np.array([inner_w, inner_h]) - 0.5)
        finds = finds.take(np.flatnonzero(inside.all(axis=1)))
        return finds.scaled(np.array([width / inner_w, height / inner_h]))


def _shrunk(
    image_rgb: UInt8[np.ndarray, "height width 3"], width: float, height: float
) -> UInt8[np.ndarray, "rows cols 3"]:
    size = max(round(width), 1), max(round(height), 1)
    if size == image_rgb.shape[1::-1]:
        return image_rgb
    return np.asarray(cv2.resize(image_rgb, size, interpolation=cv2.INTER_AREA))


def search_ratios(width: int, height: int, fine_pixels: int) -> list[float]:
    """By how much a picture is shrunk for each look: the whole first, then the fine one."""
    longest = max(width, height)
    fine = min(math.sqrt(fine_pixels / (width * height)), 1.0)
    if fine * longest <= _ONE_LOOK:
        return [fine]
    return [_WHOLE / longest, fine]


def read_finder_card(path: Path) -> FinderCard:
    """The card of a finder's weight file.

    Raises:
        ModelError: there is no such file, or it is no face finder of mien.
    """
    return card_in(open_session(path, 1), path, FinderCard.from_json, _KIND)


def _round_up(value: int) -> int:
    return -(-value // _MULTIPLE) * _MULTIPLE
