"""One picture of a whole video: when each track lives, and how its head turns."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from mien.files import PendingFile, write_atomically
from mien.outputs.drawing import track_colour
from mien.outputs.ownership import mark_png
from mien.outputs.sink import Sink
from mien.types import Face, Frame

__all__ = ["Timeline"]

_Image = UInt8[np.ndarray, "height width 3"]
_Colour = tuple[int, int, int]

_FINE = 2
"""Drawn twice as large and shrunk, which makes OpenCV's lettering smooth."""
_WIDTH, _LEFT, _RIGHT, _GAP = 1200, 116, 24, 22
_HEAD, _ROW, _CURVES, _FOOT = 34, 20, 110, 34
_MOST_ROWS = 16

_PAPER: _Colour = (252, 252, 250)
_INK: _Colour = (60, 64, 72)
_GRID: _Colour = (222, 224, 226)
_LOST: _Colour = (250, 222, 216)
_SCORES: tuple[_Colour, ...] = ((225, 70, 50), (245, 195, 70), (60, 175, 140))
"""At score 0, 0.5 and 1."""
_TEXT_SIZE, _CURVE_WIDTH = 0.4, 1.5
"""Of OpenCV's font, and px of a curve, before everything is drawn `_FINE` times as large."""


@dataclass
class _Track:
    """What is kept of a track: 40 bytes a frame."""

    times_secs: array[float] = field(default_factory=lambda: array("d"))
    frames: array[int] = field(default_factory=lambda: array("q"))
    scores: array[float] = field(default_factory=lambda: array("d"))
    angles_deg: tuple[array[float], ...] = field(
        default_factory=lambda: (array("f"), array("f"), array("f"))
    )


class Timeline(Sink):
    """A PNG: a bar a track, coloured by score, above curves of yaw, pitch and roll.

    Stretches without any face are shaded through the whole picture. Of more than 16 tracks the
    longest are shown.
    """

    def __init__(self, path: Path, title: str = "") -> None:
        """``title`` is drawn on top; letters outside ASCII are drawn as question marks.

        Raises:
            OutputError: the file cannot be made.
        """
        self._path, self._title = path, title
        self._times_secs = array("d")
        self._faces_seen = array("q")
        self._tracks: dict[int, _Track] = {}
        self._closed = False
        PendingFile(path).drop()  # refuses a bad place before any work

    def write(self, frame: Frame, faces: Sequence[Face]) -> None:
        for face in faces:
            track = self._tracks.setdefault(face.track_id, _Track())
            track.times_secs.append(frame.time_secs)
            track.frames.append(len(self._times_secs))
            track.scores.append(face.score)
            angles = (face.pose.yaw_deg, face.pose.pitch_deg, face.pose.roll_deg)
            for series, angle in zip(track.angles_deg, angles, strict=True):
                series.append(angle)
        self._times_secs.append(frame.time_secs)
        self._faces_seen.append(len(faces))

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._times_secs:
            image_bgr = cv2.cvtColor(self._drawn(), cv2.COLOR_RGB2BGR)
            write_atomically(self._path, mark_png(cv2.imencode(".png", image_bgr)[1].tobytes()))

    def _drawn(self) -> _Image:
        by_length = sorted(self._tracks, key=lambda number: -len(self._tracks[number].frames))
        shown = sorted(by_length[:_MOST_ROWS])
        bars_high = _ROW * max(1, len(shown))
        height = _HEAD + bars_high + 3 * (_GAP + _CURVES) + _FOOT
        sheet = _Sheet(height, self._edges_secs())
        self._shade_lost(sheet, _HEAD, height - _FOOT)
        sheet.text(self._headline(len(by_length) - len(shown)), _LEFT, 22)
        _draw_key(sheet)
        for row, number in enumerate(shown):
            self._draw_bar(sheet, number, _HEAD + row * _ROW)
        for axis, name in enumerate(("yaw", "pitch", "roll")):
            top = _HEAD + bars_high + _GAP + axis * (_GAP + _CURVES)
            self._draw_curves(sheet, name, axis, shown, top)
        sheet.time_axis(height - _FOOT)
        return sheet.shrunk()

    def _headline(self, hidden: int) -> str:
        frames = len(self._times_secs)
        with_face = int(np.count_nonzero(self._faces_seen))
        more = f" (+{hidden} short ones not drawn)" if hidden else ""
        title = self._title.encode("ascii", "replace").decode()
        counts = f"{with_face} of {frames} frames with a face, {len(self._tracks)} tracks{more}"
        return f"{title}   {counts}".strip()

    def _edges_secs(self) -> Float[np.ndarray, " edges"]:
        """Where each frame begins, and where the last one ends if it is as long as the others."""
        times = np.frombuffer(self._times_secs)
        usual = float(np.median(np.diff(times))) if len(times) > 1 else 1.0
        return np.append(times, times[-1] + usual)

    def _shade_lost(self, sheet: _Sheet, top: int, bottom: int) -> None:
        lost = np.frombuffer(self._faces_seen, dtype=np.int64) == 0
        for first, last in _runs(np.flatnonzero(lost)):
            sheet.block(first, last, top, bottom, _LOST)

    def _draw_bar(self, sheet: _Sheet, number: int, top: int) -> None:
        track = self._tracks[number]
        frames = np.frombuffer(track.frames, dtype=np.int64)
        # A hundred shades at most, so that a run of one shade is one block.
        shades = np.rint(np.clip(np.frombuffer(track.scores), 0, 1) * 100).astype(int)
        for first, last in _runs(frames, shades):
            shade = shades[np.searchsorted(frames, first)] / 100
            sheet.block(first, last, top + 3, top + _ROW - 3, _score_colour(shade))
        sheet.block_of_colour(_LEFT - 60, top + 6, 8, track_colour(number))
        sheet.text(f"#{number}", _LEFT - 46, top + 15)

    def _draw_curves(
        self, sheet: _Sheet, name: str, axis: int, shown: Sequence[int], top: int
    ) -> None:
        series = {n: np.frombuffer(self._tracks[n].angles_deg[axis], np.float32) for n in shown}
        largest = max((float(np.nanmax(np.abs(one))) for one in series.values()), default=0.0)
        reach = next((deg for deg in (15, 30, 60, 90) if largest <= deg), 180)
        middle, per_deg = top + _CURVES / 2, _CURVES / 2 / reach
        for deg in (-reach, 0, reach):
            sheet.level(middle - deg * per_deg)
            sheet.text(f"{deg:+d}" if deg else "0", _LEFT - 34, middle - deg * per_deg + 4)
        sheet.text(f"{name} deg", 10, middle + 4)
        for number, angles in series.items():
            frames = np.frombuffer(self._tracks[number].frames, dtype=np.int64)
            heights = middle - np.nan_to_num(angles) * per_deg
            for first, last in _runs(frames):
                inside = slice(*np.searchsorted(frames, (first, last + 1)))
                sheet.curve(frames[inside], heights[inside], track_colour(number))


