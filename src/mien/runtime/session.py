"""A weight file opened in onnxruntime: checked once, then crops in and points out."""

from __future__ import annotations

import functools
import os
import threading
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
    "RunCrops",
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
_MOST_CROPS = 8
"""A batch: bounds memory on pictures with crowds. A large network is quickest with one: the layers
of more leave the processor's cache."""
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


RunCrops = Callable[[UInt8[np.ndarray, "n side side 3"]], CropBatch]
"""What a network says of n crops."""


class Engine(Protocol):
    """A network that is ready to run."""

    def run(self, outputs: Sequence[str], feed: dict[str, np.ndarray]) -> Sequence[np.ndarray]:
        """The outputs of those names."""


class WeightFile:
    """An open weight file. Make one with :func:`open_weights`."""

    def __init__(
        self,
        engine: Engine,
        card: ModelCard,
        *,
        lanes: int = 1,
        least_batches: int = 2,
        lane_engine: Callable[[], Engine] | None = None,
        most_crops: int = _MOST_CROPS,
    ) -> None:
        """Take the opened network.

        Args:
            lanes: batches that are worth running at once.
            least_batches: of fewer, one after the other is quicker.
            lane_engine: opens what they run in; ``None``: in ``engine`` too.
            most_crops: of one batch.
        """
        self._engine = engine
        self.card = card
        self.lanes = lanes
        self.least_batches = least_batches
        self.most_crops = most_crops
        self._open_lane = lane_engine or (lambda: engine)
        self._lanes: tuple[Engine, ThreadPoolExecutor] | None = None
        self._opening = threading.Lock()

    def run(self, crops_rgb: UInt8[np.ndarray, "n side side 3"]) -> CropBatch:
        """Points, confidences and scores of a batch of crops, nothing else being under way."""
        return _run(self._engine, crops_rgb)

    def side_by_side(
        self,
        work: Callable[[RunCrops, _Share], _Result],
        shares: Sequence[_Share],
    ) -> Iterator[_Result]:
        """``work``, given what runs crops and a share, on each share; results in order.

        As many threads as there are lanes take them.
        """
        with self._opening:
            if self._lanes is None:
                pool = ThreadPoolExecutor(self.lanes, "mien-network")
                self._lanes = self._open_lane(), pool
            engine, pool = self._lanes
        return pool.map(functools.partial(work, functools.partial(_run, engine)), shares)


def _run(engine: Engine, crops_rgb: UInt8[np.ndarray, "n side side 3"]) -> CropBatch:
    points, confidence, score = engine.run(_OUTPUTS, {"crops": crops_rgb})
    return CropBatch(points, confidence, score)


def open_weights(path: Path, threads: int | None = None, engine: str = ENGINES[0]) -> WeightFile:
    """Open a weight file for ``threads`` threads (``None``: all cores) in one of ``ENGINES``.

    The threads of a large network share each of its layers while there are fewer crops than
    threads. Else, and in a small network, whose layers are done before they could be shared, each
    thread takes crops of its own.

    Raises:
        ModelError: there is no such file, or it is not a mien weight file.
        ConfigError: as :func:`usable_threads`, or the engine is not installed.
    """
    threads = usable_threads(threads)
    is_small = path.is_file() and path.stat().st_size < _SMALL_BYTES
    session = open_session(path, 1 if is_small else threads)
    card = card_in(session, path, ModelCard.from_json, _KIND)
    _check_signature(session, card, path)
    if engine == "openvino":
        lanes = threads if is_small else 1
        return WeightFile(OpenVinoNetwork(path, threads, lanes), card, lanes=lanes)
    if is_small:
        return WeightFile(session, card, lanes=threads)
    beside = (lambda: open_session(path, 1)) if threads > 1 else None
    return WeightFile(
        session, card, lanes=threads, least_batches=threads, lane_engine=beside, most_crops=1
    )


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
