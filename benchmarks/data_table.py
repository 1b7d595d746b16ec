"""Write the table of docs/data.md from `benchmarks/results/data_engine.json`.

    python benchmarks/data_table.py            # rewrites the part between the markers
    python benchmarks/data_table.py --check    # exit code 1 if it would change anything

`benchmarks/data_engine.py` makes the result file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sections import line, run

HERE = Path(__file__).parent
DOCUMENT = HERE.parent / "docs" / "data.md"
RESULT = HERE / "results" / "data_engine.json"
Part = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One figure of the engine."""

    what: str
    must: str
    """What the project set out to reach; empty where nothing was."""
    reached: str


def _fit(part: Part) -> Iterator[Row]:
    for name, goals in (
        ("helen val", ("0.015", "0.03")),
        ("helen test", ("", "")),
        ("afw val", ("", "")),
    ):
        if name in part["sets"]:
            one = part["sets"][name]
            people = f"{name}, {one['faces']} faces"
            inner = _spread(one["inner_nme"], one["inner_nme_p90"])
            jaw = _spread(one["jaw_nme"], one["jaw_nme_p90"])
            yield Row(f"fit to people's inner points ({people})", goals[0], inner)
            yield Row(f"fit to 3DDFA_V2's jaw ({people})", goals[1], jaw)
    for name, one in part["guessed_clicks"].items():
        what = f"guessed clicks to people's ({name}, {one['faces']} faces)"
        yield Row(what, "", _spread(one["median"], one["p90"]))
    if "seconds" in part:
        time = f"{part['seconds'] / 60:.1f} min, {part['faces_per_s']:.0f} faces/s"
        yield Row(f"fitting {part['faces']:,} faces", "30 min", time)
    yield Row("faces left out of sets: poor fit, or teachers disagree", "", f"{part['left_out']}")


def _own(part: Part) -> Iterator[Row]:
    people = f"{part['source']} {part['split']}, {part['faces_compared']} of {part['photos']} found"
    for kind, what in (
        ("inner", "from our own network's points alone: fit to people's inner points"),
        ("jaw", "the same, to 3DDFA_V2's jaw"),
        ("network_inner", "that network's own inner points to people's"),
    ):
        yield Row(f"{what} ({people})", "", _spread(part[f"{kind}_median"], part[f"{kind}_p90"]))


def _round_trip(part: Part) -> Iterator[Row]:
    for yaw, found in part["yaw_deg"].items():
        for kind, how in (("flow", "optical flow"), ("network", "our network")):
            what = f"turned to {yaw} degrees and back, by {how} ({part['photos']} photos)"
            yield Row(what, "0.01", _spread(found[kind]["median"], found[kind]["p90"]))


def _speed(part: Part) -> Iterator[Row]:
    for workers, must in ((1, ""), (2, "20")):
        rate = part[f"workers_{workers}"]["per_s_at_256_px"]
        yield Row(f"pictures of 256 px a second, `--workers {workers}`", must, f"{rate:.1f}")


def _set(part: Part) -> Iterator[Row]:
    yield Row(f"pictures of the set `{part['set']}`", "60,000", f"{part['pictures']:,}")
    if part["minutes"] is not None:
        yield Row("made in", "90 min", f"{part['minutes']:.0f} min")
    shares = part["yaw_bin_shares"].values()
    spread = f"{100 * min(shares):.1f} to {100 * max(shares):.1f} %"
    yield Row(f"share of each of {len(shares)} yaw bins from -90 to 90", "flat", spread)
    for edit, must in (
        ("eyes shut", "10 %"),
        ("mouth open", "10 %"),
        ("glasses", ""),
        ("face mask", ""),
    ):
        yield Row(f"share of {edit}", must, f"{100 * part[f'{edit} share']:.1f} %")
    yield Row("faces read a second, one thread", "500", f"{part['read_faces_per_s']:,}")


def _clips(part: Part) -> Iterator[Row]:
    least, most = part["seconds_least"], part["seconds_most"]
    yield Row(
        "clips; seconds of each; frames",
        "40; 10",
        f"{part['clips']}; {least:.1f} to {most:.1f}; {part['frames']:,}",
    )
    yield Row("clips of several faces", "a tenth", f"{part['several_faces']}")
    rates = f"{part['variable_rate']}; {part['rate_least']:.0f} to {part['rate_most']:.0f}"
    yield Row("clips of variable rate; frames a second", "", rates)
    if part["minutes"] is not None:
        yield Row("made in", "", f"{part['minutes']:.0f} min")


SHOWN: dict[str, Callable[[Part], Iterator[Row]]] = {
    "fit": _fit,
    "own": _own,
    "roundtrip": _round_trip,
    "speed": _speed,
    "set": _set,
    "clips": _clips,
}


def make_section(file: Path = RESULT) -> str:
    """The text between the markers."""
    content = json.loads(file.read_text())
    unknown = content.keys() - SHOWN.keys()
    if unknown:
        raise ValueError(f"{file.name}: no rows show {', '.join(sorted(unknown))}")
    parts = [(name, content[name]) for name in SHOWN if name in content]
    lines = [line(["what", "must", "reached"]), line(["---", "---:", "---:"])]
    for name, part in parts:
        lines += [line([row.what, row.must, row.reached]) for row in SHOWN[name](part)]
    lines += ["", "Each figure is in `benchmarks/results/data_engine.json`, made by:", ""]
    for _, part in parts:
        lines.append(f"- `{part['command']}` ({part['date']}, {part['cores']} cores)")
        lines += [f"    - of `{command}`" for command in part.get("made_by", [])]
    return "\n".join(lines)


def _spread(median: float, p90: float) -> str:
    return f"{median:.4f} ({p90:.4f})"


if __name__ == "__main__":
    run(DOCUMENT, make_section, (__doc__ or "").splitlines()[0])