def _score_colour(score: float) -> _Colour:
    red, green, blue = (
        round(float(np.interp(score, (0, 0.5, 1), [stop[channel] for stop in _SCORES])))
        for channel in range(3)
    )
    return red, green, blue


def _draw_key(sheet: _Sheet) -> None:
    """What the bars' colours and the shading mean."""
    left = _WIDTH - _RIGHT - 238
    sheet.text("score 0", left, 22)
    for step in range(6):
        sheet.block_of_colour(left + 54 + 12 * step, 12, 12, _score_colour(step / 5))
    sheet.text("1", left + 132, 22)
    sheet.block_of_colour(left + 162, 12, 12, _LOST)
    sheet.text("no face", left + 180, 22)


class _Sheet:
    """The paper: frames across, pixels of the final picture down."""

    def __init__(self, height: int, edges_secs: Float[np.ndarray, " edges"]) -> None:
        self._image: _Image = np.full((height * _FINE, _WIDTH * _FINE, 3), _PAPER, dtype=np.uint8)
        self._length_secs = max(float(edges_secs[-1]), 1e-9)
        self._edges_px = self._across(edges_secs)

    def _across(self, secs: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        return np.asarray(_LEFT + secs / self._length_secs * (_WIDTH - _LEFT - _RIGHT))

    def block(self, first: int, last: int, top: float, bottom: float, colour: _Colour) -> None:
        """Fill from the beginning of a frame to the end of another, one pixel wide at least."""
        left, right = (round(_FINE * float(self._edges_px[edge])) for edge in (first, last + 1))
        right = max(right, left + _FINE)
        self._image[round(_FINE * top) : round(_FINE * bottom), left:right] = colour

    def block_of_colour(self, left: float, top: float, side: float, colour: _Colour) -> None:
        at = [round(_FINE * edge) for edge in (left, left + side, top, top + side)]
        self._image[at[2] : at[3], at[0] : at[1]] = colour

    def level(self, y: float) -> None:
        self._line(_LEFT, y, _WIDTH - _RIGHT, y)

    def text(self, text: str, x: float, y: float) -> None:
        at = (round(_FINE * x), round(_FINE * y))
        font = cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(self._image, text, at, font, _TEXT_SIZE * _FINE, _INK, _FINE - 1, cv2.LINE_AA)

    def curve(
        self, frames: np.ndarray, heights: Float[np.ndarray, " frames"], colour: _Colour
    ) -> None:
        middles = (self._edges_px[frames] + self._edges_px[frames + 1]) / 2
        run = np.rint(np.stack([middles, heights], axis=1) * _FINE * 16).astype(np.int32)
        if len(run) == 1:
            cv2.circle(self._image, run[0].tolist(), 16 * _FINE, colour, -1, cv2.LINE_AA, 4)
        run = run.reshape(-1, 1, 2)
        cv2.polylines(
            self._image, [run], False, colour, round(_CURVE_WIDTH * _FINE), cv2.LINE_AA, 4
        )

    def time_axis(self, y: float) -> None:
        """Ticks at round times, at most a dozen."""
        self._line(_LEFT, y, _WIDTH - _RIGHT, y)
        magnitude = 10.0 ** np.floor(np.log10(self._length_secs / 12))
        steps = (magnitude * share for share in (1, 2, 5, 10, 20))
        step = next(step for step in steps if self._length_secs / step <= 12)
        for number in range(int(self._length_secs / step) + 1):
            x = float(self._across(np.array([number * step]))[0])
            self._line(x, y, x, y + 5)
            self.text(f"{number * step:g}s", x - 8, y + 20)

    def _line(self, x0: float, y0: float, x1: float, y1: float) -> None:
        ends = [tuple(round(_FINE * v) for v in end) for end in ((x0, y0), (x1, y1))]
        cv2.line(self._image, ends[0], ends[1], _GRID if y0 == y1 else _INK, _FINE - 1)

    def shrunk(self) -> _Image:
        size = (self._image.shape[1] // _FINE, self._image.shape[0] // _FINE)
        return np.asarray(cv2.resize(self._image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _runs(frames: np.ndarray, shades: np.ndarray | None = None) -> list[tuple[int, int]]:
    """First and last of each stretch of following frames, of one shade if shades are given."""
    if not len(frames):
        return []
    breaks = np.diff(frames) != 1
    if shades is not None:
        breaks |= np.diff(shades) != 0
    edges = np.flatnonzero(breaks)
    firsts, lasts = frames[np.append(0, edges + 1)], frames[np.append(edges, len(frames) - 1)]
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))
