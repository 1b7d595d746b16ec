"""A table of the paper beside ours: Markdown, CSV, JSON, and curves of cumulative errors."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from mien.evaluation.metrics import FAILURE_AT, YAW_BINS_DEG, auc, ced, failure_rate
from mien.files import csv_text, write_atomically
from mien.models.size import network_size
from mien.reproduction.measurement import Measurement
from mien.reproduction.results import RowResult, mean_and_spread
from mien.reproduction.rows import TABLES, Kind, PaperTable, Protocol, Row
from mien.reproduction.scale import Scale, scaled_row
from mien.reproduction.targets import Target

__all__ = ["write_curves", "write_table"]

_POSE = "pose error, °"
_HOW = {
    "small": "narrow networks on crops of 96 px, trained on our own pack and turned photos: what "
    "stands beside the paper is the order of the rows and the distance between them, not the "
    "figures themselves",
    "smoke": "a few steps on drawn heads: these figures say that everything runs, and nothing else",
    "full": "the paper's own size, trained on 300W-LP",
}


@dataclass(frozen=True)
class _Column:
    """One set and truth."""

    set_name: str
    truth: str

    @property
    def title(self) -> str:
        return f"{self.set_name}, {self.truth} truth" if self.set_name != "videos" else "videos"


def write_table(
    target: Target,
    scale: Scale,
    results: Mapping[str, Sequence[RowResult]],
    out: Path,
    command: str,
) -> Path:
    """Write ``table-N.md``, ``.csv`` and ``.json``; rows without result stay open.

    Args:
        results: by the row's name, one a seed that is done.

    Returns:
        the Markdown file.

    Raises:
        OutputError: a file cannot be written.
    """
    table = TABLES[target]
    file = out / f"{target}.md"
    write_atomically(file, _markdown(table, scale, results, command).encode())
    write_atomically(file.with_suffix(".csv"), _csv(table, results).encode())
    write_atomically(file.with_suffix(".json"), _json(table, scale, results, command).encode())
    return file


def write_curves(
    target: Target, scale: Scale, results: Mapping[str, Sequence[RowResult]], out: Path
) -> Path:
    """Draw ``table-N.png`` or ``figure-7.png``: cumulative errors with AUC and failure rate.

    Raises:
        OutputError: the file cannot be written.
    """
    file = out / f"{target}.png"
    write_atomically(file, _curves(TABLES[target], scale, results))
    return file


def _columns(results: Mapping[str, Sequence[RowResult]]) -> list[_Column]:
    found = (
        _Column(each.set_name, each.truth)
        for seeds in results.values()
        for result in seeds
        for each in result.measurements
    )
    return list(dict.fromkeys(found))


def _measured(results: Sequence[RowResult], column: _Column) -> list[Measurement]:
    return [
        each
        for result in results
        for each in result.measurements
        if _Column(each.set_name, each.truth) == column
    ]


_Figure = tuple[float, float | None]
"""Mean over seeds, and spread; one seed has none."""


def _figures(measured: Sequence[Measurement]) -> dict[str, _Figure | None]:
    """Each figure by its name: mean over seeds and spread."""
    bins = [each.by_bin for each in measured]
    return {
        Protocol.ALL_IMAGES.value: mean_and_spread([each.over_images for each in measured]),
        Protocol.YAW_BINS.value: mean_and_spread([each.over_bins for each in measured]),
        **{
            f"yaw {lower}-{upper}": mean_and_spread([each[index] for each in bins])
            for index, (lower, upper) in enumerate(YAW_BINS_DEG)
        },
        _POSE: mean_and_spread([each.pose_deg for each in measured]),
        "missed": mean_and_spread([each.missed for each in measured]),
        f"AUC to {FAILURE_AT}": mean_and_spread([each.auc for each in measured]),
        f"failures at {FAILURE_AT}": mean_and_spread([each.failure_rate for each in measured]),
    }


def _markdown(
    table: PaperTable, scale: Scale, results: Mapping[str, Sequence[RowResult]], command: str
) -> str:
    seeds = len(scale.seeds)
    spread = (
        f"Ours is the mean of {seeds} seeds ± half the way from the least to the greatest."
        if seeds > 1
        else "Ours is one seed, so nothing is known of its spread."
    )
    lines = [
        f"# {table.caption}",
        "",
        f"Scale {scale.name}: {_HOW[scale.name]}. Made by `{command}`.",
        "",
        "NME as a share of the face's size, lower is better; over the faces that were found. Two "
        "protocols stand side by side: the mean over all images (eq. 5: the paper's own rows) and "
        f"the mean of the three yaw bins' means (the rows it quotes from [45]). {spread} The "
        "paper's figures are against the original truth of AFLW2000-3D, or of its videos. "
        "Pose error: mean of pitch, yaw and roll, degrees. Two rows are told apart where they "
        "differ by more than both spreads together.",
    ]
    for column in _columns(results):
        lines += ["", f"## {column.title}", "", *_part(table, results, column)]
    sizes = _sizes(table, scale)
    if sizes:
        lines += ["", "## Size of the networks", "", *sizes]
    waiting = [
        row.label
        for row in table.rows
        if row.kind is not Kind.PUBLISHED and len(results.get(row.name, ())) < seeds
    ]
    if waiting:
        lines += ["", f"Not done, or not from every seed: {'; '.join(waiting)}."]
    return "\n".join(lines) + "\n"


def _part(
    table: PaperTable, results: Mapping[str, Sequence[RowResult]], column: _Column
) -> list[str]:
    """Against one truth: the paper's figure and ours under each protocol, what the paper's order of
    rows has become, then ours alone. Columns without any figure are left out."""
    heads = [f"{whose}, {protocol}" for protocol in Protocol for whose in ("paper", "ours")]
    heads += ["to the paper's row above", "paper's order"]
    others = [name for name in _figures(()) if name not in list(Protocol)]
    rows = [["row", *heads, *others]]
    above: Row | None = None
    for row in table.rows:
        figures = _figures(_measured(results.get(row.name, ()), column))
        cells = []
        for protocol in Protocol:
            published = row.published is not None and row.protocol is protocol
            cells += [f"{row.published:.4f}" if published else "-", _shown(figures[protocol])]
        cells += ["-", "-"]
        if above is not None and row.protocol is above.protocol:
            before = _figures(_measured(results.get(above.name, ()), column))[row.protocol]
            cells[-2:] = _against(row, above, figures[row.protocol], before)
        label = row.label if row.kind is not Kind.PUBLISHED else f"{row.label}, {row.kind}"
        rows.append([label, *cells, *(_shown(figures[name]) for name in others)])
        if row.kind is not Kind.PUBLISHED and row.published is not None:
            above = row
    kept = [
        number
        for number in range(len(rows[0]))
        if number == 0 or any(row[number] != "-" for row in rows[1:])
    ]
    lines = [_line(*(row[number] for number in kept)) for row in rows]
    return [lines[0], f"|---|{'---:|' * (len(kept) - 1)}", *lines[1:]]


def _against(row: Row, above: Row, ours: _Figure | None, before: _Figure | None) -> tuple[str, str]:
    """The difference to the row above, and whether the paper's order of the two holds."""
    if ours is None or before is None:
        return "-", "-"
    off = ours[0] - before[0]
    told = f"{off:+.4f}"
    if row.published is None or above.published is None or row.published == above.published:
        return told, "-"
    if ours[1] is None or before[1] is None:
        return told, "one seed"
    if abs(off) <= ours[1] + before[1]:
        return told, "not told apart"
    holds = (off < 0) == (row.published < above.published)
    return told, "holds" if holds else "does not hold"


