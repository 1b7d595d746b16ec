"""A measurement as tables for a reader; the JSON file holds it all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from rich.table import Table

from mien.evaluation.confidence import ConfidenceScore
from mien.evaluation.evaluate import Evaluation, Measures
from mien.evaluation.scoring import Score

__all__ = ["measured_tables"]


def measured_tables(evaluation: Evaluation) -> list[Table]:
    """The errors of the points, and what only some sets tell."""
    columns = [("as predicted", evaluation.measures)]
    if (moved := evaluation.moved) is not None:
        columns.append((f"points moved to {moved.convention}", moved.measures))
    tables = [_errors(evaluation)]
    kinds: list[tuple[str, Callable[[Measures], dict[str, str]]]] = [
        ("head pose, mean absolute error", _pose_rows),
        ("turned photos", _turned_rows),
        ("cut or covered photos", _perturbed_rows),
    ]
    for title, rows_of in kinds:
        rows = [rows_of(measures) for _, measures in columns]
        if rows[0]:
            table = _headed(title, [name for name, _ in columns])
            for label in rows[0]:
                table.add_row(label, *(one[label] for one in rows))
            tables.append(table)
    return tables


def _headed(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title)
    table.add_column()
    for name in columns:
        table.add_column(name, justify="right")
    return table


def _errors(evaluation: Evaluation) -> Table:
    source = evaluation.provenance
    columns = [("truth", evaluation.main), *evaluation.measures.others]
    if (moved := evaluation.moved) is not None:
        place, there = f"points moved to {moved.convention}", moved.measures
        columns += [
            (f"{name}, {place}", one) for name, one in [("truth", there.main), *there.others]
        ]
    table = _headed(
        f"{source.data_format}, {source.init}, {source.model}", [name for name, _ in columns]
    )
    rows: list[tuple[str, Callable[[Score], str]]] = [
        ("faces", lambda one: str(one.n)),
        ("missed", lambda one: str(one.missed)),
        ("NME, mean over all images", lambda one: _number(one.nme)),
        ("NME, inner 51", lambda one: _number(one.nme_inner51)),
        ("NME in 3D", lambda one: _number(one.nme_3d)),
        *(
            (f"NME, yaw {one.name}", partial(_bin_number, index))
            for index, one in enumerate(evaluation.main.bins or ())
        ),
        ("NME, mean of three yaw bins", lambda one: _number(one.balanced)),
        ("AUC to 0.07", lambda one: _number(one.auc_07)),
        ("failures at 0.07", lambda one: f"{one.failure_rate_07:.1%}"),
    ]
    for label, show in rows:
        cells = [show(measured) for _, measured in columns]
        if set(cells) != {"-"}:
            table.add_row(label, *cells)
    return table


def _pose_rows(measures: Measures) -> dict[str, str]:
    pose = measures.pose
    if pose is None:
        return {}
    return {
        "faces; missed": f"{pose.n}; {pose.missed}",
        "left out, an angle beyond 99°": str(pose.excluded),
        "pitch": _degrees(pose.pitch_deg),
        "yaw": _degrees(pose.yaw_deg),
        "roll": _degrees(pose.roll_deg),
        "mean of the three": _degrees(pose.mean_deg),
    }


def _perturbed_rows(measures: Measures) -> dict[str, str]:
    if measures.perturbed is None:
        return {}
    confidence = measures.perturbed.confidence
    return {"yaw off, median": _degrees(measures.perturbed.yaw_off_deg)} | (
        {} if confidence is None else _confidence_rows(confidence)
    )


def _confidence_rows(confidence: ConfidenceScore) -> dict[str, str]:
    rows = {"confidence: Spearman, with small error": _number(confidence.spearman)}
    for name, group in (("seen", confidence.seen), ("hidden", confidence.hidden)):
        told = f"{_number(group.confidence)}, {_number(group.error)}"
        rows[f"confidence, error of {name} points"] = told
    calibration = confidence.reliability.expected_error
    return rows | {"confidence: expected calibration error": _number(calibration)}


def _degrees(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}°"


def _bin_number(index: int, measured: Score) -> str:
    return _number(measured.bins[index].nme) if measured.bins else "-"


def _turned_rows(measures: Measures) -> dict[str, str]:
    measured = measures.turned
    if measured is None:
        return {}
    depth, confidence, presence = measured.depth, measured.confidence, measured.presence
    rows = {
        "depth: |z error|": _number(depth.z_error),
        "depth: its ratio to the error in x, y": _number(depth.ratio),
    }
    if confidence is not None:
        rows |= _confidence_rows(confidence)
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
