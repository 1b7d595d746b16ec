"""Every switch of the configuration: shapes, gradients, one batch by heart; figure 4 by name."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

import jaxtyping
import pytest
import torch
from torch import nn

from mien.errors import ConfigError
from mien.geometry import FACE_SHARE
from mien.losses import LossTerms, LossWeights, total_loss
from mien.losses.heatmap import gaussian_heatmaps, heatmap_loss
from mien.losses.shape import shape_loss
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
    {"finetune_shrink": 1},
    {"finetune_output": "none", "finetune_dims": 2},
    {"end_to_end": False},
    {"finetune_output": "absolute", "finetune_dims": 2, "deconvolution_kernel": 4, "stacks": 2},
]
ids = [" ".join(str(value) for value in variant.values()) or "fast" for variant in VARIANTS]
every_variant = pytest.mark.parametrize("variant", VARIANTS, ids=ids)


def losses_of(variant: dict[str, Any]) -> LossWeights:
    kind = "l2" if variant.get("heatmap_values") == "linear" else "cross-entropy"
    return LossWeights(heatmap_loss=kind)


def a_batch(
    count: int, side: int = 32
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Noise with a shape each: crops, truth, weights, is_face."""
    rng = torch.Generator().manual_seed(0)
    mean = torch.tensor(load_markup(68).mean_shape * FACE_SHARE, dtype=torch.float32)
    truth = mean + 0.05 * torch.randn(count, 1, 3, generator=rng)
    crops = torch.randn(count, 3, side, side, generator=rng)
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


def roomy(variant: dict[str, Any]) -> NetworkConfig:
    """The smallest network that can; of 16 channels dropout leaves too few to average over."""
    width = 96 if "dropout" in variant else TINY.width
    return dataclasses.replace(TINY, **{**variant, "width": width})


def learn_by_heart(
    config: NetworkConfig, losses: LossWeights, steps: int
) -> tuple[LossTerms, LossTerms]:
    """The losses of one face before and after so many steps on it, dropout at rest at both ends.

    Dropout is noise on purpose: in training mode its loss measures the noise, not what was learned.
    Normalisation stays in training mode, as its running means trail behind so short a training.
    """
    torch.manual_seed(1)
    network = Landmarker(config)
    crops, truth, weights, is_face = a_batch(1, config.side)
    optimiser = torch.optim.Adam(network.parameters(), fused=True)
    dropouts = [module for module in network.modules() if isinstance(module, nn.Dropout)]

    def measured() -> LossTerms:
        for module in dropouts:
            module.eval()
        with torch.no_grad():
            terms = total_loss(network(crops), truth, weights, is_face, losses)
        for module in dropouts:
            module.train()
        return terms

    first = measured()
    # Whoever calls has seen the shapes; from here on the same calls come again, faster unchecked.
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = 0.02 * (1 - step / steps)
        optimiser.zero_grad()
        total_loss(network(crops), truth, weights, is_face, losses).total.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    monkeypatch.undo()
    return first, measured()


def fall(first: torch.Tensor, last: torch.Tensor, floor: float = 0.0) -> float:
    """How many times smaller a loss has become, above what it cannot fall below."""
    return (float(first) - floor) / max(float(last) - floor, 1e-9)


def heatmaps_differ(variant: dict[str, Any]) -> bool:
    """Whether anything before the finetune module is another than in `fast`."""
    return not variant or not all(
        name.startswith("finetune") or name == "end_to_end" for name in variant
    )


@pytest.mark.parametrize(
    "variant",
    [variant for variant in VARIANTS if heatmaps_differ(variant)],
    ids=[name for name, variant in zip(ids, VARIANTS, strict=True) if heatmaps_differ(variant)],
)
def test_a_variant_learns_the_heatmaps_of_a_face_by_heart(variant: dict[str, Any]) -> None:
    """A hundredfold, above the floor.

    A cross entropy against soft targets cannot fall below their own entropy: what lies above it is
    counted. And the heatmaps learn alone: the shape's loss, ten times as heavy, pulls heatmaps of
    8 px away from their targets on purpose, as the next test says.
    """
    kind = losses_of(variant).heatmap_loss
    alone = LossWeights(shape=0.0, depth=0.0, error=0.0, score=0.0, heatmap_loss=kind)
    _, truth, weights, _ = a_batch(1)
    target = torch.logit(gaussian_heatmaps(truth[..., :2], 8), 1e-6)
    entropy = float(heatmap_loss(target, torch.sigmoid(target), weights))
    other_module = variant.get("heatmap_module", "local") != "local" and len(variant) == 1
    quick = other_module or "dropout" in variant
    first, last = learn_by_heart(roomy(variant), alone, steps=200 if quick else 400)
    assert fall(first.heatmap, last.heatmap, entropy if kind == "cross-entropy" else 0.0) > 100


def test_a_perfect_heatmap_of_8_px_decodes_badly() -> None:
    """Its Gaussian is thinner than a pixel. So far off are points that heatmaps alone give."""
    _, truth, weights, _ = a_batch(1)
    plane = truth[..., :2]
    errors = {
        side: float(shape_loss(decode_heatmaps(gaussian_heatmaps(plane, side)), plane, weights))
        for side in (8, 32)
    }
    assert errors[8] > 0.05  # an untrained network is off by 0.37
    assert errors[32] < 0.001


@every_variant
def test_a_variant_learns_the_shape_of_a_face_by_heart(variant: dict[str, Any]) -> None:
    """A hundredfold, all losses together.

    Points that are those of the heatmaps need heatmaps that decode: 32 px, as the test above says.
    """
    config, steps = roomy(variant), 250 if "dropout" in variant else 120
    if config.finetune_output == "none":
        config = dataclasses.replace(config, side=128)
    first, last = learn_by_heart(config, losses_of(variant), steps)
    assert fall(first.shape, last.shape) > 100


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
        assert len(inspect.getsource(module).splitlines()) < 80
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
