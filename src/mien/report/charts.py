"""Curves and bars as inline SVG, coloured by the page's style sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from jaxtyping import Float

__all__ = ["Bar", "Curve", "bars_chart", "curves_chart", "round_ticks"]

_WIDTH, _LEFT, _RIGHT = 960, 64, 12
_MOST_POINTS = 900
"""Points of a curve; of longer ones the lowest and highest of each stretch are kept."""


@dataclass(frozen=True)
class Curve:
    """A line over time; NaN interrupts it."""

    name: str
    css_class: str
    times_secs: Float[np.ndarray, " n"]
    values: Float[np.ndarray, " n"]


@dataclass(frozen=True)
class Bar:
    """When somebody was there: first and last second of each stretch."""

    name: str
    colour: str
    stretches: Sequence[tuple[float, float]]


def round_ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers from low to high, at most that many."""
    span = max(high - low, 1e-9)
    magnitude = 10.0 ** np.floor(np.log10(span / most))
    step = next(magnitude * m for m in (1, 2, 5, 10, 20) if span / (magnitude * m) <= most)
    first = int(np.ceil(low / step - 1e-9))
    return [float(n * step) for n in range(first, int(np.floor(high / step + 1e-9)) + 1)]


def curves_chart(
    curves: Sequence[Curve],
    end_secs: float,
    low: float,
    high: float,
    unit: str = "",
    marks: Sequence[tuple[float, float]] = (),
    height: int = 132,
) -> str:
    """Curves over one axis of time; ``marks`` are stretches shaded behind them."""
    top, bottom = 8, height - 22
    y_of = _Scale(low, high, bottom, top)
    x_of = _Scale(0.0, end_secs, _LEFT, _WIDTH - _RIGHT)
    parts = []
    for start, end in marks:
        width = max(x_of(end) - x_of(start), 2.0)
        parts.append(
            f'<rect class="mark" x="{x_of(start):.1f}" y="{top}" width="{width:.1f}" '
            f'height="{bottom - top}"/>'
        )
    for tick in round_ticks(low, high, 6):
        y = y_of(tick)
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>')
        parts.append(
            f'<text class="tick" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">'
            f"{tick:g}{unit}</text>"
        )
    parts += _time_axis(x_of, end_secs, bottom)
    parts += [f'<path class="curve {c.css_class}" d="{_path(c, x_of, y_of)}"/>' for c in curves]
    return _svg(height, parts, ", ".join(curve.name for curve in curves))


def bars_chart(bars: Sequence[Bar], end_secs: float) -> str:
    """A row a person; stretches where nobody was there stay empty."""
    row, top = 24, 6
    bottom = top + row * len(bars)
    x_of = _Scale(0.0, end_secs, _LEFT, _WIDTH - _RIGHT)
    parts = _time_axis(x_of, end_secs, bottom)
    for number, bar in enumerate(bars):
        y = top + number * row
        parts.append(f'<text class="name" x="{_LEFT - 6}" y="{y + 15}" text-anchor="end">')
        parts.append(f"{escape(bar.name)}</text>")
        for start, end in bar.stretches:
            width = max(x_of(end) - x_of(start), 1.0)
            parts.append(
                f'<rect x="{x_of(start):.1f}" y="{y + 4}" width="{width:.1f}" height="{row - 8}" '
                f'rx="3" fill="{bar.colour}"><title>{escape(bar.name)}: {start:.2f} s to '
                f"{end:.2f} s</title></rect>"
            )
    return _svg(bottom + 24, parts, "which faces are there when")


@dataclass(frozen=True)
class _Scale:
    """From values to places on the paper."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / max(self.high - self.low, 1e-9)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)


def _time_axis(x_of: _Scale, end_secs: float, y: float) -> list[str]:
    parts = [f'<path class="axis" d="M{_LEFT} {y}H{_WIDTH - _RIGHT}"/>']
    for tick in round_ticks(0.0, end_secs, 12):
        x = x_of(tick)
        parts.append(f'<path class="axis" d="M{x:.1f} {y}v4"/>')
        parts.append(
            f'<text class="tick" x="{x:.1f}" y="{y + 16}" text-anchor="middle">{tick:g}s</text>'
        )
    return parts


def _path(curve: Curve, x_of: _Scale, y_of: _Scale) -> str:
    times, values = _thinned(curve.times_secs, curve.values)
    words, pen_down = [], False
    for time, value in zip(times.tolist(), values.tolist(), strict=True):
        if not np.isfinite(value):
            pen_down = False
            continue
        words.append(f"{'L' if pen_down else 'M'}{x_of(time):.1f} {y_of(value):.1f}")
        pen_down = True
    return "".join(words)


def _thinned(
    times: Float[np.ndarray, " n"], values: Float[np.ndarray, " n"]
) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"]]:
    """No peak and no gap is lost."""
    if len(values) <= _MOST_POINTS:
        return times, values
    kept: list[int] = []
    for stretch in np.array_split(np.arange(len(values)), _MOST_POINTS // 3):
        inside = values[stretch]
        gaps = stretch[~np.isfinite(inside)]
        chosen = gaps[:1].tolist()
        if len(gaps) < len(stretch):
            chosen += [int(stretch[np.nanargmin(inside)]), int(stretch[np.nanargmax(inside)])]
        kept += sorted(set(chosen))
    return times[kept], values[kept]


def _svg(height: float, parts: Sequence[str], title: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height:g}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg>"
    )
