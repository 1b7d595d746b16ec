"""Runs of six steps: resumed to the bit, logged once, alone and by two workers."""

from __future__ import annotations

import copy
import csv
import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import multiprocessing
from torch.multiprocessing.spawn import ProcessRaisedException

from mien.errors import ConfigError, DataError
from mien.losses import total_loss
from mien.models import Landmarker
from mien.training import loop
from mien.training.batches import batches_from, normalise, training_sets
from mien.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from mien.training.config import DataConfig
from mien.training.learning import Learner
from mien.training.loop import train
from mien.training.plot import plot_run
from mien.training.run_state import Progress
from mien.training.workers import train_together
from tinypack import TinyPack, write_tiny_pack
from tinyrun import TINY


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> TinyPack:
    return write_tiny_pack(tmp_path_factory.mktemp("pack"))


@pytest.fixture(scope="module")
def finished(pack: TinyPack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run at its end."""
    run = tmp_path_factory.mktemp("finished")
    train(TINY, pack.root, run)
    return run


@pytest.fixture
def log_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_LOG_EVERY", 1)


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as stream:
        return [
            {key: value for key, value in row.items() if key != "faces_per_sec"}
            for row in csv.DictReader(stream)
        ]


def assert_same(one: object, other: object) -> None:
    """To the bit, through dicts and lists."""
    if isinstance(one, torch.Tensor):
        assert isinstance(other, torch.Tensor)
        assert torch.equal(one, other)
    elif isinstance(one, dict):
        assert isinstance(other, dict)
        assert one.keys() == other.keys()
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, list):
        assert isinstance(other, list)
        for a, b in zip(one, other, strict=True):
            assert_same(a, b)
    else:
        assert one == other


@pytest.mark.usefixtures("log_every_step")
def test_a_killed_run_goes_on_to_the_bit(
    pack: TinyPack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after step 5 with a checkpoint of step 3, against six steps in one go."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    reports: list[Progress] = []
    train(TINY, pack.root, whole, report=reports.append)
    assert [progress.step for progress in reports] == [1, 2, 3, 4, 5, 6]

    with monkeypatch.context() as patch:
        save, learn, steps = save_checkpoint, Learner.step, iter(range(6))

        def save_and_keep(checkpoint: Checkpoint, file: Path) -> None:
            save(checkpoint, file)
            if checkpoint.step == 3:
                shutil.copy(file, tmp_path / "step3.pt")

        def die_at_the_sixth(*args):  # type: ignore[no-untyped-def]
            if next(steps) == 5:
                raise KeyboardInterrupt
            return learn(*args)

        patch.setattr(loop, "save_checkpoint", save_and_keep)
        patch.setattr(Learner, "step", die_at_the_sixth)
        with pytest.raises(KeyboardInterrupt):
            train(TINY, pack.root, broken)
    assert [row["step"] for row in rows(broken / "train.csv")] == list("12345")
    shutil.copy(tmp_path / "step3.pt", broken / "last.pt")
    train(TINY, pack.root, broken)

    assert_same(vars(load_checkpoint(whole / "last.pt")), vars(load_checkpoint(broken / "last.pt")))
    for name in ("train.csv", "val.csv"):
        assert rows(broken / name) == rows(whole / name)
    assert [row["step"] for row in rows(whole / "train.csv")] == list("123456")
    assert [(row["step"], row["name"]) for row in rows(whole / "val.csv")] == [
        (step, name) for step in "246" for name in ("helen", "lfw")
    ]
    assert plot_run(whole).read_bytes().startswith(b"\x89PNG")

    before = (whole / "last.pt").stat().st_mtime_ns
    train(TINY, pack.root, whole)  # it is at its end: nothing happens
    assert (whole / "last.pt").stat().st_mtime_ns == before


def test_the_best_of_a_run_is_kept(finished: Path) -> None:
    scores: dict[int, list[float]] = {}
    for row in rows(finished / "val.csv"):
        scores.setdefault(int(row["step"]), []).append(float(row["nme"]))
    means = {step: sum(values) / len(values) for step, values in scores.items()}
    best = load_checkpoint(finished / "best.pt")
    assert means[best.step] == min(means.values())
    assert best.best == pytest.approx(min(means.values()))


def test_a_plot_of_nothing_is_still_a_plot(tmp_path: Path) -> None:
    assert plot_run(tmp_path).read_bytes().startswith(b"\x89PNG")


def test_a_new_run_starts_from_other_weights(
    pack: TinyPack, finished: Path, tmp_path: Path
) -> None:
    still = dataclasses.replace(TINY.schedule, steps=1, learning_rate=1e-12)
    config = dataclasses.replace(TINY, schedule=still)
    train(config, pack.root, tmp_path, initial=finished / "last.pt")
    first = load_checkpoint(finished / "last.pt").averaged
    second = load_checkpoint(tmp_path / "last.pt").model
    for name, _ in Landmarker(TINY.network).named_parameters():
        torch.testing.assert_close(second[name], first[name], atol=1e-6, rtol=0)


def test_another_network_cannot_go_on_a_run(pack: TinyPack, finished: Path) -> None:
    wider = dataclasses.replace(TINY, network=dataclasses.replace(TINY.network, width=6))
    with pytest.raises(ConfigError, match="another network"):
        train(wider, pack.root, finished)


def test_a_run_needs_faces_to_validate_on(tmp_path: Path) -> None:
    from mien.training.validation import validation_sets

    bare = dataclasses.replace(TINY, data=DataConfig({}, 1.0))
    with pytest.raises(ConfigError, match="turned_val"):
        validation_sets(bare, tmp_path, [tmp_path / "turned"])


def one_step_by_hand(config_data: Path) -> dict[str, torch.Tensor]:
    """The mean of two workers' gradients, clipped, into AdamW: written out."""
    torch.manual_seed(TINY.seed)
    model = Landmarker(TINY.network)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    sets, shares = training_sets(TINY, config_data, [])
    parts = []
    for rank in (0, 1):
        own = copy.deepcopy(model)
        batch = next(iter(batches_from(0, TINY, sets, shares, rank=rank, workers=2)))
        crops = normalise(batch.crops).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            prediction = own(crops)
        loss = total_loss(prediction, batch.points, batch.weights, batch.is_face, TINY.loss)
        loss.total.backward()  # type: ignore[no-untyped-call]
        parts.append([p.grad for p in own.parameters()])
    for parameter, one, other in zip(model.parameters(), *parts, strict=True):
        assert one is not None
        assert other is not None
        parameter.grad = (one + other) / 2
    torch.nn.utils.clip_grad_norm_(model.parameters(), TINY.schedule.clip)
    rate = TINY.schedule.learning_rate / TINY.schedule.warmup
    decay = TINY.schedule.weight_decay
    torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay).step()
    return {name: value.detach() for name, value in model.named_parameters()}


