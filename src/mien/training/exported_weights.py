"""The weights of a network, read back from the file that was exported of it, to train on from.

The exporter folds a normalisation into the convolution before it: ``gamma / sqrt(var + eps)``
multiplies the kernel, channel by channel, and what is left becomes its bias. The graph then says
the same, but cannot be trained further as the network was: normalisation by a batch's own
statistics is gone. What the graph leaves out is a few numbers a channel, so the file carries them
beside it, as text among its metadata: the factor of every kernel that was multiplied, and the
tensors that the graph has nowhere.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import safetensors.torch
import torch
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from jaxtyping import Float
from onnx import numpy_helper
from safetensors import SafetensorError
from torch import Tensor

from mien.errors import ModelError, reason_of
from mien.runtime.card import CARD_KEY, ModelCard

__all__ = ["LEFT_OUT_KEY", "card_inside", "carries_left_out", "exported_weights", "left_out"]

LEFT_OUT_KEY = "mien_left_out_of_the_graph"
"""Name of what the graph leaves out among the ONNX file's metadata properties."""

_PREFIX = "landmarker."
"""Of the network's weights in the graph: ``mien.export`` puts the network into a wrapper."""
_FACTOR = "factor of "
_CLOSE = 1e-5
"""Largest difference of a kernel that was divided by its factor, as a share of its channel's
largest weight; one that differs by more is kept whole."""


def left_out(weights: Mapping[str, Tensor], graph: onnx.GraphProto) -> str:
    """What must be known beside the graph to have ``weights`` back, as text."""
    there = _initializers(graph)
    kept: dict[str, Tensor] = {}
    for name, weight in weights.items():
        given = there.get(name)
        if given is None or given.shape != weight.shape:
            kept[name] = weight
        elif not torch.equal(given, weight):
            factor = _factor(weight, given)
            if factor is None:
                kept[name] = weight
            else:
                kept[_FACTOR + name] = factor
    stored = safetensors.torch.save({name: value.contiguous() for name, value in kept.items()})
    return base64.b64encode(zlib.compress(stored, 9)).decode("ascii")


def exported_weights(file: Path) -> dict[str, Tensor]:
    """The weights that a file of ``mien export`` was made from, to the last bit or the last but
    one.

    Raises:
        ModelError: the file is missing, is no ONNX file, or has nothing beside its graph.
    """
    model = _load(file)
    try:
        text = _property(model, LEFT_OUT_KEY)
        kept = safetensors.torch.load(zlib.decompress(base64.b64decode(text, validate=True)))
    except KeyError:
        raise ModelError(
            f"{file} cannot be trained on from: its normalisation is folded into its kernels, and "
            "nothing beside the graph says how. Export the run again with this version of mien"
        ) from None
    except (binascii.Error, zlib.error, SafetensorError) as error:
        raise ModelError(f"{file} is damaged beside its graph: {error}") from error
    there = _initializers(model.graph)
    weights = {name: value for name, value in kept.items() if not name.startswith(_FACTOR)}
    for name, given in there.items():
        factor = kept.get(_FACTOR + name)
        weights.setdefault(name, given if factor is None else given / _by_channel(factor, given))
    return weights


def carries_left_out(file: Path) -> bool:
    """Whether the file has what its graph leaves out beside it; older files have not.

    Raises:
        ModelError: the file is missing or is no ONNX file.
    """
    return LEFT_OUT_KEY in {each.key for each in _load(file).metadata_props}


def card_inside(file: Path) -> ModelCard:
    """The card of such a file.

    Raises:
        ModelError: as :func:`exported_weights`, or the card is not one.
    """
    try:
        return ModelCard.from_json(_property(_load(file), CARD_KEY))
    except (KeyError, json.JSONDecodeError) as error:
        raise ModelError(f"{file} has no card, so it is no weight file of mien") from error


def _factor(weight: Tensor, given: Tensor) -> Float[Tensor, " channels"] | None:
    """What ``given`` is of ``weight`` channel by channel; ``None`` where it is no multiple."""
    if weight.dim() < 2:
        return None
    rows, found = weight.flatten(1).double(), given.flatten(1).double()
    length = rows.square().sum(1)
    factor = (rows * found).sum(1) / length.clamp_min(torch.finfo(torch.float64).tiny)
    factor = torch.where(factor == 0, 1.0, factor).float()
    back = given / _by_channel(factor, given)
    off = (back - weight).flatten(1).abs().amax(1)
    return factor if bool((off <= _CLOSE * rows.abs().amax(1)).all()) else None


def _by_channel(factor: Float[Tensor, " channels"], like: Tensor) -> Tensor:
    return factor.reshape(-1, *[1] * (like.dim() - 1))


def _initializers(graph: onnx.GraphProto) -> dict[str, Tensor]:
    """Tensors of the graph by the names that the network has for them."""
    return {
        each.name.removeprefix(_PREFIX): torch.from_numpy(np.array(numpy_helper.to_array(each)))
        for each in graph.initializer
        if each.name.startswith(_PREFIX)
    }


def _load(file: Path) -> onnx.ModelProto:
    try:
        return onnx.load(file)
    except (OSError, DecodeError) as error:
        raise ModelError(f"{file} holds no weights to start from: {reason_of(error)}") from error


def _property(model: onnx.ModelProto, key: str) -> str:
    return str({each.key: each.value for each in model.metadata_props}[key])
