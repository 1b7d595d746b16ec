"""The report: one HTML file with its style, curves and pictures inside, and nothing to fetch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from mien.errors import OutputError
from mien.files import write_atomically
from mien.geometry.openings import eye_openings, mouth_opening
from mien.measures import eyes_seen, find_blinks
from mien.outputs.drawing import track_colour
from mien.report.charts import Bar, Curve, bars_chart, curves_chart
from mien.report.pictures import Picture, strip_frames, take_pictures, worst_rows
from mien.report.table import FaceTable
from mien.version import __version__

__all__ = ["MARK", "write_report"]

MARK = '<meta name="generator" content="mien report">'
"""A file that holds it is ours, and may be written anew."""
_MOST_PEOPLE, _MOST_ROWS, _MOST_SHAPES = 6, 16, 8
_LEAST_POSE_DEG, _LEAST_OPENING = 20.0, 0.4
"""Least heights of the charts: a still face's curves look still."""


@dataclass(frozen=True)
class _Person:
    """One track, over the frames it was there in."""

    track_id: int
    rows: Int[np.ndarray, " n"]
    times_secs: Float[np.ndarray, " n"]
    eyes: Float[np.ndarray, " n"]
    mouth: Float[np.ndarray, " n"]
    blinks: list[tuple[float, float]]
    stretches: list[tuple[float, float]]

    @property
    def colour(self) -> str:
        return "#{:02x}{:02x}{:02x}".format(*track_colour(self.track_id))

    @property
    def seconds(self) -> float:
        return sum(end - start for start, end in self.stretches)


def write_report(table: FaceTable, out: Path, *, title: str, video: Path | None = None) -> None:
    """Write the page; with a video it shows pictures of it.

    Raises:
        InputError: the video cannot be read, or is not the table's.
        OutputError: the file cannot be written, or is there and no report of ours.
    """
    if out.exists() and (out.is_dir() or MARK.encode() not in out.read_bytes()[:4096]):
        raise OutputError(f"{out}: is there and no report of mien; name another file with --out")
    worst = worst_rows(table)
    strips: Mapping[int, Picture] = {}
    crops: Mapping[int, Picture] = {}
    if video is not None:
        strips, crops = take_pictures(video, table, strip_frames(table).tolist(), worst)
    people = [_person(table, number) for number in table.ids_by_length()]
    parts = [
        _headline(table, people, title),
        _film_strip(table, strips),
        _who_and_when(table, people),
        *(_person_part(table, person) for person in people[:_MOST_PEOPLE]),
        _worst_part(table, worst, crops),
    ]
    write_atomically(out, _document(title, parts).encode("utf-8"))


def _person(table: FaceTable, track_id: int) -> _Person:
    rows = np.flatnonzero(table.track_id == track_id)
    times = table.time_secs[rows]
    points = table.points[rows][:, list(table.markup.ibug68)]
    each_eye = eye_openings(points)
    eyes, wider = each_eye.mean(axis=1), each_eye.max(axis=1)
    yaw = table.pose_deg[rows, 0].astype(np.float64)
    eyes[~eyes_seen(yaw, table.confidence[rows].mean(axis=1))] = np.nan
    blinks = [(times[one.onset], times[one.offset]) for one in find_blinks(times, eyes, wider, yaw)]
    # Frames of the table that follow each other belong to one stretch.
    place = np.searchsorted(table.frames, table.frame[rows])
    breaks = np.flatnonzero(np.diff(place) > 1)
    firsts, lasts = np.append(0, breaks + 1), np.append(breaks, len(rows) - 1)
    ends = np.append(table.times_secs[1:], table.end_secs)
    stretches = [
        (float(times[first]), float(ends[place[last]]))
        for first, last in zip(firsts, lasts, strict=True)
    ]
    return _Person(track_id, rows, times, eyes, mouth_opening(points), blinks, stretches)


