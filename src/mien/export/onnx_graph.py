"""From a torch module to an ONNX graph: traced in one way, named by its weights, compared."""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from mien.errors import ModelError

__all__ = ["check_agreement", "digest_of", "run_graph", "traced"]


def traced(
    module: nn.Module,
    example: Tensor,
    *,
    input_name: str,
    output_names: Sequence[str],
    dynamic_shape: dict[int, Any],
) -> onnx.ModelProto:
    """The graph of a module of one input, without the source lines of the network.

    Args:
        dynamic_shape: the axes of the input whose size may differ, as ``torch.export`` has them.
    """
    exporters_log = logging.getLogger("torch.onnx")
    level = exporters_log.level
    exporters_log.setLevel(logging.ERROR)  # it tells of operators of packages we do not have
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                module,
                (example,),
                input_names=[input_name],
                output_names=list(output_names),
                dynamic_shapes={input_name: dynamic_shape},
                dynamo=True,
                verbose=False,
            )
    finally:
        exporters_log.setLevel(level)
    assert program is not None
    proto = program.model_proto
    graph = proto.graph
    graph.ClearField("value_info")
    # What the exporter notes down, source lines and all: a fifth of the file, in any order.
    for part in (graph, *graph.node, *graph.input, *graph.output):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    return proto


def digest_of(graph: onnx.ModelProto) -> str:
    """What a card calls ``sha256``: over the bytes of the graph's initializers, in order."""
    digest = hashlib.sha256()
    for initializer in graph.graph.initializer:
        digest.update(initializer.raw_data)
    return digest.hexdigest()


def run_graph(
    contents: bytes, output_names: Sequence[str], input_name: str, values: Sequence[np.ndarray]
) -> list[list[np.ndarray]]:
    """What onnxruntime's processor says of each of ``values``, output by output."""
    session = onnxruntime.InferenceSession(contents, providers=["CPUExecutionProvider"])
    return [session.run(list(output_names), {input_name: value}) for value in values]


def check_agreement(name: str, ours: np.ndarray, theirs: np.ndarray, tolerance: float) -> None:
    """Whether two runtimes say the same of an output.

    Raises:
        ModelError: they differ by more, or one says no number.
    """
    difference = float(np.abs(ours - theirs).max())
    if not difference <= tolerance:  # NaN is a difference too
        raise ModelError(
            f"onnxruntime and torch disagree on '{name}' by {difference:.4g} "
            f"(at most {tolerance:g}): nothing was written"
        )
