"""Model 2 in int8: what static quantisation saves and what it costs in points.

    python benchmarks/int8.py --data DATA --model nano --out benchmarks/results/int8.json

Weights per channel and activations per tensor (QDQ), ranges from aligned crops of train photos of
the face pack in DATA. Three ways: every convolution; all but those that make heatmaps and points;
all but those and the first blocks. Times are of one crop and one thread, all in turns; other work
on the machine spoils them. Errors are those of `mien evaluate` with true points on val photos, as
the way is chosen by them.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)

import mien
from mien.evaluation.sets import Format, read_photo_set
from mien.geometry import crop_from_landmarks, warp_crop
from mien.markup import load_markup
from mien.runtime.session import ENGINES, open_weights
from mien.runtime.weights import find_weights
from provenance import command, weights_of

CROPS = 200
WAYS = {
    "every convolution": (),
    "not heatmaps and points": ("finetune", "heatmaps"),
    "nor the first blocks": ("finetune", "heatmaps", "preprocessing"),
}
"""What is left in floating point: convolutions whose weights have one of these in their names."""
_RUNS, _WARM_UP = 400, 20


class _Crops(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, crops: list[np.ndarray]) -> None:
        self._left: Iterator[np.ndarray] = iter(crops)

    def get_next(self) -> dict[str, np.ndarray] | None:
        crop = next(self._left, None)
        return None if crop is None else {"crops": crop[None]}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="face pack and cfp")
    parser.add_argument("--model", default="nano")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--times", action="store_true", help="only these anew, in the file's place")
    arguments = parser.parse_args()
    path = find_weights(arguments.model).tracking
    old = _kept(arguments.out, weights_of(arguments.model)) if arguments.times else {}
    with tempfile.TemporaryDirectory() as folder:
        files = {"float32": path}
        crops = train_crops(arguments.data, open_weights(path, 1).card.side)
        for number, (way, kept) in enumerate(WAYS.items()):
            files[way] = quantised(path, Path(folder, f"way-{number}.onnx"), crops, kept)
        ms = times_ms(files, crops[0])
        ways = {
            way: {**(old.get(way) or errors(file, arguments.data)), "ms": ms[way]}
            for way, file in files.items()
        }
    told: dict[str, Any] = {
        "networks": weights_of(arguments.model),
        "model": arguments.model,
        "crops": CROPS,
        "ways": ways,
        "command": command([one for one in sys.argv[1:] if one != "--times"]),
    }
    arguments.out.write_text(json.dumps(told, indent=1) + "\n")
    print(json.dumps(told, indent=1))


def _kept(out: Path, networks: dict[str, str]) -> dict[str, Any]:
    """Errors of the same networks in a file that is there."""
    told = json.loads(out.read_text())
    if told["networks"] != networks:
        sys.exit(f"{out} is of other networks: measure without --times")
    ways: dict[str, Any] = told["ways"]
    return ways


def train_crops(data: Path, side: int) -> list[np.ndarray]:
    """Aligned by their true points, evenly from all train photos."""
    photos = read_photo_set(Format.FACES, data, split="train").photos
    mean_shape = load_markup(68).mean_shape
    chosen = photos[:: max(len(photos) // CROPS, 1)][:CROPS]
    return [
        warp_crop(one.read_rgb(), crop_from_landmarks(one.points_image, mean_shape, side), side)
        for one in chosen
    ]


def quantised(path: Path, out: Path, crops: list[np.ndarray], kept: tuple[str, ...]) -> Path:
    """The file with its convolutions in int8, but those whose weights are named by ``kept``."""
    model = onnx.load(path)
    weights = {
        node.name: node.input[1] for node in model.graph.node if node.op_type in ("Conv", "Gemm")
    }
    floating = [name for name, weight in weights.items() if any(one in weight for one in kept)]
    quantize_static(
        str(path),
        str(out),
        _Crops(crops),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["Conv", "MaxPool", "Add", "Relu"],
        nodes_to_exclude=floating,
    )
    made = onnx.load(out)
    del made.metadata_props[:]
    made.metadata_props.extend(model.metadata_props)  # the card: the reader asks for it
    onnx.save(made, out)
    return out


def times_ms(files: dict[str, Path], crop: np.ndarray) -> dict[str, dict[str, float]]:
    """Of one crop with one thread, by file and engine."""
    opened = {
        (way, engine): open_weights(file, 1, engine)
        for way, file in files.items()
        for engine in ENGINES
    }
    spent: dict[tuple[str, str], list[float]] = {key: [] for key in opened}
    for _ in range(_WARM_UP + _RUNS):
        for key, weights in opened.items():
            start = time.perf_counter()
            weights.run(crop[None])
            spent[key].append(1e3 * (time.perf_counter() - start))
    return {
        way: {one: round(float(np.median(spent[way, one][_WARM_UP:])), 3) for one in ENGINES}
        for way in files
    }


def errors(file: Path, data: Path) -> dict[str, float]:
    """NME of val photos with true points, by set, run by onnxruntime."""
    pack = mien.evaluate("faces", data, split="val", model=str(file))
    profiles = mien.evaluate("cfp", data / "cfp", split="val", model=str(file))
    return {
        "faces_val_inner51": round(float(pack.main.nme_inner51), 6),
        "cfp_val": round(float(profiles.main.nme), 6),
    }


if __name__ == "__main__":
    main()
