"""Every switch of the configuration: shapes, gradients, one batch by heart; figure 4 by name."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

import pytest
import torch
from torch import nn

from mien.errors import ConfigError
from mien.geometry import FACE_SHARE
from mien.losses import LossWeights, total_loss
from mien.losses.heatmap import gaussian_heatmaps, heatmap_loss
from mien.markup import load_markup
from mien.models import Landmarker, NetworkConfig, attention
from mien.models.decoding import decode_heatmaps
from mien.models.landmarker import heatmap_module

TINY = NetworkConfig(side=32, width=16, stacks=1, depth=1, finetune_width=8, finetune_hidden=32)
ORIGINAL = {
    "residual": "original",
    "upsampling": "nearest",
    "after_hourglass": "convolution",
    "heatmap_module": "convolution",
    "heatmap_values": "linear",
}
VARIANTS: list[dict[str, Any]] = [
    {},
    {"heatmap_module": "convolution"},
    {"heatmap_module": "affine"},
    {"heatmap_module": "local"},
    {"heatmap_module": "squeeze"},
    {"residual": "original"},
    {"upsampling": "nearest"},
    {"deconvolution_kernel": 4},
    {"after_hourglass": "convolution"},
    {"dropout": 0.2},
    {"heatmap_values": "linear"},
    ORIGINAL,
    {"finetune_output": "absolute"},
    {"finetune_output": "none"},
    {"finetune_dims": 2},
    {"finetune_output": "none", "finetune_dims": 2},
    {"end_to_end": False},
    {"finetune_output": "absolute", "finetune_dims": 2, "deconvolution_kernel": 4, "stacks": 2},
]
ids = [" ".join(str(value) for value in variant.values()) or "fast" for variant in VARIANTS]
STEPS = 70
every_variant = pytest.mark.parametrize("variant", VARIANTS, ids=ids)


def losses_of(variant: dict[str, Any]) -> LossWeights:
    kind = "l2" if variant.get("heatmap_values") == "linear" else "cross-entropy"
    return LossWeights(heatmap_loss=kind)


def a_batch(count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Noise with a shape each: crops, truth, weights, is_face."""
    rng = torch.Generator().manual_seed(0)
    mean = torch.tensor(load_markup(68).mean_shape * FACE_SHARE, dtype=torch.float32)
    truth = mean + 0.05 * torch.randn(count, 1, 3, generator=rng)
    crops = torch.randn(count, 3, 32, 32, generator=rng)
    return crops, truth, torch.ones(count, 68), torch.ones(count)


@every_variant
def test_a_variant_predicts_and_each_of_its_parameters_learns(variant: dict[str, Any]) -> None:
    """After one step: layers that start at 0 let nothing through before it."""
    network = Landmarker(dataclasses.replace(TINY, **variant))
    crops, truth, weights, is_face = a_batch(3)
    optimiser = torch.optim.SGD(network.parameters(), 1e-3)
    for _ in range(2):
        optimiser.zero_grad()
        prediction = network(crops)
        terms = total_loss(prediction, truth, weights, is_face, losses_of(variant))
        terms.total.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    assert prediction.points.shape == (3, 68, 3)
    assert {each.shape for each in prediction.heatmap_logits} == {(3, 68, 8, 8)}
    for value in (prediction.points, prediction.log_error, prediction.score_logit):
        assert torch.isfinite(value).all()
    still = [
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    ]
    assert still == []


@every_variant
def test_a_variant_learns_a_face_by_heart(variant: dict[str, Any]) -> None:
    """The shape's loss falls a hundredfold. A heatmap's cross entropy cannot fall below the entropy
    of its soft target: what is above that falls to a fifth, while heatmaps are 8 px wide."""
    torch.manual_seed(1)
    network = Landmarker(dataclasses.replace(TINY, **variant))
    losses = losses_of(variant)
    crops, truth, weights, is_face = a_batch(1)
    target = torch.logit(gaussian_heatmaps(truth[..., :2], 8), 1e-6)
    floor = float(heatmap_loss(target, torch.sigmoid(target), weights))
    floor = 0.0 if losses.heatmap_loss == "l2" else floor
    optimiser = torch.optim.Adam(network.parameters(), fused=True)
    first = None
    for step in range(STEPS):
        optimiser.param_groups[0]["lr"] = 0.02 * (1 - step / STEPS)
        optimiser.zero_grad()
        last = total_loss(network(crops), truth, weights, is_face, losses)
        last.total.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        first = first or last
    assert first is not None
    shape = float(first.shape.detach() / last.shape.detach())
    heatmap = float((first.heatmap.detach() - floor) / (last.heatmap.detach() - floor))
    # Dropout keeps its noise; points that follow heatmaps of 8 px, or cannot lead them, are coarse.
    coarse = {"dropout", "end_to_end"} & set(variant) or variant.get("finetune_output") == "none"
    assert shape > (5 if coarse else 100)
    assert heatmap > (2 if "dropout" in variant else 5)


