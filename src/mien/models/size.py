"""How large a network is, without building its weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mien.models.build import build_network
from mien.models.config import NetworkConfig

__all__ = ["NetworkSize", "PartSize", "network_size"]


@dataclass(frozen=True)
class PartSize:
    """One part of a network."""

    name: str
    parameters: int
    gflops: float
    """For one crop, two for a multiply-add; convolutions and matrix products are counted."""


@dataclass(frozen=True)
class NetworkSize:
    """A network and its parts, in the order in which a crop goes through them."""

    parts: tuple[PartSize, ...]

    @property
    def parameters(self) -> int:
        return sum(part.parameters for part in self.parts)

    @property
    def gflops(self) -> float:
        return sum(part.gflops for part in self.parts)


def network_size(config: NetworkConfig) -> NetworkSize:
    """Count parameters and operations on tensors that have a shape and no memory."""
    with torch.device("meta"):
        network = build_network(config).eval()
        crops = torch.zeros(1, 3, config.side, config.side)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(crops)
    flops = {name: sum(counts.values()) for name, counts in counter.get_flop_counts().items()}
    own = type(network).__name__
    return NetworkSize(
        tuple(
            PartSize(
                name,
                sum(parameter.numel() for parameter in part.parameters()),
                flops.get(f"{own}.{name}", 0) / 1e9,
            )
            for name, part in _parts(network)
        )
    )


def _parts(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for name, child in network.named_children():
        if isinstance(child, nn.ModuleList):
            yield from ((f"{name}.{number}", each) for number, each in enumerate(child))
        else:
            yield name, child
