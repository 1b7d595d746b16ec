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
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

from environment import DEFAULT, mediapipe_environment, run_there

from mien.bench import Case, measure_case, measure_start_up, write_crowd
from mien.media import open_source

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results"
RIVAL = "MediaPipe Face Mesh"
FIELDS = ("fps", "cpu_ms", "update_ms_median", "update_ms_p95", "faces_found")
PHOTO = ("photo_ms", "photo_cpu_ms")
UP_TO = 8
"""Faces that `mien track` looks for if nothing is asked."""


@dataclasses.dataclass(frozen=True)
class System:
    """mien with a model, or the rival (no model)."""

    model: str | None
    threads: int | None
    only: bool
    """Whether no more faces are asked for than there are: then nobody is searched for."""
    against: str


SYSTEMS = {
    RIVAL: System(None, None, True, RIVAL),
    f"{RIVAL}, up to {UP_TO} faces": System(None, None, False, RIVAL),
    "nano": System("nano", 1, True, RIVAL),
    f"nano, up to {UP_TO} faces": System("nano", 1, False, f"{RIVAL}, up to {UP_TO} faces"),
    f"nano, up to {UP_TO} faces, all cores": System("nano", None, False, RIVAL),
    "pico": System("pico", 1, True, RIVAL),
    f"pico, up to {UP_TO} faces": System("pico", 1, False, f"{RIVAL}, up to {UP_TO} faces"),
    "fast": System("fast", None, True, RIVAL),
    "fast, OpenVINO": System("fast:openvino", None, True, RIVAL),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--faces", type=int, default=1)
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--note", default="", help="what else the machine did, for the file")
    parser.add_argument("--environment", type=Path, default=DEFAULT)
    arguments = parser.parse_args()
    if arguments.out is not None:
        kept = measure(arguments.environment, arguments.faces, arguments.frames, arguments.rounds)
        kept |= {"note": arguments.note} if arguments.note else {}
        if arguments.out.is_file():  # what an older revision took cannot be measured again here
            old = json.loads(arguments.out.read_text())
            kept |= {"before": old["before"]} if "before" in old else {}
        arguments.out.write_text(json.dumps(kept, indent=1) + "\n")
        print(json.dumps(kept["ratios"], indent=1))
    if arguments.picture is not None:
        draw(arguments.picture)


def measure(environment: Path, faces: int, frames: int, rounds: int) -> dict[str, Any]:
    """Rounds of every system, one after the other, and the medians of ratios within a round."""
    rival_python = mediapipe_environment(environment)
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "crowd.mp4"
        write_crowd(clip, faces=faces, width=640, height=360, frames=frames)
        with open_source(str(clip)) as source:
            photo = next(iter(source))
        runs: Runs = {name: [] for name in SYSTEMS}
        for number in range(rounds):
            for name, system in SYSTEMS.items():
                most = faces if system.only else max(faces, UP_TO)
                if system.model is None:
                    runs[name].append(_rival(rival_python, clip, most, photos=system.only))
                    continue
                with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                    case = Case(system.model, clip, faces, 360, system.threads, most)
                    run = dataclasses.asdict(pool.submit(measure_case, case).result())
                    if system.only:
                        started = pool.submit(
                            measure_start_up, system.model, photo, Path(folder), 2
                        )
                        run |= dataclasses.asdict(started.result())
                    runs[name].append(run)
            print(f"round {number + 1} of {rounds}", flush=True)
    return {
        "command": f"python benchmarks/rivals/run.py --frames {frames} --rounds {rounds}",
        "clip": f"{faces} of the demo's person, 640x360, {frames} frames",
        "cores": len(os.sched_getaffinity(0)),
        "rival": f"{RIVAL} {runs[RIVAL][0]['version']}",
        "ratios": _ratios(runs),
        "systems": _medians(runs),
        "runs_cpu_ms": {name: [run["cpu_ms"] for run in some] for name, some in runs.items()},
    }


Runs = dict[str, list[dict[str, Any]]]


def _ratios(runs: Runs) -> dict[str, Any]:
    """Of each system to the one it is set against: the median of ratios within a round."""
    return {
        name: {"against": system.against}
        | {
            field: round(
                median(
                    ours[field] / theirs[field]
                    for ours, theirs in zip(runs[name], runs[system.against], strict=True)
                ),
                3,
            )
            for field in ("cpu_ms", "fps", *PHOTO)
            if field in runs[name][0]
        }
        for name, system in SYSTEMS.items()
        if system.model is not None
    }


def _medians(runs: Runs) -> dict[str, Any]:
    """Of each system's figures over its rounds."""
    systems = {
        name: {
            field: round(median(run[field] for run in some), 3)
            for field in (*FIELDS, "peak_mb", *PHOTO, "first_result_secs", "first_result_cpu_secs")
            if field in some[0]
        }
        for name, some in runs.items()
    }
    for name, system in SYSTEMS.items():
        if system.model is not None:
            stages = [run["stages_ms"] for run in runs[name]]
            systems[name]["stages_ms"] = {
                stage: round(median(one[stage] for one in stages), 3) for stage in stages[0]
            }
    return systems


def _rival(python: Path, clip: Path, faces: int, *, photos: bool) -> dict[str, Any]:
    words = [str(clip), str(faces), *(["photo"] if photos else [])]
    said = run_there(python, HERE / "mediapipe_clip.py", *words)
    result: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
    return result


def draw(picture: Path) -> None:
    """Error on helen test (inner 51, photo alone) against processor time a frame."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    speed = json.loads((RESULTS / "rivals_speed.json").read_text())["systems"]
    rivals = json.loads((HERE.parent / "rivals.json").read_text())["figures"]
    wanted = ("helen_test", RIVAL, "nme_inner51")
    theirs = next(
        row["value"] for row in rivals if (row["set"], row["system"], row["metric"]) == wanted
    )
    places = {RIVAL: (speed[RIVAL]["cpu_ms"], theirs)}
    for model, name in (("pico", "pico"), ("nano", "nano"), ("fast", "fast")):
        result = json.loads((RESULTS / f"{model}.helen_test.detector.json").read_text())
        places[f"mien {model}"] = (speed[name]["cpu_ms"], result["nme_inner51"])
    figure, axes = pyplot.subplots(figsize=(6, 4), dpi=150)
    for name, (cost, error) in places.items():
        colour = "tab:red" if name == RIVAL else "tab:blue"
        axes.scatter(cost, error, color=colour, s=60)
        below = name == "mien nano"  # pico lies beside it
        shift = (4, -16) if below else (8, 6)
        axes.annotate(name, (cost, error), textcoords="offset points", xytext=shift)
    axes.set_xscale("log")
    axes.set_xlim(1, 100)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("processor ms a frame (one face, 640x360, decoding included)")
    axes.set_ylabel("NME, inner 51 points, helen test, photo alone")
    axes.set_ylim(0, 1.2 * max(error for _, error in places.values()))
    axes.grid(alpha=0.3)
    axes.set_title("further left and lower is better")
    figure.tight_layout()
    figure.savefig(picture)


if __name__ == "__main__":
    sys.exit(main())
