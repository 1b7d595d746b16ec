"""onnxruntime beside OpenVINO: milliseconds a face, and what OpenVINO's number format costs.

    python benchmarks/engines.py --data DATA --out benchmarks/results/engines.json

Times are of model 2 on one crop, the two engines in turns, the median of many runs; other work on
the machine spoils them (`--times` takes them anew when it is still). Errors are those of
`mien evaluate` with true points: the mean over all of `DATA/aflw2000`, and the 51 inner points of
helen's test photos in the face pack of DATA.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import mien
from mien.runtime.openvino_engine import OpenVinoNetwork
from mien.runtime.session import ENGINES, open_weights, read_card
from mien.runtime.weights import find_weights
from provenance import command, weights_of

THREADS = (1, 2)
_WARM_UP = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="face pack and aflw2000")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--model", action="append", help="repeatable; fast, nano, pico if not given"
    )
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--times", action="store_true", help="only these anew, in the file's place")
    arguments = parser.parse_args()
    models = arguments.model or ["fast", "nano", "pico"]
    if arguments.times:
        kept = json.loads(arguments.out.read_text())
        if kept["networks"] != weights_of(*kept["models"]):
            sys.exit(f"{arguments.out} is of other networks: measure without --times")
        for model, told in kept["models"].items():
            path = find_weights(model).tracking
            told["ms"] = {str(one): times_ms(path, one, arguments.runs) for one in THREADS}
        arguments.out.write_text(json.dumps(kept, indent=1) + "\n")
        return
    kept = {
        "cores": len(os.sched_getaffinity(0)),
        "networks": weights_of(*models),
        "models": {one: _model(one, arguments.data, arguments.runs) for one in models},
        "command": command(),
    }
    arguments.out.write_text(json.dumps(kept, indent=1) + "\n")
    print(json.dumps(kept, indent=1))


def _model(model: str, data: Path, runs: int) -> dict[str, Any]:
    path = find_weights(model).tracking
    return {
        "gflops": read_card(path).gflops,
        "number_format": OpenVinoNetwork(path, 1, 1).number_format,
        "ms": {str(threads): times_ms(path, threads, runs) for threads in THREADS},
        "error": {engine: errors(f"{model}:{engine}", data) for engine in ENGINES},
    }


def times_ms(path: Path, threads: int, runs: int) -> dict[str, float]:
    """Of one crop, by engine."""
    opened = {engine: open_weights(path, threads, engine) for engine in ENGINES}
    side = next(iter(opened.values())).card.side
    crops = np.random.default_rng(0).integers(0, 256, (1, side, side, 3), dtype=np.uint8)
    spent: dict[str, list[float]] = {engine: [] for engine in ENGINES}
    for _ in range(_WARM_UP + runs):
        for engine, weights in opened.items():
            start = time.perf_counter()
            weights.run(crops)
            spent[engine].append(1e3 * (time.perf_counter() - start))
    return {engine: round(float(np.median(ms[_WARM_UP:])), 3) for engine, ms in spent.items()}


def errors(model: str, data: Path) -> dict[str, float]:
    """NME by set."""
    whole = mien.evaluate("aflw2000", data / "aflw2000", model=model)
    helen = mien.evaluate("faces", data, model=model, sources=["helen"])
    return {
        "aflw2000": round(whole.main.nme, 6),
        "helen_test_inner51": round(helen.main.nme_inner51, 6),
    }


if __name__ == "__main__":
    main()
