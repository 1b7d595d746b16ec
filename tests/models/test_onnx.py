"""onnxruntime gives what torch gives, for every position of every switch and every baseline.

One export for all: tiny networks side by side in one graph, as an export costs seconds.
"""

from __future__ import annotations

import dataclasses
import io
import warnings
from typing import Any

import jaxtyping
import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from mien.markup import load_markup
from mien.models import Network, NetworkConfig, build_network
from mien.models.baselines.morphable import LandmarkBasis, MorphableRegression

TINY = NetworkConfig(side=64, width=4, stacks=1, depth=1, finetune_width=4, finetune_hidden=8)
TOGETHER: list[dict[str, Any]] = [
    {"stacks": 2, "finetune_shrink": 1},
    {
        "heatmap_module": "convolution",
        "residual": "original",
        "upsampling": "nearest",
        "after_hourglass": "convolution",
        "dropout": 0.2,
        "heatmap_values": "linear",
        "finetune_output": "none",
    },
    {"heatmap_module": "affine", "finetune_output": "none", "finetune_dims": 2},
    {"heatmap_module": "affine-predicted", "finetune_output": "none", "decoding_window": 5},
    {
        "heatmap_module": "local",
        "deconvolution_kernel": 4,
        "finetune_output": "absolute",
        "finetune_dims": 2,
    },
    {"heatmap_module": "squeeze", "residual": "hierarchical", "end_to_end": False},
    {"residual": "hierarchical-binary"},
    {"system": "resnet-18"},
]


class SideBySide(nn.Module):
    """Points, errors and score of every network, flat in one tensor a network."""

    def __init__(self, networks: list[Network]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, crops: Tensor) -> list[Tensor]:
        answers = []
        for network in self.networks:
            said = network(crops)
            flat = [said.points.flatten(1), said.log_error, said.score_logit.unsqueeze(1)]
            answers.append(torch.cat(flat, dim=1))
        return answers


def a_basis(modes: int = 3) -> LandmarkBasis:
    rng = np.random.default_rng(0)
    mean = load_markup(68).mean_shape
    return LandmarkBasis(mean, 0.05 * rng.standard_normal((modes, 68, 3)))


def test_onnxruntime_gives_what_torch_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    networks = [build_network(dataclasses.replace(TINY, **change)) for change in TOGETHER]
    networks.append(MorphableRegression(TINY, a_basis()))
    with torch.no_grad():
        for parameter in nn.ModuleList(networks).parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.02)
    together = SideBySide(networks).eval()
    file = io.BytesIO()
    # Traced sizes are tensors, which the checker of array types does not know for numbers.
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # The exporter by tracing takes a tenth of the time; that of `mien export` writes the
        # graph of the default network, of a hierarchical one and of ResNet-18 in its own tests.
        torch.onnx.export(
            together,
            (torch.zeros(2, 3, 64, 64),),
            file,
            input_names=["crops"],
            dynamic_axes={"crops": {0: "faces"}},
            opset_version=17,
            dynamo=False,
        )
    session = onnxruntime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    crops = torch.randn(3, 3, 64, 64)
    with torch.inference_mode():
        expected = together(crops)
    got = session.run(None, {"crops": crops.numpy()})
    assert len(got) == len(expected) == len(TOGETHER) + 1
    for number, (theirs, ours) in enumerate(zip(got, expected, strict=True)):
        # What lies at 0 to seven digits may have either sign.
        binary = number < len(TOGETHER) and "binary" in TOGETHER[number].get("residual", "")
        np.testing.assert_allclose(theirs, ours.numpy(), atol=0.05 if binary else 1e-4)
        assert float(ours.std()) > 0


def test_every_switch_is_in_the_graph() -> None:
    """A position that the configuration knows and this file forgets is named here."""
    from mien.models import config

    seen = {
        (name, value)
        for change in TOGETHER
        for name, value in dataclasses.asdict(dataclasses.replace(TINY, **change)).items()
    }
    seen.add(("system", "morphable"))  # appended by the test above: it needs a head
    known = {(name, each) for name, choices in config._CHOICES.items() for each in choices}
    assert known - seen == set()
