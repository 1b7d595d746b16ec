"""A measurement as files: JSON of the numbers and how to get them again, and a row a face."""

from __future__ import annotations

import dataclasses
import gzip
import json
from collections.abc import Iterator
from pathlib import Path

from mien.evaluation.confidence import ConfidenceScore
from mien.evaluation.evaluate import Evaluation, Measures
from mien.evaluation.head_pose import PoseScore
from mien.evaluation.perturbation import PerturbationScore
from mien.evaluation.scoring import BinScore, Score
from mien.evaluation.synthetic import TurnedScore
from mien.files import csv_text, write_atomically

__all__ = ["faces_file", "write_faces", "write_json"]

_DIGITS = 6
"""NMEs are shares of a face some hundred pixels wide: a millionth is far below any label."""
_FACE_COLUMNS = ("truth", "name", "yaw_deg", "missed", "nme", "nme_inner51", "nme_3d")


def write_json(evaluation: Evaluation, file: Path) -> None:
    """Write the numbers, those of another truth as a block under its name.

    What is moved to the set's convention is one more block, such as ``as_300w_lp``, of the same
    making; what is measured on turned, cut or covered photos only are blocks of their own.

    Raises:
        OutputError: the file cannot be written.
    """
    content = _blocks(evaluation.measures)
    if evaluation.moved is not None:
        content[evaluation.moved.key] = _blocks(evaluation.moved.measures)
    content |= dataclasses.asdict(evaluation.provenance)
    text = json.dumps(content, indent=1, allow_nan=False)
    write_atomically(file, (text + "\n").encode())


def faces_file(json_file: Path) -> Path:
    """Where ``write_faces`` puts its rows: ``r.faces.csv.gz`` beside ``r.json``."""
    return json_file.with_name(f"{json_file.stem}.faces.csv.gz")


def write_faces(evaluation: Evaluation, file: Path) -> None:
    """Write a row a face and truth, as compressed CSV: ``pandas.read_csv`` reads it as it is.

    ``truth`` is ``truth``, the name of another one, or either after ``as_300w_lp/`` and its like.
    A cell is empty where a face was missed, or where a figure is not defined.

    Raises:
        OutputError: the file cannot be written.
    """
    rows: list[tuple[object, ...]] = [_FACE_COLUMNS, *_face_rows(evaluation.measures, "")]
    if evaluation.moved is not None:
        rows += _face_rows(evaluation.moved.measures, f"{evaluation.moved.key}/")
    write_atomically(file, gzip.compress(csv_text(rows).encode(), mtime=0))


def _face_rows(measured: Measures, prefix: str) -> Iterator[tuple[object, ...]]:
    for name, one in (("truth", measured.main), *measured.others):
        for face in one.per_image:
            yaw = None if face.yaw_deg is None else round(face.yaw_deg, 3)
            errors = map(_short, (face.nme, face.nme_inner51, face.nme_3d))
            yield (prefix + name, face.name, yaw, face.missed, *errors)


def _blocks(measured: Measures) -> dict[str, object]:
    others = {name: _block(other) for name, other in measured.others}
    blocks = _block(measured.main) | others
    if measured.pose is not None:
        blocks["pose"] = _pose_block(measured.pose)
    if measured.turned is not None:
        blocks |= _turned_blocks(measured.turned)
    if measured.perturbed is not None:
        blocks |= _perturbed_blocks(measured.perturbed)
    return blocks


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
    }


def _bin_block(one: BinScore) -> dict[str, object]:
    return {
        "n": one.n,
        "missed": one.missed,
        "nme": _short(one.nme),
        "nme_inner51": _short(one.nme_inner51),
    }


def _pose_block(measured: PoseScore) -> dict[str, object]:
    return {
        "n": measured.n,
        "beyond_99_deg": measured.excluded,
        "missed": measured.missed,
        "pitch_mae_deg": _short(measured.pitch_deg),
        "yaw_mae_deg": _short(measured.yaw_deg),
        "roll_mae_deg": _short(measured.roll_deg),
        "mean_mae_deg": _short(measured.mean_deg),
    }


def _perturbed_blocks(measured: PerturbationScore) -> dict[str, object]:
    confidence = measured.confidence
    return {
        "yaw_off_median_deg": _short(measured.yaw_off_deg),
        "confidence": None if confidence is None else _confidence_block(confidence),
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
