"""Make docs/results.md of the tables of `mien reproduce`; with --check, say if it is theirs.

    python benchmarks/paper_results.py [--check]

The tables' JSON files lie in benchmarks/results as `reproduce.table-1.json` and so on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mien.models.size import network_size
from mien.reproduction.rows import TABLES, Kind
from mien.reproduction.scale import SCALES, scaled_row
from mien.reproduction.targets import ScaleName, Target
from paper_claims import looked_into
from sections import line, run_page

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "results.md"
ALL, BINS, POSE = "mean over all images", "mean of three yaw bins", "pose error, °"
TITLES = {
    "table-1": "Table 1: regression, the hourglass, and the changes of section 3.1",
    "table-2": "Table 2: heatmap modules of section 3.2, and the finetune module on stills",
    "table-3": "Table 3: other methods",
    "table-4": "Table 4: two stages, tracked over films",
    "figure-7": "Figure 7: cumulative errors of the tracker",
    "departures": "What `fast` does and the paper does not, switched off one at a time",
}
NOT_LEARNED = 0.2
"""NME that parts rows that have learned from those that have not: none lies near it."""
NOISE = HERE / "results" / "initialisation_noise.json"
NOISE_ROWS = ("finetune-end-to-end", "heatmaps")


@dataclass(frozen=True)
class Claim:
    """What the paper says of two rows of a table: that the first errs less."""

    words: str
    table: str
    better: str
    worse: str
    figure: str = ALL


CLAIMS = (
    Claim("heatmaps beat regression", "table-1", "hourglass", "resnet18"),
    Claim("the same, heatmaps by cross entropy", "table-1", "change-5", "resnet18"),
    Claim("changes 1, 2 and 3 of section 3.1 help", "table-1", "changes-123", "hourglass"),
    Claim("change 4, no dropout, helps", "table-1", "change-4", "changes-123"),
    Claim("change 5, cross entropy, helps", "table-1", "change-5", "change-4"),
    Claim("module 2 hurts", "table-2", "module-1", "module-2"),
    Claim("module 3 beats module 1", "table-2", "module-3", "module-1"),
    Claim("module 4 beats module 3", "table-2", "module-4", "module-3"),
    Claim("the finetune module costs a little on stills", "table-2", "module-4",
          "finetune-end-to-end"),
    Claim("the finetune module mends the pose, °", "table-2", "finetune-end-to-end", "module-4",
          POSE),
    Claim("attention by place beats attention by channel", "table-2", "module-4", "squeeze"),
    Claim("[7]: binary beats real-valued", "table-3", "hierarchical-binary", "hierarchical"),
    Claim("the proposed network beats [7]", "table-3", "proposed", "hierarchical-binary"),
    Claim("the proposed network beats 3DDFA", "table-3", "proposed", "3ddfa"),
    Claim("3DDFA beats SDM", "table-3", "3ddfa", "sdm"),
    Claim("the finetune module pays on films", "table-4", "finetune-end-to-end", "heatmaps"),
    Claim("trained end to end beats trained alone", "table-4", "finetune-end-to-end",
          "finetune-alone"),
)  # fmt: skip
OURS = (
    Claim("soft decoding, then a correction, beats points regressed at once", "departures",
          "fast", "no-decoding"),
    Claim("learning depth costs nothing in x and y", "departures", "fast", "no-depth"),
    Claim("learning confidence costs nothing", "departures", "fast", "no-confidence"),
    Claim("our weights of the losses beat the paper's", "departures", "fast", "paper-losses"),
    Claim("spoilt and covered crops help", "departures", "fast", "plain-crops"),
    Claim("all but our losses beats the paper's network", "departures", "paper-losses",
          "finetune-end-to-end"),
)  # fmt: skip
"""What our departures should bring, as docs/decisions/0030-departures.md has them."""


def page(folder: Path = HERE / "results") -> str:
    """The whole page."""
    tables = {
        name: json.loads(file.read_text("utf-8"))
        for name in TITLES
        if (file := folder / f"reproduce.{name}.json").is_file()
    }
    lines = [
        "# The paper's tables, trained anew at a small scale",
        "",
        "Networks of 32 channels, two hourglasses and 96 px, each trained on the same 38,400 crops",
        "with two seeds ([decision 28](decisions/0028-small-scale.md)): what can be compared with",
        "the paper is the order of the rows, not their height. NME as a share of the face's size,",
        "mean of the seeds ± half the way between them. Two rows are told apart where they differ",
        "by more than both spreads together. A row whose NME is above 0.2 has not learned in so",
        "few steps, and answers nothing. Each kind of row learns at the rate that val picked for",
        "it, and rows with the l2 loss have wider Gaussians (decision 28).",
        "",
        "## What became of the paper's claims",
        "",
        *_claims(tables, CLAIMS),
        "",
        *looked_into(),
        "",
        "## What our own departures bring",
        "",
        "From nothing, in as few steps ([decision 30](decisions/0030-departures.md)); the shipped",
        "networks have learned many times as long.",
        "",
        *_claims(tables, OURS),
    ]
    for name, table in tables.items():
        lines += ["", f"## {TITLES[name]}", ""]
        lines += [*_table(name, table), "", f"![{name}](images/{name}.png)"]
        lines += ["", f"`{table['command']}`: `benchmarks/results/reproduce.{name}.json`."]
    lines += _noise() if NOISE.is_file() else []
    waiting = [name for name in TITLES if name not in tables]
    if waiting:
        lines += ["", f"Not run to the end at this scale: {', '.join(waiting)}."]
    return "\n".join(lines) + "\n"


def _claims(tables: dict[str, Any], claims: tuple[Claim, ...]) -> list[str]:
    """A row a claim, a column a set of faces and its truth."""
    told = [claim for claim in claims if claim.table in tables]
    columns: list[str] = []
    for claim in told:
        columns += [one for one in _columns(tables[claim.table]) if one not in columns]
    rows = [line(["claim", *columns]), line(["---"] * (len(columns) + 1))]
    for claim in told:
        cells = [_verdict(tables[claim.table], claim, column) for column in columns]
        rows.append(line([claim.words, *cells]))
    return rows


def _noise() -> list[str]:
    """Table and picture of `benchmarks/initialisation_noise.py`."""
    content = json.loads(NOISE.read_text("utf-8"))
    rows = content["rows"]
    levels = list(dict.fromkeys(row["noise"] for row in rows))
    keys = dict.fromkeys(map(_key, rows))
    table = [line(["faces", "aligned by", "row", *(f"{level:g}" for level in levels)])]
    table.append(line(["---"] * 3 + ["---:"] * len(levels)))
    for key in keys:
        own = [row for row in rows if _key(row) == key]
        cells = [f"{row['nme']:.4f} ± {row['spread']:.4f}" for row in own]
        table.append(line([*key, *cells]))
    figures = {(*key, row["noise"]): row for key in keys for row in rows if _key(row) == key}
    helps = []
    for kind, way in dict.fromkeys(key[:2] for key in keys):
        apart = [
            f"{level:g}"
            for level in levels
            if _apart(*(figures[kind, way, name, level] for name in NOISE_ROWS))
        ]
        helps.append(f"* {kind}, by {way}: {', '.join(apart) or 'at none'}")
    return [
        "", "## Crops that lie askew: the question behind table 4", "",
        "The networks of table 4 on the same faces, whose crops are turned, scaled and moved away",
        "from the aligned one; 1 is as far as training crops are (10 degrees, 10 % and 5 % of the",
        "face). By landmarks as for model 2 of section 3.4, by their box as for model 1.", "",
        *table, "",
        "The finetune module, trained end to end, errs less than the heatmaps alone, by more than",
        "both spreads, at these:", "", *helps, "",
        "![NME against the noise of the crop](images/initialisation-noise.png)", "",
        f"`{content['command']}`: `benchmarks/results/{NOISE.name}`.",
    ]  # fmt: skip


def _key(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["set"], row["aligned by"], row["row"]


def _apart(better: dict[str, Any], worse: dict[str, Any]) -> bool:
    return bool(worse["nme"] - better["nme"] > worse["spread"] + better["spread"])


def _columns(table: dict[str, Any]) -> list[str]:
    seen: list[str] = []
    for row in table["rows"]:
        seen += [name for one in row.get("ours", []) if (name := _name(one)) not in seen]
    return seen


def _name(measured: dict[str, Any]) -> str:
    truth = "" if measured["truth"] == "original" else f", {measured['truth']}"
    return f"{measured['set']}{truth}"


def _figure(table: dict[str, Any], row: str, column: str, protocol: str = ALL) -> Any:
    for one in table["rows"]:
        for measured in one.get("ours", []) if one["name"] == row else []:
            if _name(measured) == column:
                return measured.get(protocol)
    return None


def _verdict(table: dict[str, Any], claim: Claim, column: str) -> str:
    better, worse = (
        _figure(table, row, column, claim.figure) for row in (claim.better, claim.worse)
    )
    if better is None or worse is None:
        return "-"
    off = better["mean"] - worse["mean"]
    told = f"{off:+.2f}" if claim.figure == POSE else f"{off:+.4f}"
    if claim.figure == ALL and max(better["mean"], worse["mean"]) > NOT_LEARNED:
        return "not answered"
    if better["spread"] is None or worse["spread"] is None:
        return f"one seed ({told})"
    if abs(off) <= better["spread"] + worse["spread"]:
        return f"not told apart ({told})"
    return f"{'held' if off < 0 else 'not held'} ({told})"


def _table(name: str, table: dict[str, Any]) -> list[str]:
    """A row a row; columns that no row has anything in are left out."""
    columns = _columns(table)
    first = columns[0] if columns else ""
    gflops = _gflops(name)
    rows = [["row", "million parameters", "GFLOPs a crop", "paper", *columns]]
    rows[0] += [f"{first}, {'mean of bins' if of == BINS else of}" for of in (BINS, POSE)]
    for row in table["rows"]:
        published, size = (row.get("paper") or {}).get("nme"), row.get("parameters")
        cells = [row["label"], "-" if size is None else f"{size / 1e6:.2f}"]
        cells.append(gflops.get(row["name"], "-"))
        cells.append("-" if published is None else f"{published:.4f}")
        cells += [_shown(_figure(table, row["name"], column)) for column in columns]
        cells.append(_shown(_figure(table, row["name"], first, BINS)))
        cells.append(_shown(_figure(table, row["name"], first, POSE), 2))
        rows.append(cells)
    kept = [at for at in range(len(rows[0])) if any(row[at] != "-" for row in rows[1:])]
    lines = [line([row[at] for at in kept]) for row in rows]
    return [lines[0], line(["---", *["---:"] * (len(kept) - 1)]), *lines[1:]]


def _gflops(name: str) -> dict[str, str]:
    """Of each network row at this scale, counted."""
    scale = SCALES[ScaleName.SMALL]
    return {
        row.name: f"{network_size(scaled_row(row, scale).network).gflops:.3f}"
        for row in TABLES[Target(name)].rows
        if row.kind is Kind.NETWORK
    }


def _shown(figure: Any, digits: int = 4) -> str:
    if figure is None:
        return "-"
    spread = "" if figure["spread"] is None else f" ± {figure['spread']:.{digits}f}"
    return f"{figure['mean']:.{digits}f}{spread}"


def main() -> None:
    run_page(PAGE, page, (__doc__ or "").splitlines()[0])


if __name__ == "__main__":
    main()
