"""A weight file that follows bright squares: small, exact, and known in closed form.

Its landmarks are the mean shape, scaled to the square root of the bright area and moved to the
middle of the brightness; its score is the bright share of the crop times 8, at most 1. It is 0.9
sure of the 68 points, and 0.7 sure of what 84 have besides.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from mien.markup import load_markup
from mien.runtime.card import CARD_KEY, ModelCard

SIDE = 128
THRESHOLD = 64.0

CARD = ModelCard(
    name="standin",
    role="tracking",
    markup=68,
    convention="clicked",
    side=SIDE,
    input="uint8 RGB (n, side, side, 3)",
    units="crop px",
    confidence_radius=0.05,
    parameters=0,
    gflops=0.0,
    training_sources=("nothing",),
    licence="MIT",
    results={},
    mien_version="0.1.0",
    sha256="0" * 64,
)


_NODES: list[tuple[str, list[str], str, dict[str, int]]] = [
    ("Cast", ["crops"], "float", {"to": TensorProto.FLOAT}),
    ("ReduceSum", ["float", "rgb_axis"], "sum3", {"keepdims": 0}),
    ("Div", ["sum3", "three"], "grey", {}),
    ("Sub", ["grey", "threshold"], "above", {}),
    ("Relu", ["above"], "lit", {}),
    ("Div", ["lit", "range"], "bright", {}),
    ("ReduceSum", ["bright", "plane"], "area", {"keepdims": 0}),
    ("Add", ["area", "tiny"], "safe_area", {}),
    ("Mul", ["bright", "columns"], "weighted_x", {}),
    ("Mul", ["bright", "rows"], "weighted_y", {}),
    ("ReduceSum", ["weighted_x", "plane"], "sum_x", {"keepdims": 0}),
    ("ReduceSum", ["weighted_y", "plane"], "sum_y", {"keepdims": 0}),
    ("Div", ["sum_x", "safe_area"], "x", {}),
    ("Div", ["sum_y", "safe_area"], "y", {}),
    ("Sub", ["x", "x"], "z", {}),
    ("Sqrt", ["safe_area"], "size", {}),
    ("Unsqueeze", ["size", "new_axes"], "size3", {}),
    ("Unsqueeze", ["x", "new_axes"], "x3", {}),
    ("Unsqueeze", ["y", "new_axes"], "y3", {}),
    ("Unsqueeze", ["z", "new_axes"], "z3", {}),
    ("Concat", ["x3", "y3", "z3"], "centre", {"axis": 2}),
    ("Mul", ["mean", "size3"], "shape", {}),
    ("Add", ["shape", "centre"], "points", {}),
    ("Mul", ["area", "gain"], "rating", {}),
    ("Min", ["rating", "one"], "score", {}),
    ("Unsqueeze", ["score", "last"], "score2", {}),
    ("Sub", ["score2", "score2"], "nought", {}),
    ("Add", ["nought", "sure"], "confidence", {}),
]


def write_standin(path: Path, card: ModelCard | None = CARD, side: int = SIDE) -> Path:
    """Write the network, with a card or without; it has as many points as its card says."""
    markup = load_markup(68 if card is None else card.markup)
    sure = np.full((1, len(markup)), 0.7)
    sure[:, list(markup.ibug68)] = 0.9
    columns, rows = np.meshgrid(np.arange(side), np.arange(side))
    constants = {
        "threshold": np.array(THRESHOLD),
        "range": np.array(255.0 - THRESHOLD),
        "tiny": np.array(1e-3),
        "columns": columns[None],
        "rows": rows[None],
        "mean": markup.mean_shape[None],
        "gain": np.array(8.0 / side**2),
        "one": np.array(1.0),
        "sure": sure,
    }
    axes = {"rgb_axis": [3], "plane": [1, 2], "new_axes": [1, 2], "last": [1]}
    constants["three"] = np.array(3.0)
    weights = [
        numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()
    ] + [numpy_helper.from_array(np.array(value, np.int64), name) for name, value in axes.items()]
    graph = helper.make_graph(
        [helper.make_node(op, inputs, [out], **extra) for op, inputs, out, extra in _NODES],
        "standin",
        [helper.make_tensor_value_info("crops", TensorProto.UINT8, ["n", side, side, 3])],
        [
            helper.make_tensor_value_info("points", TensorProto.FLOAT, ["n", len(markup), 3]),
            helper.make_tensor_value_info("confidence", TensorProto.FLOAT, ["n", len(markup)]),
            helper.make_tensor_value_info("score", TensorProto.FLOAT, ["n"]),
        ],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if card is not None:
        helper.set_model_props(
            model, {CARD_KEY: dataclasses.replace(card, side=card.side).to_json()}
        )
    onnx.save(model, str(path))
    return path


def square_picture(
    *squares: tuple[float, float, int], width: int = 160, height: int = 120
) -> np.ndarray:
    """White squares on black: centre x, y and side, px."""
    image = np.zeros((height, width, 3), np.uint8)
    for x, y, side in squares:
        left, top = round(x - (side - 1) / 2), round(y - (side - 1) / 2)
        image[max(top, 0) : top + side, max(left, 0) : left + side] = 255
    return image