def _headline(table: FaceTable, people: Sequence[_Person], title: str) -> str:
    with_face = len(np.unique(table.frame))
    blinks = sum(len(person.blinks) for person in people)
    confidence = f"{table.confidence.mean():.2f}" if len(table.frame) else "-"
    facts = (
        (f"{table.end_secs - table.times_secs[0]:.1f} s", "of video"),
        (str(len(table.frames)), "frames"),
        (f"{100 * with_face / len(table.frames):.1f} %", f"with a face ({with_face})"),
        (str(len(people)), "faces followed" if len(people) != 1 else "face followed"),
        (str(blinks), "blinks" if blinks != 1 else "blink"),
        (confidence, "mean confidence"),
    )
    cells = "".join(f"<div><b>{value}</b><span>{name}</span></div>" for value, name in facts)
    return (
        f'<h1>{escape(title)}</h1><p class="soft">Faces as mien followed them, '
        f"{len(table.markup)} points each</p>"
        f'<section><div class="facts">{cells}</div></section>'
    )


def _film_strip(table: FaceTable, strips: Mapping[int, Picture]) -> str:
    if not strips:
        return ""
    times = dict(zip(table.frames.tolist(), table.times_secs.tolist(), strict=True))
    figures = (
        _figure(strips[frame], f"{times[frame]:.2f} s, frame {frame}") for frame in sorted(strips)
    )
    return f'<section><h2>Film strip</h2><div class="strip">{"".join(figures)}</div></section>'


def _who_and_when(table: FaceTable, people: Sequence[_Person]) -> str:
    if not people:
        return "<section><h2>Which faces are there when</h2><p>No face was found.</p></section>"
    shown = sorted(people[:_MOST_ROWS], key=lambda person: person.track_id)
    bars = [Bar(f"#{p.track_id}", p.colour, p.stretches) for p in shown]
    left_out = len(people) - len(shown)
    more = f'<p class="soft">{left_out} shorter ones are not drawn.</p>' if left_out else ""
    head = ("face", "seconds", "blinks", "yaw", "pitch", "roll", "score", "confidence")
    rows = "".join(_person_row(table, person) for person in shown)
    return (
        f'<section><h2>Which faces are there when</h2><div class="chart">'
        f'{bars_chart(bars, table.end_secs)}</div>{more}<div class="table"><table><tr>'
        f"{''.join(f'<th>{name}</th>' for name in head)}</tr>{rows}</table></div>"
        '<p class="soft">Angles in degrees: median, and the range of the middle nine tenths.</p>'
        "</section>"
    )


def _person_row(table: FaceTable, person: _Person) -> str:
    angles = table.pose_deg[person.rows]
    low, middle, high = np.percentile(angles, (5, 50, 95), axis=0) + 0.0
    cells = [
        f"{person.seconds:.1f}",
        str(len(person.blinks)),
        *(f"{m:.0f} ({a:.0f} to {b:.0f})" for m, a, b in zip(middle, low, high, strict=True)),
        f"{table.score[person.rows].mean():.2f}",
        f"{table.confidence[person.rows].mean():.2f}",
    ]
    dot = f'<span class="dot" style="background:{person.colour}"></span>'
    return f"<tr><td>{dot}#{person.track_id}</td>{''.join(f'<td>{c}</td>' for c in cells)}</tr>"


def _person_part(table: FaceTable, person: _Person) -> str:
    end, pose = table.end_secs, table.pose_deg[person.rows]
    largest = max(_LEAST_POSE_DEG, 10.0 * np.ceil(np.abs(np.nan_to_num(pose)).max() / 10))
    pose_curves = [
        _curve(table, person, name, pose[:, axis], axis)
        for axis, name in enumerate(("yaw", "pitch", "roll"))
    ]
    openings = [
        _curve(table, person, "eyes", person.eyes, 0),
        _curve(table, person, "mouth", person.mouth, 1),
    ]
    quality = [
        _curve(table, person, "score", table.score[person.rows], 0),
        _curve(table, person, "confidence", table.confidence[person.rows].mean(axis=1), 1),
    ]
    most_open = max(_LEAST_OPENING, *np.nan_to_num([*person.eyes, *person.mouth]).tolist())
    charts = [
        _chart("Pose", pose_curves, curves_chart(pose_curves, end, -largest, largest, "°")),
        _chart(
            "Eyes and mouth open",
            openings,
            curves_chart(openings, end, 0.0, most_open, "", person.blinks),
            f'<i class="is-mark"></i>blink ({len(person.blinks)})',
        ),
        *_shape_charts(table, person),
        _chart("Quality", quality, curves_chart(quality, end, 0.0, 1.0, height=96)),
    ]
    dot = f'<span class="dot" style="background:{person.colour}"></span>'
    return f"<section><h2>{dot}Face #{person.track_id}</h2>{''.join(charts)}</section>"


