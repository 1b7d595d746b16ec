"""A finder's run to a weight file: normalisations folded into convolutions, pictures as stored."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from mien.export.onnx_graph import check_agreement, digest_of, run_graph, traced
from mien.files import write_atomically
from mien.models.finder import STRIDES, FinderNetwork, finder_size
from mien.runtime.card import CARD_KEY
from mien.runtime.finder_card import FinderCard
from mien.training.finder.loop import FinderCheckpoint
from mien.version import __version__

__all__ = ["FinderOnPictures", "export_finder"]

_OUTPUTS = [f"maps_{stride}" for stride in STRIDES]
_TOLERANCE = 2e-3
_SHAPES = ((1, 64, 96), (2, 160, 128))
"""Pictures, height and width that torch and ONNX are compared on; neither is the traced shape."""


class FinderOnPictures(nn.Module):
    """The network between uint8 pictures and maps whose first channel is a probability.

    Normalisations and the division by 255 lie in the convolutions' weights.
    """

    def __init__(self, network: FinderNetwork) -> None:
        super().__init__()
        self.network = _folded(copy.deepcopy(network).eval())
        first = next(m for m in self.network.modules() if isinstance(m, nn.Conv2d))
        with torch.no_grad():
            first.weight /= 255

    def forward(
        self, pictures: UInt8[Tensor, "n height width 3"]
    ) -> tuple[Float[Tensor, "n 14 _ _"], ...]:
        maps = self.network.maps(pictures.permute(0, 3, 1, 2).float())
        return tuple(torch.cat([torch.sigmoid(one[:, :1]), one[:, 1:]], dim=1) for one in maps)


def export_finder(
    checkpoint: FinderCheckpoint,
    out: Path,
    *,
    score: float = 0.5,
    results: Mapping[str, Any] | None = None,
) -> FinderCard:
    """Write a checkpoint's averaged weights as ``out`` and return the card.

    Args:
        score: what a find has to score, for the card.
        results: measured results to put into the card, by name.

    Raises:
        ModelError: onnxruntime and torch disagree, or ``score`` is no probability.
        OutputError: the file cannot be written.
    """
    network = FinderNetwork(checkpoint.config.network)
    network.load_state_dict(checkpoint.averaged)
    deployed = FinderOnPictures(network).eval()
    graph = _to_onnx(deployed)
    card = _card(checkpoint, graph, score, results or {})
    graph.metadata_props.add(key=CARD_KEY, value=card.to_json())
    contents = graph.SerializeToString()
    _check_parity(network.eval(), contents)
    write_atomically(out, contents)
    return card


def _folded(module: FinderNetwork) -> FinderNetwork:
    for part in module.modules():
        if not isinstance(part, nn.Sequential) or len(part) < 2:
            continue
        if isinstance(part[0], nn.Conv2d) and isinstance(part[1], nn.BatchNorm2d):
            part[0] = fuse_conv_bn_eval(part[0], part[1])
            part[1] = nn.Identity()
    return module


def _to_onnx(deployed: FinderOnPictures) -> onnx.ModelProto:
    example = torch.zeros(2, 96, 128, 3, dtype=torch.uint8)
    rows, cols = torch.export.Dim("rows", min=1), torch.export.Dim("cols", min=1)
    return traced(
        deployed,
        example,
        input_name="pictures",
        output_names=_OUTPUTS,
        dynamic_shape={0: torch.export.Dim("pictures"), 1: 32 * rows, 2: 32 * cols},
    )


def _card(
    checkpoint: FinderCheckpoint, graph: onnx.ModelProto, score: float, results: Mapping[str, Any]
) -> FinderCard:
    config = checkpoint.config
    size = finder_size(config.network)
    return FinderCard(
        name=config.name,
        score=score,
        parameters=size.parameters,
        gflops=round(size.gflops, 3),
        training_sources=config.card.training_sources,
        licence=config.card.licence,
        results=dict(results),
        mien_version=__version__,
        sha256=digest_of(graph),
        strides=STRIDES,
    )


def _check_parity(network: FinderNetwork, contents: bytes) -> None:
    """Compare onnxruntime with the network as it was trained, on noise of two sizes."""
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in _SHAPES]
    for pictures, got in zip(noise, run_graph(contents, _OUTPUTS, "pictures", noise), strict=True):
        with torch.inference_mode():
            expected = [one.numpy() for one in network(torch.from_numpy(pictures))]
        for name, ours, theirs in zip(_OUTPUTS, expected, got, strict=True):
            ours[:, 0] = 1 / (1 + np.exp(-ours[:, 0]))
            check_agreement(name, ours, theirs, _TOLERANCE)
