"""What a face costs in training, by two versions of mien in turn: core milliseconds of the step.

    git archive COMMIT src | tar -x -C BEFORE
    python benchmarks/training_cost.py BEFORE/src [--commit COMMIT]

Forward, losses, backward, clipping and AdamW on one thread, by the processor's time, as
``mien reproduce --plan`` measures it, 32 faces a step; medians of rounds in which the versions take
turns, each in a process of its own. Other work on the machine stretches both alike.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from provenance import command

ROOT = Path(__file__).parents[1]
RESULT = Path(__file__).parent / "results" / "training_cost.json"
PRESETS = ("fast-tracking", "nano-tracking")
ROUNDS = 5
ASK = """
import sys
from pathlib import Path
from mien.reproduction import estimate
from mien.training.config import load_config
from mien.files import write_atomically
estimate._LARGEST_BATCH = 32
print(1000 * estimate._core_secs_of_a_face(load_config(Path(sys.argv[1]))))
"""


def core_ms(source: Path, preset: str) -> float:
    """Of a face, by the mien in ``source``, with today's configuration."""
    config = ROOT / "configs" / f"{preset}.toml"
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(config)],
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("before", type=Path, help="src of the older version")
    parser.add_argument("--commit", default="", help="which that is")
    asked = parser.parse_args()
    sources = {"before": asked.before, "now": ROOT / "src"}
    presets = {}
    for preset in PRESETS:
        rounds = [{name: core_ms(source, preset) for name, source in sources.items()}
                  for _ in range(ROUNDS)]  # fmt: skip
        medians = {name: statistics.median(each[name] for each in rounds) for name in sources}
        ratios = [each["now"] / each["before"] for each in rounds]
        presets[preset] = {
            **{f"{name}_core_ms_a_face": round(median, 2) for name, median in medians.items()},
            "now_over_before": round(statistics.median(ratios), 3),
            "least_and_most": [round(min(ratios), 3), round(max(ratios), 3)],
        }
    kept = {"command": command(), "before": asked.commit, "rounds": ROUNDS, "presets": presets}
    write_atomically(RESULT, (json.dumps(kept, indent=1) + "\n").encode())
    print(RESULT.read_text())


if __name__ == "__main__":
    main()
