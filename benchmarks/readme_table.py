"""Write the tables of docs/accuracy.md and the README's from the committed result files.

    python benchmarks/readme_table.py            # rewrites the part between the markers
    python benchmarks/readme_table.py --check    # exit code 1 if it would change anything

Results are `benchmarks/results/MODEL.SET.INIT.json` (`mien evaluate ... --json FILE`; with
`--mirror` MODEL.SET.INIT.mirror.json, with `--careful` MODEL.SET.INIT.careful.json, of clips with
`--offline` MODEL.clips.video.offline.json), MODEL.CLIP.speed.json and MODEL.cost.json
(`benchmarks/speed.py`), MODEL.steadiness.json and MODEL.offline.steadiness.json
(`benchmarks/steadiness.py`);
`benchmarks/measure_all.py` makes them all. Rivals' figures are in
`benchmarks/rivals.json`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cost_tables import cost, speed, steadiness
from sections import line, run

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "accuracy.md"
DATA_ENGINE, TRAINING = "data_engine.json", "training_speed.json"
OTHER_FILES = (".speed.json", ".cost.json", ".steadiness.json", DATA_ENGINE, TRAINING)
"""Shown in docs/data.md (`data_table.py`) and docs/training-diary.md."""
INITS = {"oracle": "true points", "box": "true box", "detector": "photo alone"}


def _share(value: float) -> str:
    return f"{value:.4f}"


def _percent(value: float) -> str:
    return f"{value:.1%}"


def _degrees(value: float) -> str:
    return f"{value:.2f}"


@dataclass(frozen=True)
class Column:
    """One figure: a set, and where it stands in the JSON of `mien evaluate`."""

    title: str
    data_set: str
    place: str
    """Keys with slashes between; a rival's figure has the same in `rivals.json`."""
    show: Callable[[float], str] = _share


WHOLE = (
    Column("mean over all", "aflw2000", "nme"),
    Column("yaw 0-30", "aflw2000", "bins/[0,30]/nme"),
    Column("30-60", "aflw2000", "bins/(30,60]/nme"),
    Column("60-90", "aflw2000", "bins/(60,90]/nme"),
    Column("mean of the three", "aflw2000", "balanced"),
    Column("above 0.07", "aflw2000", "failure_rate_07", _percent),
    Column("missed", "aflw2000", "missed", str),
    Column("re-annotated: over all", "aflw2000", "reannotated/nme"),
    Column("mean of the three", "aflw2000", "reannotated/balanced"),
    Column("pose: pitch", "aflw2000", "pose/pitch_mae_deg", _degrees),
    Column("yaw", "aflw2000", "pose/yaw_mae_deg", _degrees),
    Column("roll", "aflw2000", "pose/roll_mae_deg", _degrees),
    Column("mean, °", "aflw2000", "pose/mean_mae_deg", _degrees),
)
OTHERS = (
    Column("helen test, inner 51", "helen_test", "nme_inner51"),
    Column("ytf test, inner 51", "ytf_test", "nme_inner51"),
    Column("cfp val, 30 clicked points", "cfp_val", "nme"),
    Column("missed", "cfp_val", "missed", str),
)
UNSEEN = (
    Column(
        "helen val cut by 30 %: yaw off, median °", "helen_val_cut", "yaw_off_median_deg", _degrees
    ),
    Column("68 points", "helen_val_cut", "nme"),
    Column("calibration error", "helen_val_cut", "confidence/expected_calibration_error"),
    Column("missed", "helen_val_cut", "missed", str),
    Column("hand on mouth: 68 points", "helen_val_patch", "nme"),
    Column("confidence of covered points", "helen_val_patch", "confidence/hidden/confidence"),
    Column("of others", "helen_val_patch", "confidence/seen/confidence"),
    Column("calibration error", "helen_val_patch", "confidence/expected_calibration_error"),
    Column("missed", "helen_val_patch", "missed", str),
    Column(
        "helen test cut by 30 %: yaw off, median °",
        "helen_test_cut",
        "yaw_off_median_deg",
        _degrees,
    ),
    Column("68 points", "helen_test_cut", "nme"),
    Column("calibration error", "helen_test_cut", "confidence/expected_calibration_error"),
    Column("missed", "helen_test_cut", "missed", str),
)
TURNED_SET, CLIPS = "turned_test", "clips"
SETS = {TURNED_SET, CLIPS, *(column.data_set for column in (*WHOLE, *OTHERS, *UNSEEN))}
MOVED = ("as_300w_lp", "as_clicked")
"""Blocks of `mien evaluate --json` with the points moved to where the set has them."""


@dataclass(frozen=True)
class Result:
    """A committed file of `mien evaluate`."""

    file: str
    system: str
    data_set: str
    init: str
    content: dict[str, Any]


