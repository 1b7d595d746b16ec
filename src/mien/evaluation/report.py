"""A measurement as a JSON file: the numbers, and what one needs to get them again."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien.datasets.photo import LabelledPhoto
from mien.errors import OutputError
from mien.evaluation.confidence import ConfidenceScore
from mien.evaluation.predictions import Predictions
from mien.evaluation.scoring import BinScore, Score, score
from mien.evaluation.synthetic import TurnedScore
from mien.geometry.convention import Convention, in_convention

__all__ = ["Evaluation", "Moved", "Provenance", "evaluate_predictions", "moved_to", "write_json"]

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
    convention: Convention
    """Where on the head the model's points lie."""
    detection_sha256: str
    tracking_sha256: str
    version: str
    """Of mien."""


@dataclass(frozen=True)
class Moved:
    """The same predictions, their landmarks moved to where the set's convention has them."""

    convention: Convention
    main: Score
    others: tuple[tuple[str, Score], ...]
    turned: TurnedScore | None = None

    @property
    def key(self) -> str:
        """Name of its block in the JSON file."""
        return "as_" + self.convention.replace("-", "_")


@dataclass(frozen=True)
class Evaluation:
    """A score against the main truth, and against each other truth the data set has."""

    provenance: Provenance
    main: Score
    others: tuple[tuple[str, Score], ...]
    """Name of the other truth, and the score against it."""
    moved: Moved | None = None
    """``None`` where the set has its landmarks where the model puts them, or nobody knows where."""
    turned: TurnedScore | None = None
    """``None`` but for sets of turned photos."""


def evaluate_predictions(
    photos: Sequence[LabelledPhoto], predictions: Predictions, provenance: Provenance
) -> Evaluation:
    """Score against every truth there is, as predicted and moved to the set's convention.

    Raises:
        DataError: the predictions are of other photos.
    """
    names = dict[str, None]()
    conventions = set[Convention | None]()
    for photo in photos:
        names |= dict.fromkeys(other.name for other in photo.other_truths)
        conventions.add(photo.convention)

    def others(of: Predictions) -> tuple[tuple[str, Score], ...]:
        return tuple((name, score(photos, of, name)) for name in names)

    moved = None
    own = provenance.convention
    if len(conventions) == 1 and (sets := conventions.pop()) is not None and sets != own:
        points = moved_to(predictions, own, sets)
        moved = Moved(sets, score(photos, points), others(points))
    return Evaluation(provenance, score(photos, predictions), others(predictions), moved)


def moved_to(predictions: Predictions, old: Convention, new: Convention) -> Predictions:
    """The same predictions, their points moved from one convention to another."""
    points = predictions.points_image.copy()
    for row in np.flatnonzero(np.isfinite(points).all(axis=(1, 2))):
        points[row] = in_convention(points[row], old, new)
    return dataclasses.replace(predictions, points_image=points)


def write_json(evaluation: Evaluation, file: Path) -> None:
    """Write the numbers, those of another truth as a block under its name.

    What is moved to the set's convention is one more block, such as ``as_300w_lp``, of the same
    making; what is measured on turned photos only are the blocks of ``TurnedScore``.

    Raises:
        OutputError: the file cannot be written.
    """
    content = _blocks(evaluation)
    if evaluation.moved is not None:
        content[evaluation.moved.key] = _blocks(evaluation.moved)
    content |= dataclasses.asdict(evaluation.provenance)
    text = json.dumps(content, indent=1, allow_nan=False)
    try:
        file.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"{file} cannot be written ({error.strerror}): name another place"
        ) from error


def _blocks(measured: Evaluation | Moved) -> dict[str, object]:
    others = {name: _block(other) for name, other in measured.others}
    turned = {} if measured.turned is None else _turned_blocks(measured.turned)
    return _block(measured.main) | others | turned


def _block(measured: Score) -> dict[str, object]:
    bins = measured.bins
    return {
        "n": measured.n,
        "missed": measured.missed,
        "nme": _short(measured.nme),
        "nme_inner51": _short(measured.nme_inner51),
        "nme_3d": _short(measured.nme_3d),
        "bins": None if bins is None else {one.name: _bin_block(one) for one in bins},
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


def _bin_block(one: BinScore) -> dict[str, object]:
    return {
        "n": one.n,
        "missed": one.missed,
        "nme": _short(one.nme),
        "nme_inner51": _short(one.nme_inner51),
    }


def _turned_blocks(measured: TurnedScore) -> dict[str, object]:
    confidence, presence = measured.confidence, measured.presence
    return {
        "depth": {
            "z_error": _short(measured.depth.z_error),
            "xy_error": _short(measured.depth.xy_error),
            "ratio": _short(measured.depth.ratio),
        },
        "confidence": None if confidence is None else _confidence_block(confidence),
        "eyes": {
            one.eyes.value: {
                "n": one.n,
                "opening_error": _short(one.error),
                "n_seen": one.n_seen,
                "opening_error_seen": _short(one.error_seen),
            }
            for one in measured.eyes
        },
        "score": None
        if presence is None
        else {
            "n_no_face": presence.n_no_face,
            "auc_no_face": _short(presence.auc_no_face),
            "n_misplaced": presence.n_misplaced,
            "auc_misplaced": _short(presence.auc_misplaced),
        },
    }


def _confidence_block(measured: ConfidenceScore) -> dict[str, object]:
    bins = measured.reliability
    return {
        "radius": measured.radius,
        "spearman": _short(measured.spearman),
        **{
            name: {"n": one.n, "confidence": _short(one.confidence), "error": _short(one.error)}
            for name, one in (("seen", measured.seen), ("hidden", measured.hidden))
        },
        "expected_calibration_error": _short(bins.expected_error),
        "bins": [
            {"n": int(n), "confidence": _short(claimed), "within": _short(true)}
            if n
            else {"n": 0, "confidence": None, "within": None}
            for n, claimed, true in zip(bins.n, bins.confidence, bins.within, strict=True)
        ],
    }


def _short(value: float | None) -> float | None:
    return None if value is None else round(float(value), _DIGITS)
