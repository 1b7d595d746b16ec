"""A weight file opened in onnxruntime: checked once, then crops in and points out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import onnxruntime as ort
from jaxtyping import Float32, UInt8

from mien.errors import ConfigError, ModelError
from mien.runtime.card import CARD_KEY, ModelCard
from mien.runtime.openvino_engine import OpenVinoNetwork

__all__ = [
    "ENGINES",
    "CropBatch",
    "WeightFile",
    "card_in",
    "open_session",
    "open_weights",
    "read_card",
    "usable_threads",
]

ENGINES = ("onnxruntime", "openvino")
"""What a weight file can be run by; the first is part of every installation."""

_OUTPUTS = ["points", "confidence", "score"]
_ERRORS_ONLY = 3
_KIND = "mien weight file"
Card = TypeVar("Card")
_MOST_THREADS = 1024
"""More than any processor of today has; onnxruntime would try to start them."""
_SMALL_BYTES = 4_000_000
"""Of the file of a network that one thread runs as fast as two: ``nano`` has 2.3, ``fast`` 7.8."""
_Share = TypeVar("_Share")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class CropBatch:
    """What the network says of n crops, in the crops' own pixels."""

    points_crop: Float32[np.ndarray, "n points 3"]
    confidence: Float32[np.ndarray, "n points"]
    score: Float32[np.ndarray, " n"]


class Engine(Protocol):
    """A network that is ready to run."""

    def run(self, outputs: Sequence[str], feed: dict[str, np.ndarray]) -> Sequence[np.ndarray]:
        """The outputs of those names."""


class WeightFile:
    """An open weight file. Make one with :func:`open_weights`."""

    def __init__(self, engine: Engine, card: ModelCard, lanes: int = 1) -> None:
        self._engine = engine
        self.card = card
        self.lanes = lanes
        """Batches that are worth running at once."""
        self._pool: ThreadPoolExecutor | None = None

    def side_by_side(
        self, work: Callable[[_Share], _Result], shares: Sequence[_Share]
    ) -> Iterator[_Result]:
        """``work`` on each share, in as many threads as there are lanes; results in order."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.lanes, "mien-network")
        return self._pool.map(work, shares)

    def run(self, crops_rgb: UInt8[np.ndarray, "n side side 3"]) -> CropBatch:
        """Points, confidences and scores of a batch of crops."""
        points, confidence, score = self._engine.run(_OUTPUTS, {"crops": crops_rgb})
        return CropBatch(points, confidence, score)


def open_weights(path: Path, threads: int | None = None, engine: str = ENGINES[0]) -> WeightFile:
    """Open a weight file for ``threads`` threads (``None``: all cores) in one of ``ENGINES``.

    The threads of a large network share each of its layers. Those of a small one, whose layers are
    done before they could be shared, take faces of their own.

    Raises:
        ModelError: there is no such file, or it is not a mien weight file.
        ConfigError: as :func:`usable_threads`, or the engine is not installed.
    """
    threads = usable_threads(threads)
    is_small = path.is_file() and path.stat().st_size < _SMALL_BYTES
    lanes = threads if is_small else 1
    session = open_session(path, 1 if is_small else threads)
    card = card_in(session, path, ModelCard.from_json, _KIND)
    _check_signature(session, card, path)
    if engine == "openvino":
        return WeightFile(OpenVinoNetwork(path, threads, lanes), card, lanes)
    return WeightFile(session, card, lanes)


def usable_threads(threads: int | None) -> int:
    """As many as are asked for; ``None`` (or 0) asks for a thread a core.

    Raises:
        ConfigError: no processor has so many, or it is less than one.
    """
    if not threads:
        return min(os.cpu_count() or 1, _MOST_THREADS)
    if not 1 <= threads <= _MOST_THREADS:
        raise ConfigError(f"threads are 1 to {_MOST_THREADS}, not {threads}")
    return threads


def read_card(path: Path) -> ModelCard:
    """The card of a weight file.

    Raises:
        ModelError: as :func:`open_weights`.
    """
    return card_in(open_session(path, 1), path, ModelCard.from_json, _KIND)


def open_session(path: Path, threads: int) -> ort.InferenceSession:
    """Open an ONNX file on the processor.

    Raises:
        ModelError: there is no such file, or onnxruntime cannot run it.
    """
    if not path.is_file():
        raise ModelError(f"no weight file at {path}")
    ort.disable_telemetry_events()  # Windows builds would send usage; elsewhere this does nothing
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # Idle threads must not spin: decoding, drawing and encoding use the same cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own errors share no narrower base
        reason = str(error).splitlines()[0][:120]
        raise ModelError(f"{path} is not an ONNX file that can be run ({reason})") from None


def card_in(
    session: ort.InferenceSession, path: Path, read: Callable[[str], Card], kind: str
) -> Card:
    """The card in an opened file's metadata, ``kind`` being what the file should be.

    Raises:
        ModelError: there is no card in it, or ``read`` refuses it.
    """
    text = session.get_modelmeta().custom_metadata_map.get(CARD_KEY)
    if text is None:
        raise ModelError(f"{path} is not a {kind}: it has no {CARD_KEY} in its metadata")
    try:
        return read(text)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None


def _check_signature(session: ort.InferenceSession, card: ModelCard, path: Path) -> None:
    inputs = {node.name: (node.type, node.shape) for node in session.get_inputs()}
    kind, shape = inputs.get("crops", ("nothing", []))
    fits = (
        list(inputs) == ["crops"]
        and kind == "tensor(uint8)"
        and shape[1:] == [card.side, card.side, 3]
        and not isinstance(shape[0], int)
    )
    if not fits:
        raise ModelError(
            f"{path}: expected one input crops, uint8 (n, {card.side}, {card.side}, 3), "
            f"but the file takes {inputs}"
        )
    missing = set(_OUTPUTS) - {node.name for node in session.get_outputs()}
    if missing:
        raise ModelError(f"{path}: the file does not give {', '.join(sorted(missing))}")
