"""The stacked hourglass before the paper's changes, and the preset `paper`: counted by hand.

The counts are sums over the layers as the papers draw them: a k x k convolution from a to b
channels has ``k k a b`` weights (and b biases, where no normalisation follows), a normalisation 2 a
channel.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest
import torch
from torch import nn

from mien.losses import LossWeights, total_loss
from mien.models import Landmarker, Network, NetworkConfig, build_network
from mien.models.hourglass import Hourglass
from mien.models.size import network_size
from mien.training.config import TrainConfig, load_config

CONFIGS = Path(__file__).parents[2] / "configs"
W, M, N = 256, 128, 68  # width, half of it, points


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def on_paper(config: NetworkConfig) -> Network:
    with torch.device("meta"):
        return build_network(config)


def original_residual(a: int, b: int) -> int:
    m = b // 2
    path = a * m + 2 * m + 9 * m * m + 2 * m + m * b + 2 * b
    return path + (0 if a == b else a * b + 2 * b)


def identity_residual(a: int, b: int) -> int:
    m = b // 2
    path = 2 * a + a * m + 2 * m + 9 * m * m + 2 * m + m * b + b
    return path + (0 if a == b else a * b + b)


def test_the_original_stacked_hourglass() -> None:
    config = load_config(CONFIGS / "table-1" / "hourglass.toml").network
    network = on_paper(config)
    assert isinstance(network, Landmarker)
    assert original_residual(W, W) == 214_016
    hourglass = 13 * 214_016  # four levels of skip, down and up, and one in the middle
    assert parameters(network.stages[0].hourglass) == hourglass == 2_782_208
    after = W * W + 2 * W
    heatmaps = W * N + N
    hand_on = (W * W + W) + (N * W + W)
    assert parameters(network.stages[0]) == hourglass + after + heatmaps + hand_on == 2_949_188
    assert parameters(network.stages[3]) == 2_949_188 - hand_on
    preprocessing = (9 * 3 * M + M) + original_residual(M, M)
    preprocessing += original_residual(M, W) + original_residual(W, W)
    assert parameters(network.preprocessing) == preprocessing
    assert parameters(network) - parameters(network.finetune) == (
        preprocessing + 4 * 2_949_188 - hand_on
    )


def test_the_paper_preset() -> None:
    """docs/decisions/0008-preset-paper.md names both figures."""
    config = load_config(CONFIGS / "paper.toml").network
    network = on_paper(config)
    assert isinstance(network, Landmarker)
    residual = identity_residual(W, W)
    assert residual == 214_272
    up = 2 * W + 16 * W * W + W  # normalisation and a 4x4 deconvolution
    hourglass = 13 * residual + 4 * up
    after = residual + 2 * W
    module_4 = (W + 1) + (W * N + N) + W * N + N  # global map, local maps, readings, biases
    hand_on = (W * W + W) + (N * W + W)
    assert parameters(network.stages[0]) == hourglass + after + module_4 + hand_on
    preprocessing = (9 * 3 * M + M) + identity_residual(M, M)
    preprocessing += identity_residual(M, W) + residual
    vgg = 9 * (4 * N + 3) * 64 + 2 * 64 + 9 * 64 * 64 + 2 * 64 + 9 * 64 * 128 + 2 * 128
    connected = (128 * 16 * 512 + 512) + (512 * 2 * N + 2 * N) + ((512 + N) * (N + 1) + N + 1)
    assert parameters(network.finetune) == vgg + connected
    everything = preprocessing + 4 * (hourglass + after + module_4 + hand_on) - hand_on
    assert parameters(network) == everything + vgg + connected == 31_112_837
    size = network_size(config)
    assert size.parameters == 31_112_837
    assert size.gflops == pytest.approx(41.43, abs=0.01)


def test_counted_operations_of_one_hourglass() -> None:
    """At 4x4 and one level: residuals at 4x4 (skip) and 2x2 (down, middle, up), a deconvolution."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        Hourglass(8, 1).eval()(torch.zeros(1, 8, 4, 4))
    a_residual = 8 * 4 + 9 * 4 * 4 + 4 * 8
    expected = 2 * (16 * a_residual + 3 * 4 * a_residual + 4 * 4 * 8 * 8)
    assert counter.get_total_flops() == expected


def paper(width: int) -> TrainConfig:
    config = load_config(CONFIGS / "paper.toml")
    small = {"width": width, "finetune_width": width, "finetune_hidden": width}
    if width < 256:
        return dataclasses.replace(
            config,
            network=dataclasses.replace(config.network, **small),  # type: ignore[arg-type]
        )
    return config


