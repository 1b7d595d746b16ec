"""Batches follow from the seed and the step, whoever draws them and from wherever."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from mien.datasets.labelled_face import TrainingFaces
from mien.datasets.ours.shards import SetEntry, write_shard
from mien.training.batches import Batch, batches_from, normalise, training_sets
from mien.training.config import TrainConfig
from tinypack import write_tiny_pack
from tinyrun import TINY

Sets = tuple[list[TrainingFaces], list[float]]


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Sets:
    pack = write_tiny_pack(tmp_path_factory.mktemp("pack"))
    return training_sets(TINY, pack.root, [])


def batches(
    sets: Sets, *, step: int = 0, config: TrainConfig = TINY, rank: int = 0, workers: int = 1
) -> list[Batch]:
    return list(batches_from(step, config, *sets, rank=rank, workers=workers))


def same(one: Batch, other: Batch) -> bool:
    pairs = zip(vars(one).values(), vars(other).values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_a_run_has_its_steps(sets: Sets) -> None:
    run = batches(sets)
    assert len(run) == TINY.schedule.steps
    for batch in run:
        assert batch.crops.shape == (4, 32, 32, 3)
        assert batch.crops.dtype == torch.uint8
        assert batch.points.shape == (4, 68, 3)
        assert batch.weights.shape == (4, 68)
        assert batch.is_face.shape == (4,)
        assert batch.convention_offset.shape == (4, 68, 3)
        truth = (batch.points, batch.weights, batch.is_face, batch.convention_offset)
        assert {values.dtype for values in truth} == {torch.float32}
    assert not same(run[0], run[1])


def test_a_later_start_draws_the_same(sets: Sets) -> None:
    whole = batches(sets)
    rest = batches(sets, step=4)
    assert len(rest) == len(whole) - 4
    assert all(same(a, b) for a, b in zip(whole[4:], rest, strict=True))


def test_workers_share_one_batch(sets: Sets) -> None:
    whole = batches(sets)[0]
    parts = [batches(sets, rank=rank, workers=2)[0] for rank in (0, 1)]
    for name in vars(whole):
        joined = torch.cat([getattr(part, name) for part in parts])
        assert torch.equal(joined, getattr(whole, name))


def test_points_of_the_middle_know_the_way_to_either_convention(tmp_path: Path) -> None:
    """The same crops drawn with clicked labels lie where the way leads."""
    root = write_tiny_pack(tmp_path).root
    drawn = {}
    for convention in ("clicked", "middle"):
        config = dataclasses.replace(
            TINY, data=dataclasses.replace(TINY.data, convention=convention)
        )
        drawn[convention] = batches(training_sets(config, root, []), config=config)[0]
    assert not drawn["clicked"].convention_offset.any()
    clicked, middle, convention_offset = (
        drawn["clicked"].points,
        drawn["middle"].points,
        drawn["middle"].convention_offset,
    )
    # A crop is placed by its points, so the two kinds of crops differ a little.
    assert (middle + convention_offset - clicked).norm() < 0.5 * (middle - clicked).norm()


def test_another_seed_draws_others(sets: Sets) -> None:
    other = dataclasses.replace(TINY, seed=TINY.seed + 1)
    assert not same(batches(sets)[0], batches(sets, config=other)[0])


def test_a_mistake_while_drawing_reaches_the_loop(sets: Sets) -> None:
    class Broken:
        name = "broken"

        def __len__(self) -> int:
            return 1

        def load(self, index: int) -> None:
            raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        batches(([Broken()], [1.0]))  # type: ignore[list-item]


def test_stored_values_reach_from_minus_one_to_one() -> None:
    crops = torch.tensor([0, 255, 51], dtype=torch.uint8).reshape(1, 1, 1, 3)
    network_input = normalise(crops)
    assert network_input.shape == (1, 3, 1, 1)
    torch.testing.assert_close(network_input.flatten(), torch.tensor([-1.0, 1.0, -0.6]))


def test_shut_and_half_shut_eyes_are_drawn_once_more(tmp_path: Path) -> None:
    """Lids half way down are as rare as lids that are shut, and a blink passes through both."""
    root = write_tiny_pack(tmp_path / "pack").root
    edits = ("", "mouth open", "eyes shut", "eyes half shut, mouth open")
    write_set(tmp_path / "turned", edits)
    config = dataclasses.replace(TINY, data=dataclasses.replace(TINY.data, shut_share=0.5))
    sets, shares = training_sets(config, root, [tmp_path / "turned"])
    assert [len(one) for one in sets[-2:]] == [len(edits), 2]
    assert shares[-1] == 0.5


def write_set(folder: Path, edits: Sequence[str]) -> None:
    """A folder of turned faces, one for each edit."""
    points68, points84 = np.zeros((68, 3), np.float32), np.zeros((84, 3), np.float32)
    nothing68, nothing84 = np.zeros(68, bool), np.zeros(84, bool)
    image = np.zeros((24, 32, 3), np.uint8)
    folder.mkdir()
    labels = (points68, nothing68, points84, nothing84)
    entries = [
        SetEntry(image, *labels, 30.0, "a.jpg", "train", True, nothing68, nothing84, edit)
        for edit in edits
    ]
    write_shard(folder / "shard-00000.npz", entries, "train")
