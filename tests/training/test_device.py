"""Where a run computes: the choice, with cards that are not here, and every path but theirs."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

import pytest
import torch

from mien.errors import ConfigError
from mien.models import build_network
from mien.training.batches import Batch, batches_from, training_sets
from mien.training.checkpoint import load_checkpoint
from mien.training.config import ComputeConfig, TrainConfig
from mien.training.device import Device, choose_device
from mien.training.landmark_losses import LandmarkLosses
from mien.training.learning import Learner
from mien.training.loop import train
from tinypack import TinyPack, write_tiny_pack
from tinyrun import TINY


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> TinyPack:
    return write_tiny_pack(tmp_path_factory.mktemp("pack"))


def have_cards(monkeypatch: pytest.MonkeyPatch, count: int, *, bfloat16: bool = True) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: bfloat16)
    monkeypatch.setattr(torch.cuda, "device", lambda device: torch.inference_mode(False))


def test_auto_is_the_processor_where_there_is_no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    have_cards(monkeypatch, 0)
    chosen = choose_device("auto", rank=1)
    assert (chosen.kind, chosen.autocast_to, chosen.backend) == ("cpu", torch.bfloat16, "gloo")
    assert not chosen.needs_scaling


def test_each_process_takes_its_card(monkeypatch: pytest.MonkeyPatch) -> None:
    have_cards(monkeypatch, 4)
    assert choose_device("auto", rank=3).place == torch.device("cuda", 3)
    assert choose_device("cuda:1", rank=3).place == torch.device("cuda", 1)
    assert choose_device("cpu", rank=3).kind == "cpu"
    monkeypatch.setenv("LOCAL_RANK", "2")  # torchrun on a second machine: rank 10, place 2
    chosen = choose_device("cuda", rank=10)
    assert (chosen.place, chosen.backend) == (torch.device("cuda", 2), "nccl")


def test_an_older_card_scales_its_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    have_cards(monkeypatch, 1, bfloat16=False)
    chosen = choose_device("cuda")
    assert chosen.autocast_to is torch.float16
    assert chosen.needs_scaling


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "cuda:", "CPU", "", "cuda:0", "mps"])
def test_a_device_that_is_not_here_is_one_line(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    have_cards(monkeypatch, 0)
    with pytest.raises(ConfigError) as caught:
        choose_device(name)
    assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match="device"):
        ComputeConfig(device="gpu")


def learner(config: TrainConfig, device: Device) -> Learner:
    torch.manual_seed(0)
    network = build_network(config.network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    losses = LandmarkLosses(config.loss)
    clip, compute = config.schedule.clip, config.compute
    return Learner(network, optimiser, losses, device, clip=clip, compute=compute)


def weights(of: Learner) -> torch.Tensor:
    return torch.cat([value.detach().flatten() for value in of._model.parameters()])


def first_batch(pack: TinyPack) -> Batch:
    return next(iter(batches_from(0, TINY, *training_sets(TINY, pack.root, []))))


def test_a_scaled_loss_makes_the_same_step(pack: TinyPack) -> None:
    """Scaled up by 65,536 and down again: in float32, so that nothing else differs."""
    batch = first_batch(pack)
    plain = learner(TINY, Device(torch.device("cpu"), torch.bfloat16))
    scaled = learner(TINY, Device(torch.device("cpu"), torch.float16))
    for one in (plain, scaled):
        one.step(batch, 1e-3)
        assert one.skipped.number == 0
    start = weights(learner(TINY, plain._device))
    moved, moved_too = weights(plain) - start, weights(scaled) - start
    alike = torch.nn.functional.cosine_similarity(moved, moved_too, dim=0)
    assert alike > 0.99
    assert float(moved_too.norm() / moved.norm()) == pytest.approx(1, abs=0.05)
    assert scaled.state()["scale"] > 1
    assert plain.state() == {}


def test_a_gradient_that_is_no_number_moves_nothing(
    pack: TinyPack, caplog: pytest.LogCaptureFixture
) -> None:
    batch = first_batch(pack)
    spoilt = dataclasses.replace(batch, points=batch.points * torch.inf)
    one = learner(TINY, choose_device("cpu"))
    before = weights(one)
    with caplog.at_level(logging.WARNING, "mien.training.learning"):
        for _ in range(49):
            one.step(spoilt, 1e-3)
    assert torch.equal(weights(one), before)
    assert one.skipped.number == 49
    assert "skipped" in caplog.text
    with pytest.raises(ConfigError, match="50 steps"):
        one.step(spoilt, 1e-3)


def test_parts_of_a_batch_add_up(pack: TinyPack) -> None:
    """A batch of two equal halves: each half's normalisation sees what the whole one's would."""
    batch = first_batch(pack)
    half = batch.parts(2)[0]
    twice = Batch(*(torch.cat([each, each]) for each in vars(half).values()))
    whole = learner(TINY, choose_device("cpu"))
    config = dataclasses.replace(TINY, compute=ComputeConfig(accumulate=2))
    parted = learner(config, choose_device("cpu"))
    losses = [float(one.step(twice, 1e-2).total) for one in (whole, parted)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-2)
    torch.testing.assert_close(weights(whole), weights(parted), atol=2e-4, rtol=0)
    assert [len(part.crops) for part in batch.parts(3)] == [2, 1, 1]


def test_processes_that_load_give_the_batches_of_the_thread(pack: TinyPack) -> None:
    sets, shares = training_sets(TINY, pack.root, [])
    alone = list(batches_from(2, TINY, sets, shares))
    loaded = list(batches_from(2, TINY, sets, shares, loaders=2))
    assert len(alone) == len(loaded) == 4
    for one, other in zip(alone, loaded, strict=True):
        for name, value in vars(one).items():
            assert torch.equal(value, getattr(other, name)), name
    assert list(batches_from(6, TINY, sets, shares, loaders=2)) == []


def test_a_run_by_loading_processes_is_the_run(pack: TinyPack, tmp_path: Path) -> None:
    runs = []
    for loaders in (0, 1):
        config = dataclasses.replace(TINY, compute=ComputeConfig(loaders=loaders))
        run = tmp_path / str(loaders)
        run.mkdir()
        train(config, pack.root, run)
        runs.append(load_checkpoint(run / "last.pt").model)
    for name, value in runs[0].items():
        assert torch.equal(value, runs[1][name]), name
