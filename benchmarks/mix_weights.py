"""One network between two: weights of one architecture, mixed number by number.

    python benchmarks/mix_weights.py new.onnx old.onnx --share 0.7 --out fast-tracking.onnx

Each weight is 0.7 of the first file's and 0.3 of the second's, normalisations folded in as both
files have them. The card is the first one's, but for its digest, its sources (both files'), and its
results, which are nobody's yet. This is how model 2 of `fast` was made: a third of each of its last
two legs and of what shipped before (docs/training-diary.md).

The mix carries nothing beside its graph: training goes on from it as from any file without
(`mien.training.onnx_weights`). What was fitted to either file does not fit the mix: tests say what.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from mien.errors import ModelError
from mien.export import digest_of
from mien.files import write_atomically
from mien.runtime.card import CARD_KEY, ModelCard
from mien.runtime.session import read_card
from mien.version import __version__

__all__ = ["mixed_card", "mixed_graph"]


def mixed_graph(first: onnx.ModelProto, second: onnx.ModelProto, share: float) -> onnx.ModelProto:
    """``share`` of the first's weights and the rest of the second's, without metadata.

    Raises:
        ModelError: the graphs are not of one architecture, or ``share`` lies outside 0..1.
    """
    if not 0 <= share <= 1:
        raise ModelError(f"a share lies between 0 and 1, not {share}")
    if _shape_of(first) != _shape_of(second):
        raise ModelError("the two files are not of one architecture: their graphs differ")
    made = onnx.ModelProto()
    made.CopyFrom(first)
    made.ClearField("metadata_props")
    others = {one.name: one for one in second.graph.initializer}
    for weight in made.graph.initializer:
        ours, theirs = map(numpy_helper.to_array, (weight, others[weight.name]))
        if np.array_equal(ours, theirs):
            continue
        if ours.dtype != np.float32:
            raise ModelError(f"the two files are not of one architecture: {weight.name} differs")
        between = share * ours.astype(np.float64) + (1 - share) * theirs.astype(np.float64)
        weight.CopyFrom(numpy_helper.from_array(between.astype(np.float32), weight.name))
    return made


def mixed_card(first: ModelCard, second: ModelCard, digest: str) -> ModelCard:
    """What the mix says of itself.

    Raises:
        ModelError: the two cards are of networks that are used in different ways.
    """
    for name in ("role", "markup", "convention", "side", "input", "units", "confidence_radius"):
        if getattr(first, name) != getattr(second, name):
            raise ModelError(
                f"the cards differ in {name}: {getattr(first, name)!r}, {getattr(second, name)!r}"
            )
    licences = dict.fromkeys((first.licence, second.licence))
    return dataclasses.replace(
        first,
        training_sources=tuple(dict.fromkeys(first.training_sources + second.training_sources)),
        licence="; ".join(licences),
        results={},
        mien_version=__version__,
        sha256=digest,
    )


def _shape_of(model: onnx.ModelProto) -> list[object]:
    """All of a graph but its weights' numbers and what the exporter noted down."""
    graph = model.graph
    return [
        [(one.name, tuple(one.dims), one.data_type) for one in graph.initializer],
        [(one.op_type, tuple(one.input), tuple(one.output), one.attribute) for one in graph.node],
        [[one.name for one in values] for values in (graph.input, graph.output)],
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("--share", type=float, required=True, help="of the first, 0 to 1")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    try:
        cards = [read_card(file) for file in (asked.first, asked.second)]
        made = mixed_graph(onnx.load(asked.first), onnx.load(asked.second), asked.share)
        card = mixed_card(*cards, digest_of(made))
    except ModelError as error:
        parser.error(str(error))
    made.metadata_props.add(key=CARD_KEY, value=card.to_json())
    write_atomically(asked.out, made.SerializeToString())
    print(json.dumps({"name": asked.out.name, "sha256": card.sha256}), file=sys.stdout)


if __name__ == "__main__":
    main()
