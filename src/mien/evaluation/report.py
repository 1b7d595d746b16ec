"""A measurement as a JSON file: the numbers, and what one needs to get them again."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mien.data.sample import LabelledPhoto
from mien.errors import OutputError
from mien.evaluation.benchmark import Predictions
from mien.evaluation.scoring import Score, score

__all__ = ["Evaluation", "Provenance", "evaluate_predictions", "write_json"]

_DIGITS = 6
"""NMEs are shares of a face some hundred pixels wide: a millionth is far below any label."""


@dataclass(frozen=True)
class Provenance:
    """How a measurement came about; nothing in it depends on the day or on the machine."""

    command: str
    """The command line, with the data set's folder by its last name."""
    data_format: str
    init: str
    mirror: bool
    model: str
    detection_sha256: str
    tracking_sha256: str
    version: str
    """Of mien."""


@dataclass(frozen=True)
class Evaluation:
    """A score against the main truth, and against each other truth the data set has."""

    provenance: Provenance
    main: Score
    others: tuple[tuple[str, Score], ...]
    """Name of the other truth, and the score against it."""


def evaluate_predictions(
    photos: Sequence[LabelledPhoto], predictions: Predictions, provenance: Provenance
) -> Evaluation:
    """Score against every truth there is.

    Raises:
        DataError: the predictions are of other photos.
    """
    names = dict.fromkeys(other.name for photo in photos for other in photo.other_truths)
    others = tuple((name, score(photos, predictions, name)) for name in names)
    return Evaluation(provenance, score(photos, predictions), others)


def write_json(evaluation: Evaluation, file: Path) -> None:
    """Write the numbers, those of another truth as a block under its name.

    Raises:
        OutputError: the file cannot be written.
    """
    content = _block(evaluation.main)
    for name, other in evaluation.others:
        content[name] = _block(other)
    content |= dataclasses.asdict(evaluation.provenance)
    text = json.dumps(content, indent=1, allow_nan=False)
    try:
        file.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"{file} cannot be written ({error.strerror}): name another place"
        ) from error


def _block(measured: Score) -> dict[str, object]:
    bins = measured.bins
    return {
        "n": measured.n,
        "missed": measured.missed,
        "nme": _short(measured.nme),
        "nme_inner51": _short(measured.nme_inner51),
        "nme_3d": _short(measured.nme_3d),
        "bins": None
        if bins is None
        else {one.name: {"n": one.n, "missed": one.missed, "nme": _short(one.nme)} for one in bins},
        "balanced": _short(measured.balanced),
        "auc_07": _short(measured.auc_07),
        "failure_rate_07": _short(measured.failure_rate_07),
        "per_image": [
            {
                "name": face.name,
                "yaw_deg": None if face.yaw_deg is None else round(face.yaw_deg, 3),
                "missed": face.missed,
                "nme": _short(face.nme),
                "nme_inner51": _short(face.nme_inner51),
                "nme_3d": _short(face.nme_3d),
            }
            for face in measured.per_image
        ],
    }


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
