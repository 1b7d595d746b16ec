"""A measurement as tables for a reader; the JSON file holds it all."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from rich.table import Table

from mien.evaluation.report import Evaluation
from mien.evaluation.scoring import Score
from mien.evaluation.synthetic import TurnedScore

__all__ = ["measured_tables"]


def measured_tables(evaluation: Evaluation) -> list[Table]:
    """The errors of the points, and what is measured on turned photos only."""
    tables = [_errors(evaluation)]
    if evaluation.turned is not None:
        tables.append(_turned(evaluation))
    return tables


def _errors(evaluation: Evaluation) -> Table:
    source = evaluation.provenance
    table = Table(title=f"{source.data_format}, {source.init}, {source.model}")
    columns = [("truth", evaluation.main), *evaluation.others]
    if (moved := evaluation.moved) is not None:
        place = f"points moved to {moved.convention}"
        columns += [
            (f"{name}, {place}", one) for name, one in [("truth", moved.main), *moved.others]
        ]
    table.add_column()
    for name, _ in columns:
        table.add_column(name, justify="right")
    rows: list[tuple[str, Callable[[Score], str]]] = [
        ("faces", lambda one: str(one.n)),
        ("missed", lambda one: str(one.missed)),
        ("NME, mean over all images", lambda one: _number(one.nme)),
        ("NME, inner 51", lambda one: _number(one.nme_inner51)),
        ("NME in 3D", lambda one: _number(one.nme_3d)),
        ("NME, mean of three yaw bins", lambda one: _number(one.balanced)),
        ("AUC to 0.07", lambda one: _number(one.auc_07)),
        ("failures at 0.07", lambda one: f"{one.failure_rate_07:.1%}"),
    ]
    for index, one in enumerate(evaluation.main.bins or ()):
        rows.insert(-3, (f"NME, yaw {one.name}", partial(_bin_number, index)))
    for label, show in rows:
        table.add_row(label, *(show(measured) for _, measured in columns))
    return table


def _bin_number(index: int, measured: Score) -> str:
    return _number(measured.bins[index].nme) if measured.bins else "-"


def _turned(evaluation: Evaluation) -> Table:
    columns = [("as predicted", evaluation.turned)]
    if (moved := evaluation.moved) is not None:
        columns.append((f"points moved to {moved.convention}", moved.turned))
    table = Table(title="turned photos")
    table.add_column()
    for name, _ in columns:
        table.add_column(name, justify="right")
    rows = [_turned_rows(one) for _, one in columns if one is not None]
    for label in rows[0]:
        table.add_row(label, *(one[label] for one in rows))
    return table


def _turned_rows(measured: TurnedScore) -> dict[str, str]:
    depth, confidence, presence = measured.depth, measured.confidence, measured.presence
    rows = {
        "depth: |z error|": _number(depth.z_error),
        "depth: its ratio to the error in x, y": _number(depth.ratio),
    }
    if confidence is not None:
        rows["confidence: Spearman, with small error"] = _number(confidence.spearman)
        for name, group in (("seen", confidence.seen), ("hidden", confidence.hidden)):
            told = f"{_number(group.confidence)}, {_number(group.error)}"
            rows[f"confidence, error of {name} points"] = told
        calibration = confidence.reliability.expected_error
        rows["confidence: expected calibration error"] = _number(calibration)
    for one in measured.eyes:
        label = f"eye opening error / eye width, eyes {one.eyes} ({one.n}, seen {one.n_seen})"
        rows[label] = f"{_number(one.error)}, {_number(one.error_seen)}"
    if presence is not None:
        label = f"score: AUC against corners without a face ({presence.n_no_face})"
        rows[label] = _number(presence.auc_no_face)
        label = f"score: AUC against misplaced crops ({presence.n_misplaced})"
        rows[label] = _number(presence.auc_misplaced)
    return rows


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
