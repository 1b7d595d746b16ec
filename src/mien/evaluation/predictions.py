"""Predict first, score second, with a file in between: a run that is cut off loses nothing.

``predict`` writes landmarks to an ``.npz``; ``scoring`` reads nothing but those and the truth, so
a new metric needs no new predictions.
"""

from __future__ import annotations

import logging
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from mien.datasets.photo import LabelledPhoto
from mien.files import write_npz
from mien.types import Prediction

__all__ = ["Predictions", "predict"]

_log = logging.getLogger(__name__)

_SAVE_EVERY = 50
_POINTS = 68


@dataclass(frozen=True)
class Predictions:
    """What was predicted, one row a face, in the order of the data set."""

    names: tuple[str, ...]
    points_image: Float[np.ndarray, "faces 68 3"]
    """NaN in the rows of faces that were not found, here and below."""
    confidence: Float[np.ndarray, "faces 68"]
    score: Float[np.ndarray, " faces"]

    def __post_init__(self) -> None:
        n = len(self.names)
        wanted = [(n, _POINTS, 3), (n, _POINTS), (n,)]
        came = [one.shape for one in (self.points_image, self.confidence, self.score)]
        if came != wanted:
            raise ValueError(f"{n} predictions are {wanted}, not {came}")

    @classmethod
    def none_of(cls, names: tuple[str, ...]) -> Predictions:
        """Nothing found yet; to be filled in."""
        n = len(names)
        points, confidence = np.full((n, _POINTS, 3), np.nan), np.full((n, _POINTS), np.nan)
        return cls(names, points, confidence, np.full(n, np.nan))


def predict(
    photos: Sequence[LabelledPhoto],
    locate: Callable[[LabelledPhoto, int], Prediction | None],
    file: Path | None,
    run: str,
    on_face: Callable[[int], None] = lambda done: None,
) -> Predictions:
    """Predict every face and write them to ``file``, in passing and at the end.

    Args:
        locate: what is seen of the labelled face, given with its place in the set; ``None`` where
            it is not found.
        file: an ``.npz``, or ``None`` to keep nothing. If an earlier call for the same ``run`` was
            cut off, its faces are not predicted again; a finished file is started anew, for code
            changes under our feet.
        run: everything the predictions depend on, in one string.
        on_face: told the number of faces done, after each.

    Raises:
        OutputError: the file cannot be written.
        DataError: a photo cannot be read.
    """
    found = Predictions.none_of(tuple(photo.name for photo in photos))
    count = len(found.names)
    start = 0 if file is None else _resume(file, run, found)
    if start:
        _log.info("%s: going on after %d of %d faces", file, start, count)
    done = start
    _write(file, run, found, done)  # a place that cannot be written shows now
    try:
        for row in range(start, count):
            face = locate(photos[row], row)
            if face is not None:
                found.points_image[row] = face.landmarks.points_image
                found.confidence[row] = face.landmarks.confidence
                found.score[row] = face.score
            done = row + 1
            on_face(done)
            if done % _SAVE_EVERY == 0 and done < count:
                _write(file, run, found, done)
    finally:
        _write(file, run, found, done)
    return found


def _resume(file: Path, run: str, found: Predictions) -> int:
    """Fill in what an interrupted run of the same kind left; the number of faces it did."""
    if not file.is_file():
        return 0
    try:
        with file.open("rb") as stream, np.load(stream) as saved:
            done = int(saved["done"])
            same = str(saved["run"]) == run and tuple(saved["name"].tolist()) == found.names
            if not same or done >= len(found.names):
                return 0
            parts = [saved[key][:done] for key in ("points_image", "confidence", "score")]
            found.points_image[:done], found.confidence[:done], found.score[:done] = parts
            return done
    except (OSError, ValueError, KeyError, EOFError, zlib.error, zipfile.BadZipFile):
        _log.warning("%s is no file of predictions: starting anew", file)
        return 0


def _write(file: Path | None, run: str, found: Predictions, done: int) -> None:
    if file is None:
        return
    arrays = {
        "run": np.array(run),
        "done": np.array(done),
        "name": np.array(found.names),
        "points_image": found.points_image,
        "confidence": found.confidence,
        "score": found.score,
    }
    write_npz(file, arrays)
