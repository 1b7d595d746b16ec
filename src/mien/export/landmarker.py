"""A run's averaged weights to the one file the field wing reads: graph, decoding and card.

The graph takes stored crops and gives pixels: normalisation and decoding lie inside, so that no
user can get them wrong. A file is written only when onnxruntime and torch agree on it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from mien.export.onnx_graph import check_agreement, digest_of, run_graph, traced
from mien.files import write_atomically
from mien.geometry import FACE_SHARE
from mien.models import Network, build_network
from mien.models.decoding import pixels_from_shares
from mien.runtime.card import CARD_KEY, ModelCard
from mien.training.batches import normalise
from mien.training.checkpoint import Checkpoint
from mien.training.exported_weights import LEFT_OUT_KEY, left_out
from mien.version import __version__

__all__ = ["CONFIDENCE_RADIUS", "Deployed", "export_run"]

CONFIDENCE_RADIUS = 0.05
"""A confidence is the probability that its point is at most this far off, in face sizes."""

_ERROR_SHAPE = 1.75
"""Weibull shape of a point's error about its mean; 1 is an exponential law, 2 that of a Gaussian
spread in the plane. Chosen on val faces (``docs/decisions/0005-finetune.md``)."""

_OUTPUTS = ("points", "confidence", "score")
_TOLERANCE_PX = 0.02
_TOLERANCE_PROBABILITY = 1e-3


class Deployed(nn.Module):
    """The network between uint8 crops and pixels."""

    def __init__(self, landmarker: Network) -> None:
        super().__init__()
        self.landmarker = landmarker

    def forward(
        self, crops: UInt8[Tensor, "n side side 3"]
    ) -> tuple[Float[Tensor, "n points 3"], Float[Tensor, "n points"], Float[Tensor, " n"]]:
        side = self.landmarker.config.side
        prediction = self.landmarker(normalise(crops))
        points = prediction.points
        depth = points[..., 2:] - points[..., 2:].mean(dim=1, keepdim=True)
        pixels = torch.cat([pixels_from_shares(points[..., :2], side), depth * side], dim=-1)
        confidence = _confidence(prediction.log_error)
        return pixels, confidence, torch.sigmoid(prediction.score_logit)


def _confidence(log_error: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """Probability of an error up to the radius; ``log_error`` is the mean's, in shares of the side.

    Of a Weibull law: ``P(error <= r) = 1 - exp(-(gamma(1 + 1/k) r / mean)^k)``.
    """
    scaled = math.gamma(1 + 1 / _ERROR_SHAPE) * CONFIDENCE_RADIUS * FACE_SHARE
    return 1 - torch.exp(-torch.exp(_ERROR_SHAPE * (math.log(scaled) - log_error)))


def export_run(
    checkpoint: Checkpoint, out: Path, results: Mapping[str, Any] | None = None
) -> ModelCard:
    """Write a checkpoint's averaged weights as ``out`` and return the card.

    Args:
        results: measured results to put into the card, by name.

    Raises:
        ModelError: onnxruntime and torch disagree.
        OutputError: the file cannot be written.
    """
    deployed = _deploy(checkpoint)
    graph = _to_onnx(deployed)
    card = _card(checkpoint, deployed, graph, results or {})
    graph.metadata_props.add(key=CARD_KEY, value=card.to_json())
    beside = left_out(checkpoint.averaged, graph.graph)
    graph.metadata_props.add(key=LEFT_OUT_KEY, value=beside)
    contents = graph.SerializeToString()
    _check_parity(deployed, contents)
    write_atomically(out, contents)
    return card


def _deploy(checkpoint: Checkpoint) -> Deployed:
    landmarker = build_network(checkpoint.config.network)
    landmarker.load_state_dict(checkpoint.averaged)
    return Deployed(landmarker).eval()


def _to_onnx(deployed: Deployed) -> onnx.ModelProto:
    side = deployed.landmarker.config.side
    example = torch.zeros(2, side, side, 3, dtype=torch.uint8)
    return traced(
        deployed,
        example,
        input_name="crops",
        output_names=_OUTPUTS,
        dynamic_shape={0: torch.export.Dim("faces")},
    )


def _card(
    checkpoint: Checkpoint,
    deployed: Deployed,
    graph: onnx.ModelProto,
    results: Mapping[str, Any],
) -> ModelCard:
    config = checkpoint.config
    side = config.network.side
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        deployed(torch.zeros(1, side, side, 3, dtype=torch.uint8))
    return ModelCard(
        name=config.name,
        role=config.role,
        markup=config.network.points,
        convention=config.data.convention,
        side=side,
        input="crops: uint8 RGB (n, side, side, 3), aligned as mien.geometry.crop does",
        units="points: crop px, pixel centres at integers, z away from the camera with mean 0",
        confidence_radius=CONFIDENCE_RADIUS,
        parameters=sum(parameter.numel() for parameter in deployed.parameters()),
        gflops=round(counter.get_total_flops() / 1e9, 3),
        training_sources=config.card.training_sources,
        licence=config.card.licence,
        results=dict(results),
        mien_version=__version__,
        sha256=digest_of(graph),
    )


def _check_parity(deployed: Deployed, contents: bytes) -> None:
    """Compare onnxruntime with torch on noise of several sharpnesses."""
    side = deployed.landmarker.config.side
    rng = np.random.default_rng(0)
    crops = np.stack(
        [
            np.kron(
                rng.integers(0, 256, (side // block, side // block, 3), dtype=np.uint8),
                np.ones((block, block, 1), np.uint8),
            )
            for block in (1, 4, 16)
        ]
    )
    (got,) = run_graph(contents, _OUTPUTS, "crops", [crops])
    with torch.inference_mode():
        expected = [value.numpy() for value in deployed(torch.from_numpy(crops))]
    tolerances = (_TOLERANCE_PX, _TOLERANCE_PROBABILITY, _TOLERANCE_PROBABILITY)
    for name, ours, theirs, tolerance in zip(_OUTPUTS, expected, got, tolerances, strict=True):
        check_agreement(name, ours, theirs, tolerance)
