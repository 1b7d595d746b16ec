"""A face finder's file that finds bright squares, in closed form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from mien.runtime.card import CARD_KEY
from mien.runtime.finder_card import FinderCard

CARD = FinderCard(
    name="squares",
    score=0.5,
    parameters=0,
    gflops=0.0,
    training_sources=("nothing",),
    licence="MIT",
    results={},
    mien_version="0.2.0",
    sha256="0" * 64,
    strides=(8, 16),
)
SHARES = np.array([[-0.2, -0.1], [0.2, -0.1], [0.0, 0.1], [-0.1, 0.3], [0.1, 0.3]])


def write_square_finder(path: Path, card: str | None = CARD.to_json()) -> Path:
    """Score of a cell: how bright it is. A find is two cells wide, about the cell's middle.

    The map of stride 16 scores a tenth as high, so that it finds nothing.
    """
    constants = {
        "axes": np.array([3], np.int64),
        "over255": np.array(1 / 765, np.float32),
        "weak": np.array(0.1, np.float32),
        "nought": np.array(0.0, np.float32),
        "place": np.concatenate([[0, 0, np.log(2.0)], SHARES.ravel()])
        .astype(np.float32)
        .reshape(1, 13, 1, 1),
    }
    nodes = [
        helper.make_node("Cast", ["pictures"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["float", "axes"], ["sum"], keepdims=1),
        helper.make_node("Mul", ["sum", "over255"], ["grey"]),
        helper.make_node("Transpose", ["grey"], ["plane"], perm=[0, 3, 1, 2]),
    ]
    for stride in (8, 16):
        heat = f"heat_{stride}"
        pool = {"kernel_shape": [stride, stride], "strides": [stride, stride]}
        nodes.append(helper.make_node("AveragePool", ["plane"], [f"mean_{stride}"], **pool))
        factor = "one" if stride == 8 else "weak"
        nodes.append(helper.make_node("Mul", [f"mean_{stride}", factor], [heat]))
        nodes.append(helper.make_node("Mul", [heat, "nought"], [f"zero_{stride}"]))
        nodes.append(helper.make_node("Add", [f"zero_{stride}", "place"], [f"place_{stride}"]))
        nodes.append(
            helper.make_node("Concat", [heat, f"place_{stride}"], [f"maps_{stride}"], axis=1)
        )
    constants["one"] = np.array(1.0, np.float32)
    outputs = [
        helper.make_tensor_value_info(f"maps_{stride}", TensorProto.FLOAT, ["n", 14, "r", "c"])
        for stride in (8, 16)
    ]
    graph = helper.make_graph(
        nodes,
        "squares",
        [helper.make_tensor_value_info("pictures", TensorProto.UINT8, ["n", "h", "w", 3])],
        outputs,
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if card is not None:
        helper.set_model_props(model, {CARD_KEY: card})
    onnx.save(model, str(path))
    return path
