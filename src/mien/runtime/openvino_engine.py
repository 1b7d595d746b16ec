"""A weight file run by OpenVINO instead of onnxruntime (extra ``[openvino]``).

OpenVINO computes in the format the processor multiplies fastest: in bfloat16 where it has that
(AVX-512 BF16, AMX), else in float32. docs/speed.md has what that gains and what it moves.
"""

from __future__ import annotations

import os
import queue
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from mien.errors import ConfigError, ModelError, reason_of

__all__ = ["OpenVinoNetwork"]

_ONE = 1
"""Crops of the batch that a graph of its own is compiled for: fixed shapes run faster, and most
runs have one face."""


_TELEMETRY = "openvino_telemetry"
"""OpenVINO's Python package reports each import over the network through this one; where it is not
installed it has a stand-in of its own that reports nothing."""


class OpenVinoNetwork:
    """What ``onnxruntime.InferenceSession.run`` does, for any number of threads at once."""

    def __init__(self, path: Path, threads: int, lanes: int) -> None:
        """Compile the file.

        Args:
            threads: of all lanes together.
            lanes: runs that may be under way at once without waiting for each other.

        Raises:
            ConfigError: OpenVINO is not installed.
            ModelError: it cannot run the file.
        """
        openvino = _openvino()
        settings = {
            "INFERENCE_NUM_THREADS": min(threads, os.cpu_count() or 1),
            "NUM_STREAMS": min(lanes, os.cpu_count() or 1),
            "ENABLE_CPU_PINNING": False,  # decoding and drawing use the same cores
        }
        try:
            core = openvino.Core()
            graph = core.read_model(path)
            compiled = core.compile_model(graph, "CPU", settings)
            self.number_format = str(compiled.get_property("INFERENCE_PRECISION_HINT").to_string())
            """``bf16`` or ``f32``: what it computes in on this processor."""
            self._any = _Compiled(compiled)
            side = graph.input(0).get_partial_shape()
            graph.reshape({"crops": [_ONE, *(side[axis].get_length() for axis in (1, 2, 3))]})
            self._one = _Compiled(core.compile_model(graph, "CPU", settings))
        except RuntimeError as error:  # all of OpenVINO's own errors are that
            raise ModelError(f"OpenVINO cannot run {path}: {reason_of(error)}") from None

    def run(
        self, outputs: Sequence[str], feed: dict[str, UInt8[np.ndarray, "n side side 3"]]
    ) -> list[np.ndarray]:
        """The outputs of those names for ``feed["crops"]``."""
        compiled = self._one if len(feed["crops"]) == _ONE else self._any
        return compiled.run(outputs, feed)


def _openvino() -> Any:
    """The package, imported without its telemetry."""
    hidden = _TELEMETRY not in sys.modules
    if hidden:
        sys.modules[_TELEMETRY] = None  # type: ignore[assignment]  # so that its import fails
    try:
        import openvino
    except ImportError as missing:
        raise ConfigError(
            "a model with :openvino needs OpenVINO: pip install 'mien[openvino]'"
        ) from missing
    finally:
        if hidden:
            del sys.modules[_TELEMETRY]
    return openvino


class _Compiled:
    """A compiled graph and the requests that wait for work: one serves one thread at a time."""

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled
        self._idle: queue.LifoQueue[Any] = queue.LifoQueue()

    def run(self, outputs: Sequence[str], feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        try:
            request = self._idle.get_nowait()
        except queue.Empty:
            request = self._compiled.create_infer_request()
        try:
            request.infer(feed, share_inputs=True)
            # The request's own memory is written over by its next run.
            return [np.array(request.get_tensor(name).data, np.float32) for name in outputs]
        finally:
            self._idle.put(request)
