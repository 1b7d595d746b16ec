"""What a run keeps on disk: enough to go on from the very step, and the weights worth shipping."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from mien.errors import ModelError, OutputError, reason_of
from mien.training.checkpoint_file import RunCheckpoint, read_checkpoint, save_checkpoint
from mien.training.config import CardConfig, TrainConfig
from mien.training.dense_jaw import with_84_points
from mien.training.exported_weights import card_inside, exported_weights

__all__ = [
    "Checkpoint",
    "card_of_weights",
    "load_checkpoint",
    "load_weights",
    "save_checkpoint",
    "save_weights",
    "start_from",
]


Checkpoint = RunCheckpoint[TrainConfig]
"""Of a landmark network."""


def load_checkpoint(file: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        ModelError: the file is missing or is no checkpoint.
    """
    return read_checkpoint(file, TrainConfig, "checkpoint of 'mien train'")


def save_weights(checkpoint: Checkpoint, file: Path) -> None:
    """Write the averaged weights alone, small enough to keep with the code, to train on from.

    Kernels are stored in half precision, which a first step of training drowns; statistics and
    biases stay whole.
    """
    weights = {
        name: (value.half() if value.dim() > 1 else value).contiguous()
        for name, value in checkpoint.averaged.items()
    }
    try:
        save_file(weights, file, {"config": json.dumps(checkpoint.config.to_dict())})
    except (OSError, SafetensorError) as error:
        raise OutputError(f"cannot write the weights {file}: {reason_of(error)}") from error


def load_weights(file: Path) -> dict[str, Tensor]:
    """Weights to start a run from: a run's checkpoint, a file of :func:`save_weights`, or an
    exported ``.onnx``, such as those that ship with mien.

    Raises:
        ModelError: the file is missing or is none of them.
    """
    if file.suffix == ".onnx":
        return exported_weights(file)
    if file.suffix != ".safetensors":
        return load_checkpoint(file).averaged
    try:
        return {
            name: value.float() if value.dtype == torch.float16 else value
            for name, value in load_file(file).items()
        }
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{file} holds no weights to start from: {reason_of(error)}") from error


def card_of_weights(file: Path) -> CardConfig:
    """What is known of where weights to start from come from.

    Raises:
        ModelError: the file is missing or says nothing.
    """
    if file.suffix == ".onnx":
        card = card_inside(file)
        return CardConfig(card.training_sources, card.licence)
    if file.suffix != ".safetensors":
        return load_checkpoint(file).config.card
    try:
        with safe_open(file, "pt") as weights:
            stored = json.loads((weights.metadata() or {})["config"])
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise ModelError(
            f"{file} does not say what it has learned from: {reason_of(error)}"
        ) from error
    return TrainConfig.from_dict(stored).card


def start_from(model: nn.Module, weights: dict[str, Tensor]) -> list[str]:
    """Copy the weights that fit into a new model; names of those that had to start afresh.

    Widths or points may differ between stages of a campaign; shapes tell which layers do. Weights
    of 68 points are widened for a network of 84.
    """
    own = model.state_dict()
    if len(own.get("mean_depth", ())) == 84 and len(weights.get("mean_depth", ())) == 68:
        weights = with_84_points(weights)
    fitting = {
        name: value
        for name, value in weights.items()
        if name in own and own[name].shape == value.shape and not name.endswith("mean_depth")
    }
    model.load_state_dict(fitting, strict=False)
    return sorted(set(own) - set(fitting))
