"""A seeded portion of ``benchmarks/fuzz_media.py``; its committed result is of all thousand."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import numpy as np

from mien.errors import InputError
from mien.media import open_source

ROOT = Path(__file__).parents[2]


sys.path.append(str(ROOT / "benchmarks"))
fuzz = importlib.import_module("fuzz_media")


def test_broken_files_are_read_or_refused_in_a_line(tmp_path):
    files = fuzz.whole_files(tmp_path)
    whole = {path: path.read_bytes() for path in files}
    read = refused = 0
    lines: list[str] = []
    for number, origin in enumerate(files * 3):
        rng = np.random.default_rng([7, number])
        case = tmp_path / f"case{origin.suffix}"
        case.write_bytes(fuzz.broken(whole[origin], list(whole.values()), rng))
        times = []
        try:
            with open_source(case, threads=1) as source:
                times.extend(frame.time_secs for frame in source)
            read += 1
        except InputError as error:
            refused += 1
            lines.append(str(error))
        assert times == sorted(set(times))
    assert not [line for line in lines if "\n" in line]
    assert read > 5
    assert refused > 5


def test_of_a_thousand_none_failed() -> None:
    result = json.loads((ROOT / "benchmarks" / "results" / "fuzz_media.json").read_text())
    assert result["files"] >= 1000
    assert result["failures"] == 0
    assert result["slowest_secs"] < 30
    assert result["command"].startswith("python benchmarks/fuzz_media.py")
