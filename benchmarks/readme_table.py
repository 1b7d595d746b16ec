"""Write the README's table of accuracy and speed from the committed result files.

    python benchmarks/readme_table.py            # rewrites the part between the markers
    python benchmarks/readme_table.py --check    # exit code 1 if it would change anything

Results are `benchmarks/results/MODEL.SET.INIT.json` (`mien evaluate ... --json FILE`; with
`--mirror` MODEL.SET.INIT.mirror.json), MODEL.CLIP.speed.json and MODEL.cost.json
(`benchmarks/speed.py`); `benchmarks/measure.py` makes them all. Rivals' figures are in
`benchmarks/rivals.json`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sections import line, run

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
DATA_ENGINE, TRAINING = "data_engine.json", "training_speed.json"
"""Shown in docs/data.md (`data_table.py`) and docs/training.md."""
INITS = {"oracle": "true points", "box": "true box", "detector": "photo alone"}


@dataclass(frozen=True)
class Column:
    """One figure: a set, which of its truths, and which points."""

    title: str
    sets: tuple[str, ...]
    truth: str
    metric: str
    """Key of `mien evaluate --json`."""


COLUMNS = (
    Column("aflw2000_dev, 68 points", ("aflw2000_dev", "AFLW2000-3D"), "pt3d_68", "nme"),
    Column("its re-annotation, 68", ("aflw2000_dev",), "reannotated", "nme"),
    Column("aflw2000_dev, inner 51", ("aflw2000_dev",), "pt3d_68", "nme_inner51"),
    Column("helen test, inner 51", ("helen_test", "helen test"), "manual68", "nme_inner51"),
    Column("ytf test, inner 51", ("ytf_test", "ytf test"), "manual68", "nme_inner51"),
)
TURNED_SET, CLIPS = "turned_test", "clips"
MOVED = ("as_300w_lp", "as_clicked")
"""Blocks of `mien evaluate --json` with the points moved to where the set has them."""
OTHER_PHOTOS = "AFLW2000-3D"
"""The paper's figure is over all 2000 photos, of which ours are 16."""


@dataclass(frozen=True)
class Row:
    """A system, and where its crop comes from."""

    system: str
    init: str
    cells: tuple[str, ...]


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
        if path.name.endswith((".speed.json", ".cost.json", DATA_ENGINE, TRAINING)):
            continue
        content = json.loads(path.read_text())
        model, data_set, init, *mirror = path.stem.split(".")
        named = (model, init, mirror == ["mirror"])
        held = (content["model"], content["init"], content["mirror"])
        if named != held:
            raise ValueError(f"{path.name} holds model, init and mirror {held}")
        known = {TURNED_SET, CLIPS, *(name for column in COLUMNS for name in column.sets)}
        if data_set not in known:
            raise ValueError(f"{path.name}: no column shows the set {data_set}")
        system = f"**mien {model}**" + (", mirror averaged" if content["mirror"] else "")
        found.append(Result(path.name, system, data_set, init, content))
    return found


def make_section(folder: Path = HERE / "results", rivals: Path = HERE / "rivals.json") -> str:
    """The text between the markers."""
    results = read_results(folder)
    figures = json.loads(rivals.read_text())["figures"]
    rows = [*_our_rows(results), *_rival_rows(figures)]
    head = ["system", "crop from", *(column.title for column in COLUMNS)]
    lines = [line(head), line(["---", "---", *["---:"] * len(COLUMNS)])]
    lines += [line([row.system, INITS[row.init], *row.cells]) for row in rows]
    moved = ""
    if any(_moved(one) for one in results):
        moved = (
            "Points moved: the same predictions, moved to where each set has brows and nose by a "
            "map learned from train photos ([decision 12](docs/decisions/0012-conventions.md)). "
        )
    notes = [
        "",
        "The mean error of the points (NME, eq. 5 of the paper) as a share of the face's size, "
        "sqrt(width x height) of its true box; lower is better. Photos: 16, 16, 16, 167, 439. "
        f"{moved}* over all 2000 photos of AFLW2000-3D, so not the same photos. Rivals' figures "
        "came with the data (`benchmarks/rivals.json` says from where).",
    ]
    sections = [
        _turned(results),
        _clips(results),
        _speed(folder),
        _cost(folder),
        _commands(results, folder),
    ]
    return "\n".join([*lines, *notes, *(one for section in sections for one in section)])


