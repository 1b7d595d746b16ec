"""Ctrl-C at random moments of a start: how many tracebacks people see, and where they come from.

::

    python benchmarks/interrupted_starts.py benchmarks/results/interrupted_starts.json \
        [--kills 60] [--src OTHER/src ...]

Each command is started as the installed script starts it, and gets a SIGINT after a random time;
so does every process that it has started, as from a terminal. ``--src`` measures other versions in
turns with this one. ``python`` is an empty program: what nobody's code can answer.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from importlib import resources
from pathlib import Path

from mien.files import write_atomically
from provenance import command

SCRIPT = "import sys; from mien.__main__ import main; sys.exit(main())"
OURS = "/mien/"
PATIENCE_SECS = 60.0
WITHIN_SECS = {
    "python": (0.1,),
    "mien --help": (0.1, 0.6),
    "mien track": (0.1, 0.6),
    "mien track --workers 2": (2.0,),
}
"""Windows after the start from which moments are drawn."""


def commands(folder: Path) -> dict[str, list[str]]:
    """What is interrupted, by its name."""
    clip = Path(str(resources.files("mien"))) / "demo" / "clip.mp4"
    videos = folder / "videos"
    videos.mkdir()
    for name in "ab":
        (videos / f"{name}.mp4").symlink_to(clip)
    track = [SCRIPT, "track", str(videos), "--no-overlay", "--out", str(folder / "out")]
    return {
        "python": ["pass"],
        "mien --help": [SCRIPT, "--help"],
        "mien track": track,
        "mien track --workers 2": [*track, "--workers", "2"],
    }


def outcome(words: list[str], src: Path, after_secs: float) -> str:
    """Start, interrupt, and say what a person saw."""
    with subprocess.Popen(
        [sys.executable, "-c", *words],
        env=os.environ | {"PYTHONPATH": str(src)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        time.sleep(after_secs)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        _, told = process.communicate(timeout=PATIENCE_SECS)
    if told.strip():
        print(told, file=sys.stderr)
    if "Traceback" in told or "KeyboardInterrupt" in told:
        return "traceback, mien's" if OURS in told else "traceback, Python's"
    if process.returncode < 0:
        return "ended by the signal itself, without a word"
    return {0: "had ended", 130: "130"}.get(process.returncode, f"code {process.returncode}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("json", type=Path)
    parser.add_argument("--kills", type=int, default=60, help="of each command")
    parser.add_argument("--src", type=Path, action="append", default=[], help="another version")
    given = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # children would ignore it too
    versions = {"this": Path(__file__).parents[1] / "src"}
    versions |= {one.parent.name: one for one in given.src}
    draw = random.Random(0)
    counted: dict[str, dict[str, dict[str, Counter[str]]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, words in commands(Path(folder)).items():
            for within_secs in WITHIN_SECS[name]:
                seen = {version: Counter[str]() for version in versions}
                for _ in range(given.kills):
                    after_secs = draw.uniform(0.0, within_secs)
                    for version, src in versions.items():
                        seen[version][outcome(words, src.resolve(), after_secs)] += 1
                counted.setdefault(name, {})[f"within {within_secs} s"] = seen
                print(name, within_secs, json.dumps(seen), flush=True)
    told = {
        "command": command(),
        "kills": given.kills,
        "python": sys.version.split()[0],
        "seen": counted,
    }
    write_atomically(given.json, (json.dumps(told, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
