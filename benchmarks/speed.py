"""Measure how fast `mien track` follows a clip on this machine, and keep the middle run.

    python benchmarks/speed.py CLIP.mp4 --out benchmarks/results/fast.NAME.speed.json

Runs the command line, overlay and table included, so that the figure is what a user gets.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import av


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", default="fast")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    runs = [_track(arguments.clip, arguments.model) for _ in range(arguments.runs)]
    summary = sorted(runs, key=lambda run: run["fps"])[len(runs) // 2]
    with av.open(str(arguments.clip)) as container:
        context = container.streams.video[0].codec_context
        size = f"{context.width}x{context.height}"
    model = Path(arguments.model).name
    kept = {
        "clip": arguments.clip.name,
        "size": size,
        "cores": len(os.sched_getaffinity(0)),
        "command": f"mien track {arguments.clip.name} --out out --model {model}",
        "runs_fps": [round(run["fps"], 2) for run in runs],
        **summary,
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(kept, indent=1) + "\n")
    print(json.dumps(kept, indent=1))


def _track(clip: Path, model: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as out:
        words = ["track", str(clip), "--out", out, "--model", model]
        code = "import sys; from mien.cli import main; main(sys.argv[1:])"
        subprocess.run([sys.executable, "-c", code, *words], check=True)
        summary: dict[str, Any] = json.loads(Path(out, f"{clip.stem}.json").read_text())
    return summary


if __name__ == "__main__":
    main()
