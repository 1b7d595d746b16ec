"""Predict first, score second, with a file in between: a run that is cut off loses nothing.

``predict`` writes landmarks to an ``.npz``; ``scoring`` reads nothing but those and the truth, so
a new metric needs no new predictions.
"""

from __future__ import annotations

import logging
import os
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from mien.data.sample import LabelledPhoto
from mien.errors import OutputError
from mien.types import Landmarks

__all__ = ["Predictions", "predict"]

_log = logging.getLogger(__name__)

_SAVE_EVERY = 50
_POINTS = 68


@dataclass(frozen=True)
class Predictions:
    """What was predicted, one row a face, in the order of the data set."""

    names: tuple[str, ...]
    points_image: Float[np.ndarray, "faces 68 3"]
    """NaN in the rows of faces that were not found."""
    confidence: Float[np.ndarray, "faces 68"]

    def __post_init__(self) -> None:
        n = len(self.names)
        if self.points_image.shape != (n, _POINTS, 3) or self.confidence.shape != (n, _POINTS):
            raise ValueError(
                f"{n} predictions are ({n}, 68, 3) with ({n}, 68), not "
                f"{self.points_image.shape} with {self.confidence.shape}"
            )


def predict(
    photos: Sequence[LabelledPhoto],
    locate: Callable[[LabelledPhoto], Landmarks | None],
    file: Path,
    run: str,
    on_face: Callable[[int], None] = lambda done: None,
) -> Predictions:
    """Predict every face and write them to ``file``, in passing and at the end.

    Args:
        locate: the landmarks of the labelled face, ``None`` where it is not found.
        file: an ``.npz``. If an earlier call for the same ``run`` was cut off, its faces are not
            predicted again; a finished file is started anew, for code changes under our feet.
        run: everything the predictions depend on, in one string.
        on_face: told the number of faces done, after each.

    Raises:
        OutputError: the file cannot be written.
        DataError: a photo cannot be read.
    """
    names = tuple(photo.name for photo in photos)
    points = np.full((len(names), _POINTS, 3), np.nan)
    confidence = np.full((len(names), _POINTS), np.nan)
    start = _resume(file, run, names, points, confidence)
    if start:
        _log.info("%s: going on after %d of %d faces", file, start, len(names))
    done = start
    _write(file, run, names, points, confidence, done)  # a place that cannot be written shows now
    try:
        for row in range(start, len(names)):
            face = locate(photos[row])
            if face is not None:
                points[row], confidence[row] = face.points_image, face.confidence
            done = row + 1
            on_face(done)
            if done % _SAVE_EVERY == 0 and done < len(names):
                _write(file, run, names, points, confidence, done)
    finally:
        _write(file, run, names, points, confidence, done)
    return Predictions(names, points, confidence)


def _resume(
    file: Path,
    run: str,
    names: tuple[str, ...],
    points: Float[np.ndarray, "faces 68 3"],
    confidence: Float[np.ndarray, "faces 68"],
) -> int:
    """Fill in what an interrupted run of the same kind left; the number of faces it did."""
    if not file.is_file():
        return 0
    try:
        with file.open("rb") as stream, np.load(stream) as saved:
            done = int(saved["done"])
            same = str(saved["run"]) == run and tuple(saved["name"].tolist()) == names
            if not same or done >= len(names):
                return 0
            points[:done] = saved["points_image"][:done]
            confidence[:done] = saved["confidence"][:done]
            return done
    except (OSError, ValueError, KeyError, EOFError, zlib.error, zipfile.BadZipFile):
        _log.warning("%s is no file of predictions: starting anew", file)
        return 0


def _write(
    file: Path,
    run: str,
    names: tuple[str, ...],
    points: Float[np.ndarray, "faces 68 3"],
    confidence: Float[np.ndarray, "faces 68"],
    done: int,
) -> None:
    """Whole or not at all: written beside, then put in place."""
    beside = file.with_name(file.name + ".part")
    try:
        with beside.open("wb") as stream:
            np.savez(
                stream,
                run=np.array(run),
                done=np.array(done),
                name=np.array(names),
                points_image=points,
                confidence=confidence,
            )
        os.replace(beside, file)
    except OSError as error:
        raise OutputError(
            f"{file} cannot be written ({error.strerror or error}): name another place"
        ) from error
