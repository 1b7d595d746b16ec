"""What a finished row leaves: one file, whole or not there, bound to what it was made of."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mien.files import write_atomically
from mien.reproduction.measurement import Measurement
from mien.training.config import TrainConfig

__all__ = [
    "RowResult",
    "digest",
    "fingerprint",
    "mean_and_spread",
    "read_result",
    "write_result",
]

_GENERATION = 1
"""Raised when rows of before would not be comparable with rows of after."""
_LATER_SWITCHES = {"finetune_shrink": 2}
"""Of the network, newer than rows that stand; with these values they are what they were."""


@dataclass(frozen=True)
class RowResult:
    """One row, trained from one seed and measured."""

    row: str
    seed: int
    fingerprint: str
    networks: tuple[str, ...]
    """Folders of the runs, model 1 before model 2."""
    steps: int
    version: str
    """Of mien."""
    measurements: tuple[Measurement, ...]


def fingerprint(config: TrainConfig, *parts: str) -> str:
    """Of everything that decides a run: not its name, nor where its files lie.

    ``parts`` are digests of data and whatever else counts.
    """
    values = config.to_dict()
    for key in ("name", "card"):
        del values[key]
    del values["schedule"]["save_every_secs"]
    for switch, usual in _LATER_SWITCHES.items():
        if values["network"][switch] == usual:
            del values["network"][switch]
    if head := values["network"]["head"]:
        values["network"]["head"] = hashlib.sha256(Path(head).read_bytes()).hexdigest()
    return digest(json.dumps(values, sort_keys=True), str(_GENERATION), *parts)


def digest(*parts: str) -> str:
    """SHA-256 of texts, in hexadecimal."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def write_result(result: RowResult, file: Path) -> None:
    """Write a row's file.

    Raises:
        OutputError: it cannot be written.
    """
    content = {
        **vars(result),
        "measurements": [
            {
                "set": each.set_name,
                "truth": each.truth,
                # JSON knows no infinity: a face missed has no error. Nothing is rounded, so that
                # a table with finished rows is the one an unbroken run makes.
                "errors": [error if math.isfinite(error) else None for error in each.errors],
                "yaw_deg": list(each.yaw_deg),
                "pose_error_deg": list(each.pose_error_deg),
            }
            for each in result.measurements
        ],
    }
    write_atomically(file, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())


def read_result(file: Path, expected: str) -> RowResult | None:
    """The row in ``file``; ``None`` where there is none, or one that was made of something else."""
    try:
        values: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if values["fingerprint"] != expected:
            return None
        measurements = tuple(map(_measurement, values.pop("measurements")))
        networks = tuple(values.pop("networks"))
        return RowResult(**values, networks=networks, measurements=measurements)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _measurement(values: dict[str, Any]) -> Measurement:
    errors = [math.inf if error is None else float(error) for error in values["errors"]]
    pose = tuple(values.get("pose_error_deg", ()))  # not in files of before 2026-11-26
    return Measurement(
        values["set"], values["truth"], tuple(errors), tuple(values["yaw_deg"]), pose
    )


def mean_and_spread(values: Sequence[float | None]) -> tuple[float, float | None] | None:
    """Mean over seeds, and half the way from the least to the greatest; ``None`` if one lacks.

    One seed has no spread.
    """
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return None
    spread = (max(known) - min(known)) / 2 if len(known) > 1 else None
    return sum(known) / len(known), spread
