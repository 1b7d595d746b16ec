"""A picture of a run: its losses and its validation NME."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

__all__ = ["plot_run"]


def plot_run(run: Path) -> Path:
    """Draw ``train.csv`` and ``val.csv`` of a run to ``run/run.png``."""
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    losses, scores = figure.subplots(1, 2)
    rows = _read(run / "train.csv")
    steps = [int(row["step"]) for row in rows]
    for name in ("total", "heatmap", "shape", "depth", "score"):
        values = np.array([float(row[name]) for row in rows])
        if len(values):
            losses.plot(steps, _smooth(values), label=name)
    losses.set(xlabel="step", title="losses (running mean)", yscale="log")
    val = _read(run / "val.csv")
    for name in dict.fromkeys(row["name"] for row in val):
        own = [row for row in val if row["name"] == name]
        scores.plot(
            [int(row["step"]) for row in own],
            [float(row["nme"]) for row in own],
            marker=".",
            label=name,
        )
    scores.set(xlabel="step", title="validation NME (averaged weights)", yscale="log")
    for axes in (losses, scores):
        axes.grid(alpha=0.3, which="both")
        if axes.lines:
            axes.legend(fontsize="small")
    file = run / "run.png"
    figure.savefig(file, dpi=100)
    return file


def _read(file: Path) -> list[dict[str, str]]:
    if not file.exists():
        return []
    with file.open(newline="") as stream:
        # A run that was killed may have left half a row.
        return [row for row in csv.DictReader(stream) if None not in row.values()]


def _smooth(values: np.ndarray, reach: int = 10) -> np.ndarray:
    """Mean over the last ``reach`` values, fewer at the start."""
    sums = np.cumsum(np.concatenate([[0.0], values]))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - reach, 0)
    smoothed: np.ndarray = (sums[ends] - sums[starts]) / (ends - starts)
    return smoothed