def test_two_workers_average_their_gradients(pack: TinyPack, tmp_path: Path) -> None:
    config = dataclasses.replace(TINY, schedule=dataclasses.replace(TINY.schedule, steps=1))
    train_together(config, pack.root, tmp_path, workers=2)
    trained = load_checkpoint(tmp_path / "last.pt").model
    by_hand = one_step_by_hand(pack.root)
    # AdamW's first step is the rate times the sign of the gradient: rounding may turn a sign
    # where the gradient is next to nothing, and nowhere else.
    same = torch.cat([
        torch.isclose(trained[name], value, atol=1e-5, rtol=1e-4).flatten()
        for name, value in by_hand.items()
    ])  # fmt: skip
    assert same.float().mean() > 0.99
    assert [row["step"] for row in rows(tmp_path / "val.csv")] == ["1", "1"]


def test_a_mistake_met_by_a_worker_comes_back_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if spawned: one process of one, and its error told as ``spawn`` tells it."""

    def spawn(
        function: Callable[..., None], given: tuple[object, ...], nprocs: int, daemon: bool
    ) -> None:
        assert nprocs == 2
        assert daemon
        alone = tuple(1 if value == 2 else value for value in given)
        try:
            function(0, *alone)
        except Exception as error:
            raise ProcessRaisedException(str(error), 0, 1) from error
        finally:
            torch.distributed.destroy_process_group()

    monkeypatch.setattr(multiprocessing, "spawn", spawn)
    with pytest.raises(DataError, match=r"^/.* holds no faces\.npz: give the folder"):
        train_together(TINY, tmp_path, tmp_path, workers=2)


def test_one_picture_a_part_is_refused_where_nothing_can_be_normalised(
    pack: TinyPack, tmp_path: Path
) -> None:
    """The smallest map of this network has one pixel; torch's own words are a traceback's."""
    network = dataclasses.replace(TINY.network, depth=3)
    for batch, accumulate in ((1, 1), (2, 2)):
        schedule = dataclasses.replace(TINY.schedule, batch=batch)
        compute = dataclasses.replace(TINY.compute, accumulate=accumulate)
        config = dataclasses.replace(TINY, network=network, schedule=schedule, compute=compute)
        with pytest.raises(ConfigError, match="one picture at a time"):
            train(config, pack.root, tmp_path)
    larger = dataclasses.replace(TINY.schedule, batch=2, steps=1)
    train(dataclasses.replace(TINY, network=network, schedule=larger), pack.root, tmp_path)
    assert (tmp_path / "last.pt").exists()