@pytest.mark.parametrize(
    "width",
    [
        8,
        pytest.param(
            256,
            marks=pytest.mark.skipif(
                "MIEN_SLOW" not in os.environ, reason="set MIEN_SLOW=1: minutes and 3 GB"
            ),
        ),
    ],
)
def test_a_training_step_of_the_paper_preset(width: int) -> None:
    """The four stacks at 256 px, in a narrow network; the full one where MIEN_SLOW is set."""
    config = paper(width)
    network = Landmarker(config.network)
    optimiser = torch.optim.AdamW(network.parameters(), config.schedule.learning_rate)
    before = {name: value.clone() for name, value in network.named_parameters()}
    truth = torch.rand(1, 68, 3) - 0.5
    crops = torch.randn(1, 3, 256, 256)
    prediction = network(crops)
    assert [each.shape for each in prediction.heatmap_logits] == [(1, 68, 64, 64)] * 4
    terms = total_loss(prediction, truth, torch.ones(1, 68), torch.ones(1), config.loss)
    terms.total.backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    assert torch.isfinite(terms.total)
    moved = [name for name, value in network.named_parameters() if (value != before[name]).any()]
    # Normalisation of a single 1x1 map, or what a layer that starts at 0 hides, may stand still.
    assert len(moved) > 0.9 * len(before)


@pytest.mark.skipif("MIEN_SLOW" not in os.environ, reason="set MIEN_SLOW=1: minutes and 3 GB")
def test_the_full_paper_preset_is_exported(tmp_path: Path) -> None:
    from mien.export import export_run
    from mien.training.checkpoint import Checkpoint

    config = paper(256)
    state = Landmarker(config.network).state_dict()
    card = export_run(Checkpoint(config, 0, state, state, {}, 1.0), tmp_path / "paper.onnx")
    assert card.parameters == 31_112_837


LOSSES = ("shape", "shape_size", "depth", "aperture", "error", "score")
SPOILING = ("wild", "spoil", "occlude", "backdrop", "counter_examples")


@pytest.mark.parametrize(
    "file",
    sorted(file for file in CONFIGS.rglob("*.toml") if file.stem != "finder"),
    ids=lambda file: f"{file.parent.name}/{file.stem}",
)
def test_every_configuration_makes_a_network_that_its_loss_can_train(file: Path) -> None:
    config = load_config(file)
    assert parameters(on_paper(config.network)) > 0
    assert (config.loss.heatmap_loss == "l2") == (config.network.heatmap_values == "linear")


def test_a_table_changes_one_thing_a_row() -> None:
    """Table 1 goes from the stacked hourglass to the paper's step by step; table 2 is figure 4."""

    def network(name: str) -> NetworkConfig:
        return load_config(CONFIGS / name).network

    def changed(one: NetworkConfig, other: NetworkConfig) -> set[str]:
        return {
            field.name
            for field in dataclasses.fields(one)
            if getattr(one, field.name) != getattr(other, field.name)
        }

    rows = [network(f"table-1/{name}.toml") for name in ("hourglass", "changes-123", "change-5")]
    changes_123 = {"residual", "upsampling", "deconvolution_kernel", "after_hourglass"}
    assert changed(rows[0], rows[1]) == changes_123
    assert changed(rows[1], rows[2]) == {"heatmap_values", "dropout"}
    assert changed(rows[1], network("table-1/change-4.toml")) == {"dropout"}
    modules = [network(f"table-2/module-{number}.toml") for number in (1, 2, 3, 4)]
    words = [module.heatmap_module for module in modules]
    assert words == ["convolution", "affine", "local", "global-local"]
    modules.append(network("table-2/module-2-predicted.toml"))
    assert all(changed(rows[2], each) <= {"heatmap_module"} for each in modules)
    assert {each.decoding_window for each in (*rows, *modules)} == {7}
    losses = [
        load_config(CONFIGS / f"table-1/{name}.toml").loss
        for name in ("hourglass", "changes-123", "change-5")
    ]
    kinds = [loss.heatmap_loss for loss in losses]
    assert kinds == ["l2", "l2", "cross-entropy"]
    assert {dataclasses.replace(loss, heatmap_loss="l2") for loss in losses} == {losses[0]}
    assert losses[0] != LossWeights()


def test_a_departure_is_switched_off_alone() -> None:
    """Each row of configs/departures differs from `fast`'s where its name says, and only there."""

    def values(file: Path) -> dict[str, object]:
        content = load_config(file).to_dict()
        return {
            f"{part}.{key}": value
            for part in ("network", "loss", "augment", "schedule")
            for key, value in content[part].items()
        }

    folder = CONFIGS / "departures"
    base = values(folder / "fast.toml")
    switched = {
        "no-decoding": {"network.finetune_output"},
        "no-depth": {"network.finetune_dims", "loss.depth"},
        "no-confidence": {"loss.error", "loss.score"},
        "paper-losses": {f"loss.{key}" for key in LOSSES},
        "plain-crops": {f"augment.{key}" for key in SPOILING},
    }
    for name, expected in switched.items():
        row = values(folder / f"{name}.toml")
        assert {key for key in base if row[key] != base[key]} == expected, name
    paper = values(CONFIGS / "table-4" / "finetune-end-to-end.toml")
    off = {key for key in base if paper[key] != base[key]}
    assert off == switched["no-decoding"] | switched["no-depth"] | switched["paper-losses"]
    assert {file.stem for file in folder.glob("*.toml")} == {"fast", *switched}
