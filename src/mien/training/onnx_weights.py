"""The weights of an exported file that carries nothing beside its graph, to train on from.

Files exported since carry what the graph leaves out (``exported_weights``). An exported graph has
each batch normalisation that follows a convolution folded into it. What the network computes is the
same, but training needs the layers apart: normalised by what a batch shows, then scaled. So the
weights are read back with plain normalisations first, and then some batches are looked at to give
each its scale and shift without changing what the network says.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

import onnx
import torch
from jaxtyping import Float
from onnx import numpy_helper
from torch import Tensor, nn

from mien.errors import ModelError, reason_of

__all__ = ["load_folded", "separate_folded"]

_PREFIX = "landmarker."


def load_folded(model: nn.Module, file: Path) -> list[str]:
    """Copy a file's weights into ``model``; names of the normalisations that were folded there.

    Raises:
        ModelError: the file is no such graph, or of another network.
    """
    try:
        graph = onnx.load(str(file)).graph
    except Exception as error:  # onnx raises protobuf's errors, which have no public name
        raise ModelError(f"{file} holds no network to start from: {reason_of(error)}") from error
    found = {
        item.name.removeprefix(_PREFIX): torch.from_numpy(numpy_helper.to_array(item).copy())
        for item in graph.initializer
        if item.name.startswith(_PREFIX)
    }
    weights, folded = dict[str, Tensor](), list[str]()
    for convolution, norm, layer in _pairs(model):
        bias = found.pop(f"{convolution}.weight_bias", None)
        if f"{norm}.weight" in found or bias is None:
            continue
        folded.append(norm)
        weights[f"{norm}.weight"] = torch.ones_like(bias)
        weights[f"{norm}.bias"] = bias
        weights[f"{norm}.running_mean"] = torch.zeros_like(bias)
        weights[f"{norm}.running_var"] = torch.ones_like(bias) - layer.eps
    weights |= found
    own = model.state_dict()
    derived = ("num_batches_tracked", "mean_depth")  # of the network itself, not learned
    for name, value in own.items():
        if name not in weights and not name.endswith(derived):
            raise ModelError(f"{file} is of another network than the configuration's: no {name}")
        if name in weights and weights[name].shape != value.shape:
            raise ModelError(
                f"{file} is of another network than the configuration's: {name} is "
                f"{tuple(weights[name].shape)}, not {tuple(value.shape)}"
            )
    model.load_state_dict({n: v for n, v in weights.items() if n in own}, strict=False)
    return folded


@torch.no_grad()
def separate_folded(
    model: nn.Module, folded: Iterable[str], crops: Iterable[Float[Tensor, "n 3 side side"]]
) -> None:
    """Give folded normalisations the statistics that batches show; outputs stay what they were."""
    layers = [model.get_submodule(name) for name in folded]
    seen = [_Watch() for _ in layers]
    hooks = [
        layer.register_forward_pre_hook(watch) for layer, watch in zip(layers, seen, strict=True)
    ]
    model.eval()
    for batch in crops:
        model(batch)
    for hook in hooks:
        hook.remove()
    for layer, watch in zip(layers, seen, strict=True):
        assert isinstance(layer, nn.BatchNorm2d)
        mean = watch.total / watch.count
        variance = (watch.square / watch.count - mean**2).clamp(min=1e-8)
        assert layer.running_mean is not None
        assert layer.running_var is not None
        layer.running_mean.copy_(mean)
        layer.running_var.copy_(variance)
        layer.weight.copy_((variance + layer.eps).sqrt())
        layer.bias.add_(mean)
    model.train()


class _Watch:
    """What a layer is given: number, sum and sum of squares a channel."""

    def __init__(self) -> None:
        self.count = 0
        self.total = self.square = torch.zeros(())

    def __call__(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        values = inputs[0].double()
        self.count += values[:, 0].numel()
        self.total = self.total + values.sum((0, 2, 3))
        self.square = self.square + (values**2).sum((0, 2, 3))


def _pairs(model: nn.Module) -> Iterator[tuple[str, str, nn.BatchNorm2d]]:
    """Names of each convolution and of the normalisation that follows it, and the latter."""
    for name, module in model.named_modules():
        if isinstance(module, nn.Sequential):
            children = [(f"{name}.{own}", child) for own, child in module.named_children()]
            for (first, before), (second, after) in itertools.pairwise(children):
                convolves = isinstance(before, nn.Conv2d | nn.ConvTranspose2d)
                if convolves and isinstance(after, nn.BatchNorm2d):
                    yield first, second, after