def _sizes(table: PaperTable, scale: Scale) -> list[str]:
    """Parameters and operations a crop of each network row at this scale."""
    lines = []
    for row in table.rows:
        if row.kind is Kind.NETWORK:
            size = network_size(scaled_row(row, scale).network)
            cells = f"{size.parameters / 1e6:.2f}", f"{size.gflops:.2f}"
            lines.append(_line(row.label, *cells))
    head = _line("row", "million parameters", "GFLOPs a crop")
    return [head, "|---|---:|---:|", *lines] if lines else []


def _shown(figure: _Figure | None) -> str:
    if figure is None:
        return "-"
    mean, spread = figure
    return f"{mean:.4f}" if spread is None else f"{mean:.4f} ± {spread:.4f}"


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _csv(table: PaperTable, results: Mapping[str, Sequence[RowResult]]) -> str:
    """One line a figure: ours by row, set and truth; the paper's with empty ones."""
    lines: list[list[object]] = [
        ["row", "whose", "set", "truth", "figure", "value", "spread", "seeds"]
    ]
    for row in table.rows:
        if row.published is not None:
            lines.append([row.name, "paper", "", "", row.protocol, row.published, "", ""])
        done = results.get(row.name, ())
        for column in _columns({row.name: done}):
            for name, figure in _figures(_measured(done, column)).items():
                if figure is not None:
                    values = ["" if value is None else round(value, 6) for value in figure]
                    lines.append(
                        [row.name, "ours", column.set_name, column.truth, name, *values, len(done)]
                    )
    return csv_text(lines)


