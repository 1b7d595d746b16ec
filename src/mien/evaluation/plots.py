"""Curves of a measurement: the cumulative error distribution, and the error against the yaw."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mien.errors import ConfigError
from mien.evaluation.evaluate import Evaluation
from mien.evaluation.metrics import FAILURE_AT, YAW_BINS_DEG, ced
from mien.evaluation.scoring import Score
from mien.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["require_matplotlib", "write_ced", "write_reliability", "write_yaw_scatter"]

_SIZE_INCHES = (6.0, 4.0)
_DOTS_PER_INCH = 150
_MISSED_COLOUR = "tab:red"
_HEADROOM = 1.1
"""Height of the scatter above its largest error."""


def require_matplotlib() -> None:
    """Say now, not after an hour of predicting, that curves cannot be drawn.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    _new_figure()


def write_ced(evaluation: Evaluation, file: Path) -> None:
    """Share of faces under each error, one line a truth; missed faces keep it below 1.

    Raises:
        ConfigError: matplotlib is not installed.
        OutputError: the file cannot be written.
    """
    figure = _new_figure()
    axes = figure.add_subplot()
    thresholds = np.linspace(0, FAILURE_AT, 501)
    for name, measured in (("truth", evaluation.main), *evaluation.measures.others):
        label = f"{name}: AUC {measured.auc_07:.3f}, failures {measured.failure_rate_07:.1%}"
        axes.plot(thresholds, ced(measured.errors, thresholds), label=label)
    axes.set(
        xlim=(0, FAILURE_AT),
        ylim=(0, 1),
        xlabel="NME (share of the face's size)",
        ylabel="share of faces",
        title=_title(evaluation),
    )
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left")
    _save(figure, file)


def write_yaw_scatter(evaluation: Evaluation, file: Path) -> bool:
    """NME against yaw with the mean of each bin; missed faces as crosses on the upper edge.

    Returns:
        whether there was a yaw to draw.

    Raises:
        ConfigError: matplotlib is not installed.
        OutputError: the file cannot be written.
    """
    measured = evaluation.main
    if measured.bins is None:
        return False
    figure = _new_figure()
    axes = figure.add_subplot()
    yaw, errors = _yaw_and_errors(measured)
    found = np.isfinite(errors)
    top = _HEADROOM * max([FAILURE_AT, *errors[found]])
    axes.scatter(yaw[found], errors[found], s=12, alpha=0.5, linewidths=0)
    axes.plot(yaw[~found], np.full((~found).sum(), top), "x", color=_MISSED_COLOUR, clip_on=False)
    for one, (lower, upper) in zip(measured.bins, YAW_BINS_DEG, strict=True):
        if one.nme is not None:
            for sign in (-1, 1):
                axes.plot([sign * lower, sign * upper], [one.nme] * 2, color="black", lw=1)
            middle = (lower + upper) / 2
            axes.text(
                middle,
                one.nme,
                f"{one.nme:.4f}",
                ha="center",
                va="center",
                bbox={"facecolor": "white", "edgecolor": "black", "pad": 2},
            )
    axes.axhline(FAILURE_AT, color="grey", lw=1, ls="--")
    axes.set(
        xlim=(-95, 95),
        ylim=(0, top),
        xticks=range(-90, 91, 30),
        xlabel="yaw in degrees, positive towards the image's right",
        ylabel="NME",
        title=_title(evaluation),
    )
    axes.grid(alpha=0.3)
    _save(figure, file)
    return True


def write_reliability(evaluation: Evaluation, file: Path) -> bool:
    """Share of points within the radius against what was claimed, and how many claimed it.

    Returns:
        whether there were confidences to draw.

    Raises:
        ConfigError: matplotlib is not installed.
        OutputError: the file cannot be written.
    """
    measures = evaluation.measures
    told = measures.turned or measures.perturbed
    measured = None if told is None else told.confidence
    if measured is None:
        return False
    bins = measured.reliability
    figure = _new_figure()
    axes = figure.add_subplot()
    width = 1 / len(bins.n)
    edges = width * np.arange(len(bins.n))
    axes.bar(edges, bins.n / bins.n.sum(), width, align="edge", color="lightgrey",
             label="share of the points")  # fmt: skip
    axes.plot([0, 1], [0, 1], color="grey", lw=1, ls="--", label="as claimed")
    axes.plot(bins.confidence, bins.within, "o-", label=f"within {measured.radius} of the truth")
    axes.set(
        xlim=(0, 1),
        ylim=(0, 1),
        xlabel="confidence",
        ylabel=f"share (expected calibration error {bins.expected_error:.3f})",
        title=_title(evaluation),
    )
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left")
    _save(figure, file)
    return True


def _yaw_and_errors(measured: Score) -> tuple[np.ndarray, np.ndarray]:
    pairs = [
        (face.yaw_deg, error)
        for face, error in zip(measured.per_image, measured.errors, strict=True)
        if face.yaw_deg is not None
    ]
    yaw, errors = np.array(pairs, dtype=np.float64).T
    return yaw, errors


def _title(evaluation: Evaluation) -> str:
    source, main = evaluation.provenance, evaluation.main
    mean = "no face found" if main.nme is None else f"NME {main.nme:.4f}"
    return f"{source.data_format}, {source.init}, {source.model}: {mean}, n {main.n}"


def _new_figure() -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ConfigError(
            "curves are drawn with matplotlib, which is not here: pip install 'mien[train]', or "
            "leave --plots out"
        ) from error
    return Figure(figsize=_SIZE_INCHES, dpi=_DOTS_PER_INCH, layout="constrained")


def _save(figure: Figure, file: Path) -> None:
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    write_atomically(file, drawn.getvalue())