def read_results(folder: Path) -> list[Result]:
    """Every result file; its name and its content must agree."""
    found = []
    for path in sorted(folder.glob("*.json")):
        if (
            path.name.startswith("reproduce.")
            or path.name.endswith(OTHER_FILES)
            or "." not in path.stem
        ):
            continue  # figures of no model, or of several, have pages of their own
        content = json.loads(path.read_text())
        model, data_set, init, *how = path.stem.split(".")
        named = (model, init, how == ["mirror"], how == ["careful"], how == ["offline"])
        careful = content.get("careful", False)  # files of before there was such a thing
        offline = "--offline" in content["command"].split()
        held = (content["model"], content["init"], content["mirror"], careful, offline)
        if named != held:
            raise ValueError(f"{path.name} holds model, init, mirror, careful, offline {held}")
        if data_set not in SETS:
            raise ValueError(f"{path.name}: no column shows the set {data_set}")
        system = f"**mien {model}**" + (
            ", mirror averaged" if content["mirror"] else ", `--careful`" if careful else ""
        )
        system += ", `--offline`" * offline
        found.append(Result(path.name, system, data_set, init, content))
    return found


def make_section(folder: Path = HERE / "results", rivals: Path = HERE / "rivals.json") -> str:
    """The text between the markers."""
    results = read_results(folder)
    figures = json.loads(rivals.read_text())["figures"]
    moved = ""
    if any(_moved(one) for one in results):
        moved = (
            " Points moved: the same predictions, moved to where each set has brows and nose by a "
            "map learned from train photos ([decision 12](decisions/0012-conventions.md))."
        )
    notes = (
        "The mean error of the points (NME, eq. 5 of the paper) as a share of the face's size, "
        "sqrt(width x height) of its true box; lower is better. AFLW2000-3D: all 2000 photos, "
        "means over the faces found, failures over all; pose: mean absolute error in degrees over "
        "the photos without an angle beyond 99 degrees "
        "([decision 16](decisions/0016-evaluation.md)). From the true box mien looks twice, the "
        "second time from where the head must lie that has this landmark box "
        f"([decision 35](decisions/0035-more-looks.md)).{moved} Rivals' figures came with the "
        "data or are published (`benchmarks/rivals.json` says from where)."
    )
    others = (
        "Helen test: 167 photos, ytf test: 439 frames; cfp val: real profiles, errors as shares of "
        "the box of the clicked points."
    )
    unseen = (
        "39 photos of helen val from the photo alone, cut sideways through the face (`--cut 0.3`), "
        "or with mouth and chin under a hand (`--patch`)."
    )
    sections = [
        _table("AFLW2000-3D", WHOLE, results, figures, notes),
        _table("other photos", OTHERS, results, figures, others),
        _table("what cannot be seen", UNSEEN, results, figures, unseen, without_moved=True),
        _turned(results),
        _clips(results),
        steadiness(folder, figures),
        speed(folder),
        cost(folder),
        _commands(results, folder),
    ]
    return "\n".join(one for section in sections for one in section).lstrip()


def _table(
    title: str,
    columns: tuple[Column, ...],
    results: list[Result],
    figures: list[dict[str, Any]],
    note: str,
    *,
    without_moved: bool = False,
) -> list[str]:
    """Ours above the rivals', by where the crop comes from; rows without any figure are left out,
    and so is a table without rows."""
    sets = {column.data_set for column in columns}
    rows: dict[tuple[str, str], list[str]] = {}
    own = [one for one in results if one.data_set in sets]
    for system, init in dict.fromkeys((one.system, one.init) for one in own):
        same = [one for one in own if (one.system, one.init) == (system, init)]
        moved = [other for one in same if (other := _moved(one)) is not None]
        rows[system, init] = [_our_cell(same, column) for column in columns]
        if moved and not without_moved:
            rows[f"{system}, points moved", init] = [_our_cell(moved, each) for each in columns]
    for system, init in dict.fromkeys((one["system"], one["init"]) for one in figures):
        same = [one for one in figures if (one["system"], one["init"]) == (system, init)]
        rows[system, init] = [_rival_cell(same, column) for column in columns]
    head = [title, "crop from", *(column.title for column in columns)]
    lines = ["", line(head), line(["---", "---", *["---:"] * len(columns)])]
    order = sorted(rows, key=lambda row: list(INITS).index(row[1]))
    told = [line([one[0], INITS[one[1]], *rows[one]]) for one in order if set(rows[one]) != {"-"}]
    return [*lines, *told, "", note] if told else []


def _moved(result: Result) -> Result | None:
    """The same measurement with its points moved, where the file holds that."""
    blocks = [result.content[key] for key in MOVED if key in result.content]
    system = f"{result.system}, points moved"
    return replace(result, system=system, content=blocks[0]) if blocks else None


def _with_moved(results: list[Result], data_set: str) -> list[Result]:
    """The measurements of a set, each with its moved points behind it."""
    found = []
    for one in results:
        if one.data_set == data_set:
            other = _moved(one)
            found += [one] if other is None else [one, other]
    return found