def _json(
    table: PaperTable, scale: Scale, results: Mapping[str, Sequence[RowResult]], command: str
) -> str:
    content = {
        "target": table.target,
        "scale": scale.name,
        "command": command,
        "rows": [_row_of(row, scale, results.get(row.name, ())) for row in table.rows],
    }
    return json.dumps(content, indent=1, allow_nan=False) + "\n"


def _row_of(row: Row, scale: Scale, done: Sequence[RowResult]) -> dict[str, object]:
    network = scaled_row(row, scale).network if row.kind is Kind.NETWORK else None
    return {
        "name": row.name,
        "label": row.label,
        "kind": row.kind,
        "parameters": None if network is None else network_size(network).parameters,
        "paper": {"nme": row.published, "protocol": row.protocol},
        "ours": [
            {
                "set": column.set_name,
                "truth": column.truth,
                **{
                    name: figure
                    and {
                        "mean": round(figure[0], 6),
                        "spread": None if figure[1] is None else round(figure[1], 6),
                    }
                    for name, figure in _figures(_measured(done, column)).items()
                },
            }
            for column in _columns({row.name: done})
        ],
        "seeds": [
            {
                "seed": result.seed,
                "steps": result.steps,
                "networks": result.networks,
                "fingerprint": result.fingerprint,
                "version": result.version,
            }
            for result in done
        ],
    }


def _curves(table: PaperTable, scale: Scale, results: Mapping[str, Sequence[RowResult]]) -> bytes:
    """Share of faces below each error, of all seeds together; a panel a truth."""
    columns = _columns(results)
    panels = max(len(columns), 1)
    figure = Figure(figsize=(6.0 * panels, 5.5), dpi=100, layout="constrained")
    figure.suptitle(f"{table.caption} (scale {scale.name})")
    farthest = _farthest(results)
    thresholds = np.linspace(0, farthest, 501)
    for axes, column in zip(np.atleast_1d(figure.subplots(1, panels)), columns, strict=False):
        for row in table.rows:
            measured = _measured(results.get(row.name, ()), column)
            if not measured:
                continue
            errors = [error for each in measured for error in each.errors]
            area, failed = auc(errors), failure_rate(errors)
            label = f"{row.label}: AUC {area:.3f}, failures {failed:.1%}"
            axes.plot(thresholds, ced(errors, thresholds), label=label)
        axes.set(
            xlim=(0, farthest),
            ylim=(0, 1),
            xlabel="NME (share of the face's size)",
            ylabel="share of faces",
            title=column.title,
        )
        axes.grid(alpha=0.3)
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.14), fontsize="x-small")
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    return drawn.getvalue()


def _farthest(results: Mapping[str, Sequence[RowResult]]) -> float:
    """Where curves end: at the error that counts as failed, or, if no face lies below it (networks
    that have hardly learned), where all faces that were found are in the picture."""
    errors = [
        error
        for seeds in results.values()
        for result in seeds
        for each in result.measurements
        for error in each.errors
        if math.isfinite(error)
    ]
    return max(errors) if errors and min(errors) > FAILURE_AT else FAILURE_AT
