"""mien beside MediaPipe Face Mesh on the same clip, interleaved in one run; ratios first.

    python benchmarks/rivals/run.py --out benchmarks/results/rivals_speed.json
    python benchmarks/rivals/run.py --picture docs/images/error-and-cost.png

MediaPipe 0.10.21 needs numpy below 2, so it gets an environment of its own (`--environment`, made
by pip if it is not there). The clip is made of the bundled demo clip (`mien.bench.write_crowd`),
one face, 640x360. The second command draws error against cost from the committed result files.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import venv
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

from mien.bench import Case, measure_case, write_crowd

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results"
RIVAL = "MediaPipe Face Mesh"
PACKAGES = ("mediapipe==0.10.21", "av>=14,<20")
FIELDS = ("fps", "cpu_ms", "update_ms_median", "update_ms_p95", "faces_found")
SYSTEMS = {"nano, 1 thread": ("nano", 1), "nano": ("nano", None), "fast": ("fast", None)}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--faces", type=int, default=1)
    parser.add_argument("--frames", type=int, default=300)
    default = Path(tempfile.gettempdir()) / "mien-rivals"
    parser.add_argument("--environment", type=Path, default=default)
    arguments = parser.parse_args()
    if arguments.out is not None:
        kept = measure(arguments.environment, arguments.faces, arguments.frames, arguments.rounds)
        arguments.out.write_text(json.dumps(kept, indent=1) + "\n")
        print(json.dumps(kept["ratios"], indent=1))
    if arguments.picture is not None:
        draw(arguments.picture)


def measure(environment: Path, faces: int, frames: int, rounds: int) -> dict[str, Any]:
    """Rounds of every system, one after the other, and the medians of ratios within a round."""
    rival_python = _rival_environment(environment)
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "crowd.mp4"
        write_crowd(clip, faces=faces, width=640, height=360, frames=frames)
        runs: dict[str, list[dict[str, Any]]] = {RIVAL: [], **{name: [] for name in SYSTEMS}}
        for number in range(rounds):
            runs[RIVAL].append(_rival(rival_python, clip, faces))
            for name, (model, threads) in SYSTEMS.items():
                with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                    case = Case(model, clip, faces, 360, threads)
                    runs[name].append(dataclasses.asdict(pool.submit(measure_case, case).result()))
            print(f"round {number + 1} of {rounds}", flush=True)
    ratios = {
        name: {
            field: round(
                median(
                    ours[field] / theirs[field]
                    for ours, theirs in zip(runs[name], runs[RIVAL], strict=True)
                ),
                3,
            )
            for field in ("cpu_ms", "fps")
        }
        for name in SYSTEMS
    }
    systems = {
        name: {field: round(median(run[field] for run in some), 3) for field in FIELDS}
        for name, some in runs.items()
    }
    return {
        "command": f"python benchmarks/rivals/run.py --faces {faces} --rounds {rounds}",
        "clip": f"{faces} of the demo's person, 640x360, {frames} frames",
        "cores": len(os.sched_getaffinity(0)),
        "rival": f"{RIVAL} {runs[RIVAL][0]['version']}",
        "ratios": ratios,
        "systems": systems,
        "runs_cpu_ms": {name: [run["cpu_ms"] for run in some] for name, some in runs.items()},
    }


def _rival(python: Path, clip: Path, faces: int) -> dict[str, Any]:
    words = [str(python), str(HERE / "mediapipe_clip.py"), str(clip), str(faces)]
    environment = {**os.environ, "GLOG_minloglevel": "3", "PYTHONPATH": ""}
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def _rival_environment(folder: Path) -> Path:
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *PACKAGES], check=True)
    return python


def draw(picture: Path) -> None:
    """Error on helen test (inner 51, photo alone) against processor time a frame."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    speed = json.loads((RESULTS / "rivals_speed.json").read_text())["systems"]
    rivals = json.loads((HERE.parent / "rivals.json").read_text())["figures"]
    wanted = ("helen test", RIVAL, "nme_inner51")
    theirs = next(
        row["value"] for row in rivals if (row["set"], row["system"], row["metric"]) == wanted
    )
    places = {RIVAL: (speed[RIVAL]["cpu_ms"], theirs)}
    for model, name in (("nano", "nano, 1 thread"), ("fast", "fast")):
        result = json.loads((RESULTS / f"{model}.helen_test.detector.json").read_text())
        places[f"mien {model}"] = (speed[name]["cpu_ms"], result["nme_inner51"])
    figure, axes = pyplot.subplots(figsize=(6, 4), dpi=150)
    for name, (cost, error) in places.items():
        colour = "tab:red" if name == RIVAL else "tab:blue"
        axes.scatter(cost, error, color=colour, s=60)
        axes.annotate(name, (cost, error), textcoords="offset points", xytext=(8, 6))
    axes.set_xscale("log")
    axes.set_xlabel("processor ms a frame (one face, 640x360, decoding included)")
    axes.set_ylabel("NME, inner 51 points, helen test, photo alone")
    axes.set_ylim(0, None)
    axes.margins(x=0.25)
    axes.set_title("lower left is better")
    figure.tight_layout()
    figure.savefig(picture)


if __name__ == "__main__":
    sys.exit(main())