def _our_cell(results: list[Result], column: Column) -> str:
    for result in results:
        if result.data_set == column.data_set:
            value: Any = result.content
            for key in column.place.split("/"):
                value = None if value is None else value.get(key)
            return "-" if value is None else column.show(value)
    return "-"


def _rival_cell(figures: list[dict[str, Any]], column: Column) -> str:
    for one in figures:
        if (one["set"], one["metric"]) == (column.data_set, column.place):
            return column.show(one["value"])
    return "-"


TURNED_COLUMNS: dict[str, Callable[[dict[str, Any]], float | None]] = {
    "68 points": lambda one: one["nme"],
    "yaw 60-90": lambda one: one["bins"]["(60,90]"]["nme"],
    "yaw 60-90, inner 51": lambda one: one["bins"]["(60,90]"]["nme_inner51"],
    "eyes shut": lambda one: one["eyes"]["shut"]["opening_error"],
    "eyes open": lambda one: one["eyes"]["open"]["opening_error"],
    "z error / x, y error": lambda one: one["depth"]["ratio"],
    "confidence, Spearman": lambda one: one["confidence"]["spearman"],
    "of seen points": lambda one: one["confidence"]["seen"]["confidence"],
    "of hidden points": lambda one: one["confidence"]["hidden"]["confidence"],
    "calibration error": lambda one: one["confidence"]["expected_calibration_error"],
    "score, AUC": lambda one: one["score"] and one["score"]["auc_no_face"],
    "misplaced": lambda one: one["score"] and one["score"]["auc_misplaced"],
}


def _turned(results: list[Result]) -> list[str]:
    own = _with_moved(results, TURNED_SET)
    if not own:
        return []
    head = ["turned test photos", "crop from", *TURNED_COLUMNS]
    lines = ["", line(head), line(["---", "---", *["---:"] * len(TURNED_COLUMNS)])]
    for one in own:
        cells = [_figure(show(one.content)) for show in TURNED_COLUMNS.values()]
        lines.append(line([one.system, INITS[one.init], *cells]))
    counts = {(one.content["n"], one.content["eyes"]["shut"]["n"] // 2) for one in own}
    if len(counts) > 1:
        raise ValueError(f"turned photos of different sets stand in one table: {sorted(counts)}")
    ((number, shut),) = counts
    return [
        *lines,
        "",
        f"{number} pictures, of {shut} with eyes shut, made by `mien data profile` of photos of "
        "the test split, with exact labels, some heads wearing glasses or face masks. "
        "68 points and yaw 60-90: NME as above. Eyes: error of the eye opening as a share of the "
        "eye's width (`mien.evaluation.eyes`). Confidence: its rank correlation with small errors; "
        "its mean over points that are seen and that the head hides; its expected calibration "
        "error. Score: area under the ROC curve of aligned crops against corners without a face, "
        "and against misplaced crops.",
    ]


def _clips(results: list[Result]) -> list[str]:
    own = _with_moved(results, CLIPS)
    if not own:
        return []
    sets = {(one.content["clips"], one.content["face_frames"]) for one in own}
    if len(sets) > 1:
        raise ValueError(f"clips of different sets stand in one table: {sorted(sets)}")
    head = ["clips, from the video alone", "clips", "faces in frames", "missed"]
    head += ["missed of those seen", "68 points", "jitter"]
    head += ["number switches", "tracks on no face", "eyes shut", "eyes open"]
    lines = ["", line(head), line(["---", *["---:"] * (len(head) - 1)])]
    for result in own:
        one = result.content
        counts = [str(one[key]) for key in ("clips", "face_frames", "missed")]
        counts.append(f"{one['missed_seen']} of {one['seen_face_frames']}")
        errors = [_figure(one[key]) for key in ("nme", "jitter")]
        lost = [str(one[key]) for key in ("id_switches", "false_tracks")]
        eyes = [_figure(one["eyes"][kind]["opening_error"]) for kind in ("shut", "open")]
        lines.append(line([result.system, *counts, *errors, *lost, *eyes]))
    note = (
        "Clips of `mien data video`, made of photos that nobody learned from: "
        "`mien data video fits.npz --split test --clips 40 --seed 104`. Jitter: the second "
        "difference of a point's error from frame to frame, in face sizes "
        "(`mien.evaluation.videos`). Seen: at least a quarter of the face's points is in sight, "
        "which other heads, something that passes or the frame's edge do not hide."
    )
    return [*lines, "", note]


def _commands(results: list[Result], folder: Path) -> list[str]:
    made = [(result.file, result.content["command"]) for result in results]
    for path in sorted(
        file
        for ending in ("speed", "cost", "steadiness")
        for file in folder.glob(f"*.{ending}.json")
    ):
        made.append((path.name, json.loads(path.read_text())["command"]))
    if not made:
        return []
    lines = ["", "Each figure is in a file of `benchmarks/results/`, made by:", ""]
    return lines + [f"- `{name}`: `{command}`" for name, command in made]


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


if __name__ == "__main__":
    run(PAGE, make_section, (__doc__ or "").splitlines()[0])
