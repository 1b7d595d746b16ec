"""How large a network is, without building its weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mien.models.config import NetworkConfig
from mien.models.landmarker import Landmarker

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
    """A network and its parts, in the order of figure 2."""

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
        network = Landmarker(config).eval()
        crops = torch.zeros(1, 3, config.side, config.side)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(crops)
    flops = {name: sum(counts.values()) for name, counts in counter.get_flop_counts().items()}

    def part(name: str, module: nn.Module) -> PartSize:
        parameters = sum(parameter.numel() for parameter in module.parameters())
        return PartSize(name, parameters, flops.get(f"Landmarker.{name}", 0) / 1e9)

    stages = [part(f"stages.{number}", stage) for number, stage in enumerate(network.stages)]
    preprocessing = part("preprocessing", network.preprocessing)
    return NetworkSize((preprocessing, *stages, part("finetune", network.finetune)))