def _our_rows(results: list[Result]) -> list[Row]:
    rows = []
    for system in dict.fromkeys(result.system for result in results):
        for init in INITS:
            own = [one for one in results if (one.system, one.init) == (system, init)]
            own = [one for one in own if one.data_set not in (TURNED_SET, CLIPS)]
            moved = [other for one in own if (other := _moved(one)) is not None]
            for name, found in ((system, own), (f"{system}, points moved", moved)):
                if found:
                    cells = tuple(_our_cell(found, column) for column in COLUMNS)
                    rows.append(Row(name, init, cells))
    return rows


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
        if result.data_set in column.sets:
            block = result.content
            if column.truth == "reannotated":
                block = result.content["reannotated"]
            missed = f" ({block['missed']} missed)" if block["missed"] else ""
            return "-" if block[column.metric] is None else f"{block[column.metric]:.4f}{missed}"
    return "-"


def _rival_rows(figures: list[dict[str, Any]]) -> list[Row]:
    rows = []
    for system, init in dict.fromkeys((one["system"], one["init"]) for one in figures):
        own = [one for one in figures if (one["system"], one["init"]) == (system, init)]
        rows.append(Row(system, init, tuple(_rival_cell(own, column) for column in COLUMNS)))
    return rows


def _rival_cell(figures: list[dict[str, Any]], column: Column) -> str:
    for one in figures:
        wanted = (column.truth, column.metric)
        if one["set"] in column.sets and (one["truth"], one["metric"]) == wanted:
            return f"{one['value']:.4f}" + ("*" if one["set"] == OTHER_PHOTOS else "")
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
    told = " and ".join(f"{n} pictures, of {shut} with eyes shut" for n, shut in sorted(counts))
    return [
        *lines,
        "",
        f"{told}, made by `mien data profile` of photos of the test split, with exact labels, some "
        "heads wearing glasses or face masks. "
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
    head = ["clips, from the video alone", "clips", "faces in frames", "missed", "68 points"]
    head += ["jitter", "number switches", "tracks on no face", "eyes shut", "eyes open"]
    lines = ["", line(head), line(["---", *["---:"] * (len(head) - 1)])]
    for result in own:
        one = result.content
        counts = [str(one[key]) for key in ("clips", "face_frames", "missed")]
        errors = [_figure(one[key]) for key in ("nme", "jitter")]
        lost = [str(one[key]) for key in ("id_switches", "false_tracks")]
        eyes = [_figure(one["eyes"][kind]["opening_error"]) for kind in ("shut", "open")]
        lines.append(line([result.system, *counts, *errors, *lost, *eyes]))
    note = (
        "Clips of `mien data video`, made of photos that nobody learned from. Jitter: the second "
        "difference of a point's error from frame to frame, in face sizes "
        "(`mien.evaluation.videos`)."
    )
    return [*lines, "", note]


def _cost(folder: Path) -> list[str]:
    files = sorted(folder.glob("*.cost.json"))
    if not files:
        return []
    head = ["model", "crop, px", "GFLOPs", "threads", "ms, model 2", "ms, model 1"]
    lines = ["", line(head), line(["---"] + ["---:"] * 5)]
    for file in files:
        one = json.loads(file.read_text())
        cells = [one["model"], str(one["side"]), f"{one['gflops']:.2f}", str(one["threads"])]
        lines.append(line([*cells, f"{one['tracking_ms']:.1f}", f"{one['detection_ms']:.1f}"]))
    note = (
        "The landmark networks alone, one face a run (median). A face that is followed passes "
        "model 2; one that was just found passes model 1 and then model 2."
    )
    return [*lines, "", note]


def _speed(folder: Path) -> list[str]:
    files = sorted(folder.glob("*.speed.json"))
    if not files:
        return []
    head = ["clip", "px", "model", "cores", "frames with a face", "frames/s, file to overlay"]
    lines = ["", line(head), line(["---"] * 3 + ["---:"] * 3)]
    for file in files:
        one = json.loads(file.read_text())
        faces = f"{one['frames_with_face']} of {one['frames_decoded']}"
        cells = [one["clip"], one["size"], one["model"], str(one["cores"]), faces]
        lines.append(line([*cells, f"{one['fps']:.1f}"]))
    return lines


def _commands(results: list[Result], folder: Path) -> list[str]:
    made = [(result.file, result.content["command"]) for result in results]
    for path in sorted([*folder.glob("*.speed.json"), *folder.glob("*.cost.json")]):
        made.append((path.name, json.loads(path.read_text())["command"]))
    if not made:
        return []
    lines = ["", "Each figure is in a file of `benchmarks/results/`, made by:", ""]
    return lines + [f"- `{name}`: `{command}`" for name, command in made]


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


if __name__ == "__main__":
    run(README, make_section, (__doc__ or "").splitlines()[0])