def test_figure_4_is_read_by_its_names() -> None:
    """Each module says its number first, is short, and is what the configuration's word gives."""
    modules = {
        "convolution": ("ConvolutionHeatmaps", "Module 1:"),
        "affine": ("AffineHeatmaps", "Module 2:"),
        "local": ("LocalAttention", "Module 3:"),
        "global-local": ("GlobalLocalAttention", "Module 4:"),
        "squeeze": ("SqueezeAttention", "What the paper compares with:"),
    }
    for word, (name, first_words) in modules.items():
        module = getattr(attention, name)
        assert (module.__doc__ or "").startswith(first_words)
        assert len(inspect.getsource(module).splitlines()) < 60
        config = dataclasses.replace(TINY, heatmap_module=word)
        assert type(heatmap_module(config)) is module


def test_each_change_of_section_3_1_is_a_switch_of_its_own() -> None:
    def kinds(**change: Any) -> dict[str, int]:
        network = Landmarker(dataclasses.replace(TINY, heatmap_module="convolution", **change))
        network.finetune = nn.Identity()  # type: ignore[assignment]
        names = [type(module).__name__ for module in network.modules()]
        counted = ("Residual", "OriginalResidual", "BlockDeconvolution", "Upsample", "Dropout")
        return {name: names.count(name) for name in counted if name in names}

    assert kinds() == {"Residual": 8, "BlockDeconvolution": 1}  # 3, 4 in the hourglass, 1 after
    assert kinds(after_hourglass="convolution") == {"Residual": 7, "BlockDeconvolution": 1}
    assert kinds(upsampling="nearest") == {"Residual": 8, "Upsample": 1}
    assert kinds(residual="original") == {"OriginalResidual": 8, "BlockDeconvolution": 1}
    assert kinds(dropout=0.2) == {"Residual": 8, "BlockDeconvolution": 1, "Dropout": 1}


def test_trained_alone_the_finetune_module_leaves_the_heatmaps_be() -> None:
    crops, truth, weights, is_face = a_batch(2)
    for end_to_end in (True, False):
        network = Landmarker(dataclasses.replace(TINY, end_to_end=end_to_end))
        losses = LossWeights(heatmap=0.0)
        total_loss(network(crops), truth, weights, is_face, losses).total.backward()  # type: ignore[no-untyped-call]
        reached = [
            name
            for name, parameter in network.named_parameters()
            if parameter.grad is not None and parameter.grad.any()
        ]
        assert any(name.startswith("stages") for name in reached) == end_to_end
        assert any(name.startswith("finetune") for name in reached)


def test_absolute_points_start_at_the_mean_head_and_do_not_follow_the_heatmaps() -> None:
    absolute = {"finetune_output": "absolute", "finetune_dims": 2}
    network = Landmarker(dataclasses.replace(TINY, **absolute)).eval()  # type: ignore[arg-type]
    mean = torch.tensor(load_markup(68).mean_shape * FACE_SHARE, dtype=torch.float32)
    points = network(torch.randn(2, 3, 32, 32)).points
    torch.testing.assert_close(points, mean.expand(2, 68, 3))
    decoded = Landmarker(dataclasses.replace(TINY, finetune_output="none")).eval()
    prediction = decoded(torch.randn(1, 3, 32, 32))
    torch.testing.assert_close(
        prediction.points[..., :2], decode_heatmaps(prediction.heatmaps()[-1])
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"heatmap_module": "global"}, "heatmap_module is one of global-local, local"),
        ({"deconvolution_kernel": 3}, "deconvolution_kernel is one of 2, 4, not 3"),
        ({"dropout": 1.0}, "dropout is a share from 0 up to below 1"),
    ],
)
def test_a_switch_without_that_position_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        NetworkConfig(**change)