def _shape_charts(table: FaceTable, person: _Person) -> list[str]:
    """The blendshapes that move most, two or three a chart."""
    shapes = table.shapes[person.rows]
    if not table.shape_names or not np.isfinite(shapes).any():
        return []
    moved = np.nan_to_num(
        np.nanpercentile(shapes, 98, axis=0) - np.nanpercentile(shapes, 2, axis=0)
    )
    chosen = np.argsort(-moved, kind="stable")[:_MOST_SHAPES].tolist()
    charts = []
    for start in range(0, len(chosen), 3):
        curves = [
            _curve(table, person, table.shape_names[column], shapes[:, column], number)
            for number, column in enumerate(chosen[start : start + 3])
        ]
        drawn = curves_chart(curves, table.end_secs, 0.0, 1.0, height=96)
        charts.append(_chart("Shapes that moved most" if not start else "", curves, drawn))
    return charts


def _curve(
    table: FaceTable, person: _Person, name: str, values: Float[np.ndarray, " n"], number: int
) -> Curve:
    """Over all frames of the table: absent ones are gaps."""
    whole = np.full(len(table.frames), np.nan)
    whole[np.searchsorted(table.frames, table.frame[person.rows])] = values
    return Curve(name, ("first", "second", "third")[number], table.times_secs, whole)


def _chart(title: str, curves: Sequence[Curve], drawn: str, more_key: str = "") -> str:
    key = "".join(f'<i class="is-{curve.css_class}"></i>{escape(curve.name)}' for curve in curves)
    head = f"<h3>{escape(title)}</h3>" if title else ""
    return f'<div class="chart">{head}<div class="key">{key}{more_key}</div>{drawn}</div>'


def _worst_part(table: FaceTable, worst: Sequence[int], crops: Mapping[int, Picture]) -> str:
    if not worst:
        return ""
    said = {
        row: f"{table.time_secs[row]:.2f} s, frame {table.frame[row]}, #{table.track_id[row]}: "
        f"confidence {table.confidence[row].mean():.2f}, score {table.score[row]:.2f}"
        for row in worst
    }
    if crops:
        inner = "".join(_figure(crops[row], said[row]) for row in worst if row in crops)
        inner = f'<div class="worst">{inner}</div>'
    else:
        inner = "".join(f"<p>{said[row]}</p>" for row in worst)
    return (
        "<section><h2>Where the points are least sure</h2>"
        '<p class="soft">The lowest mean confidence; no two of one face within a second.</p>'
        f"{inner}</section>"
    )


def _figure(picture: Picture, caption: str) -> str:
    return (
        f'<figure><img src="{picture.address}" alt="frame {picture.frame}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _document(title: str, parts: Sequence[str]) -> str:
    style = resources.files("mien.report").joinpath("style.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"{MARK}<title>{escape(title)}: faces</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{style}</style></head><body><main>{''.join(parts)}"
        "<footer>Eyes: distance of the lids over the width of the eye. Mouth: of the inner "
        "lips over that of the eyes' outer corners. Beyond 55 degrees of yaw eyes are not read. "
        "A blink: both eyes below 0.55 of their usual "
        "opening for at most 0.6 s. Confidence: the probability that a point lies within 0.05 of "
        f"the face's size of the truth. mien {__version__}.</footer>"
        "</main></body></html>\n"
    )
