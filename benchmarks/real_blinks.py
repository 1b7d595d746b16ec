"""How many blinks of real clips, counted by eye, ``find_blinks`` finds in a study's table.

::

    mien track CLIPS --table real/study.csv --points none --model nano
    python benchmarks/real_blinks.py real/study.csv benchmarks/results/real_blinks.json

`benchmarks/blinks.json` is what a person saw on sheets of the eyes (`blink_sheets.py`): first and
last frame of every blink of the largest face, and stretches where nobody could say, which are not
counted. A blink is found where one of the table lies within a frame of it.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import numpy as np

from mien.measures import summarise
from mien.study import read_clips
from provenance import weights_of_run

SLACK = 1


def overlaps(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] <= other[1] + SLACK and one[1] >= other[0] - SLACK


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    listed = json.loads(Path(__file__).with_name("blinks.json").read_text())["clips"]
    labels = {Path(name).stem: label for name, label in listed.items()}
    clips, sums = {}, {"right": 0, "missed": 0, "wrong": 0}
    for rows in read_clips(given.table):
        label = labels.get(rows.clip)
        if label is None:
            continue
        _, persons, events = summarise(rows)
        largest = max(persons, key=lambda one: one.size_px * np.sqrt(one.frames)).person
        found = [
            (one.onset_frame, one.offset_frame)
            for one in events
            if one.kind == "blink"
            and one.person == largest
            and one.onset_frame < label.get("frames", math.inf)
        ]
        true = [tuple(one) for one in label["blinks"]]
        unsure = [tuple(one) for one in label["unsure"]]
        right = sum(any(overlaps(one, other) for other in found) for one in true)
        wrong = sum(not any(overlaps(one, other) for other in [*true, *unsure]) for one in found)
        clips[rows.clip] = {"true": len(true), "right": right, "wrong": wrong, "found": found}
        for name, count in (("right", right), ("missed", len(true) - right), ("wrong", wrong)):
            sums[name] += count
    whole = 2 * sums["right"] + sums["missed"] + sums["wrong"]
    record = json.loads(given.table.with_name("run.json").read_text())
    told = {
        "command": f"python benchmarks/real_blinks.py {given.table.name}",
        "model": record["model"]["name"],
        "networks": weights_of_run(record),
        **sums,
        "f1": round(2 * sums["right"] / max(whole, 1), 4),
        "clips": clips,
    }
    given.out.write_text(json.dumps(told, indent=1) + "\n")
    print(told)


if __name__ == "__main__":
    main()
