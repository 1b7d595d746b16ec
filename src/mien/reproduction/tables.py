"""A table of the paper beside ours: Markdown, CSV, JSON, and curves of cumulative errors."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from mien.evaluation.metrics import FAILURE_AT, auc, ced, failure_rate
from mien.files import write_atomically
from mien.reproduction.measurement import Measurement
from mien.reproduction.results import RowResult, mean_and_spread
from mien.reproduction.rows import TABLES, Kind, PaperTable, Protocol, Row
from mien.reproduction.scale import Scale
from mien.reproduction.targets import Target

__all__ = ["write_curves", "write_table"]

_HOW = {
    "small": "narrow networks on crops of 128 px, trained on our own pack and turned photos: what "
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


def _figures(measured: Sequence[Measurement]) -> dict[str, tuple[float, float] | None]:
    """Each figure by its name: mean over seeds and spread."""
    return {
        Protocol.ALL_IMAGES.value: mean_and_spread([each.over_images for each in measured]),
        Protocol.YAW_BINS.value: mean_and_spread([each.over_bins for each in measured]),
        "missed": mean_and_spread([each.missed for each in measured]),
        f"AUC to {FAILURE_AT}": mean_and_spread([each.auc for each in measured]),
        f"failures at {FAILURE_AT}": mean_and_spread([each.failure_rate for each in measured]),
    }


def _markdown(
    table: PaperTable, scale: Scale, results: Mapping[str, Sequence[RowResult]], command: str
) -> str:
    lines = [
        f"# {table.caption}",
        "",
        f"Scale {scale.name}: {_HOW[scale.name]}. Made by `{command}`.",
        "",
        "NME as a share of the face's size, lower is better; over the faces that were found. Two "
        "protocols stand side by side: the mean over all images (eq. 5: the paper's own rows) and "
        "the mean of the three yaw bins' means (the rows it quotes from [45]). Ours is the mean of "
        f"{len(scale.seeds)} seed(s) ± half the way from the least to the greatest. The paper's "
        "figures are against the original truth of AFLW2000-3D, or of its videos.",
    ]
    for column in _columns(results):
        lines += ["", f"## {column.title}", "", *_part(table, results, column)]
    waiting = [
        row.label
        for row in table.rows
        if row.kind is not Kind.PUBLISHED and len(results.get(row.name, ())) < len(scale.seeds)
    ]
    if waiting:
        lines += ["", f"Not done, or not from every seed: {'; '.join(waiting)}."]
    return "\n".join(lines) + "\n"


def _part(
    table: PaperTable, results: Mapping[str, Sequence[RowResult]], column: _Column
) -> list[str]:
    """Against one truth: the paper's figure and ours under each protocol, then ours alone."""
    heads = [f"{whose}, {protocol}" for protocol in Protocol for whose in ("paper", "ours")]
    others = [name for name in _figures(()) if name not in list(Protocol)]
    lines = [_line("row", *heads, *others), f"|---|{'---:|' * (len(heads) + len(others))}"]
    for row in table.rows:
        measured = _measured(results.get(row.name, ()), column)
        figures = _figures(measured)
        cells = []
        for protocol in Protocol:
            published = row.published is not None and row.protocol is protocol
            cells += [f"{row.published:.4f}" if published else "-", _shown(figures[protocol])]
        label = row.label if row.kind is not Kind.PUBLISHED else f"{row.label}, {row.kind}"
        lines.append(_line(label, *cells, *(_shown(figures[name]) for name in others)))
    return lines


def _shown(figure: tuple[float, float] | None) -> str:
    return "-" if figure is None else f"{figure[0]:.4f} ± {figure[1]:.4f}"


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _csv(table: PaperTable, results: Mapping[str, Sequence[RowResult]]) -> str:
    """One line a figure: ours by row, set and truth; the paper's with empty ones."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["row", "whose", "set", "truth", "figure", "value", "spread", "seeds"])
    for row in table.rows:
        if row.published is not None:
            writer.writerow([row.name, "paper", "", "", row.protocol, row.published, "", ""])
        done = results.get(row.name, ())
        for column in _columns({row.name: done}):
            for name, figure in _figures(_measured(done, column)).items():
                if figure is not None:
                    values = [round(value, 6) for value in figure]
                    writer.writerow(
                        [row.name, "ours", column.set_name, column.truth, name, *values, len(done)]
                    )
    return text.getvalue()


def _json(
    table: PaperTable, scale: Scale, results: Mapping[str, Sequence[RowResult]], command: str
) -> str:
    content = {
        "target": table.target,
        "scale": scale.name,
        "command": command,
        "rows": [_row_of(row, results.get(row.name, ())) for row in table.rows],
    }
    return json.dumps(content, indent=1, allow_nan=False) + "\n"


def _row_of(row: Row, done: Sequence[RowResult]) -> dict[str, object]:
    return {
        "name": row.name,
        "label": row.label,
        "kind": row.kind,
        "paper": {"nme": row.published, "protocol": row.protocol},
        "ours": [
            {
                "set": column.set_name,
                "truth": column.truth,
                **{
                    name: figure and {"mean": round(figure[0], 6), "spread": round(figure[1], 6)}
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
    figure = Figure(figsize=(6.0 * panels, 4.5), dpi=100, layout="constrained")
    figure.suptitle(f"{table.caption} (scale {scale.name})")
    thresholds = np.linspace(0, FAILURE_AT, 501)
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
            xlim=(0, FAILURE_AT),
            ylim=(0, 1),
            xlabel="NME (share of the face's size)",
            ylabel="share of faces",
            title=column.title,
        )
        axes.grid(alpha=0.3)
        axes.legend(loc="upper left", fontsize="x-small")
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    return drawn.getvalue()
