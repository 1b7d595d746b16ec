"""Batches that follow from the seed and the step alone, made ahead in a thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from mien.augmentation.composing import Composer
from mien.datasets.ours.finder_set import FaceTable
from mien.losses.finder_targets import LevelSpec, level_target
from mien.models.finder import FACE_RANGES, STRIDES
from mien.training.finder.config import FinderConfig

__all__ = ["LEVELS", "FinderBatch", "finder_batches", "make_batch"]

LEVELS = tuple(
    LevelSpec(stride, *sizes) for stride, sizes in zip(STRIDES, FACE_RANGES, strict=True)
)
_AHEAD = 3


@dataclass(frozen=True)
class FinderBatch:
    """Pictures and what the maps should say of them, finest first."""

    pictures: UInt8[Tensor, "n height width 3"]
    targets: tuple[Float[Tensor, "n 18 _ _"], ...]


def make_batch(made: Sequence[tuple[np.ndarray, FaceTable]]) -> FinderBatch:
    """Stack pictures of one size and their targets."""
    pictures = np.stack([picture for picture, _ in made])
    rows, cols = pictures.shape[1:3]
    targets = tuple(
        torch.from_numpy(
            np.stack(
                [
                    level_target(faces, level, rows // level.stride, cols // level.stride)
                    for _, faces in made
                ]
            )
        )
        for level in LEVELS
    )
    return FinderBatch(torch.from_numpy(pictures), targets)


def finder_batches(
    step: int, config: FinderConfig, composer: Composer, *, rank: int = 0, workers: int = 1
) -> Iterator[FinderBatch]:
    """Batches of one worker's part, from ``step`` to the last."""
    count = config.schedule.batch // workers
    slots = range(rank * count, (rank + 1) * count)

    def make(step: int) -> FinderBatch:
        rngs = (np.random.default_rng([config.seed, step, slot]) for slot in slots)
        return make_batch([composer.make(rng) for rng in rngs])

    with ThreadPoolExecutor(1, thread_name_prefix="batches") as pool:
        waiting: list[Future[FinderBatch]] = []
        for ahead in range(step, config.schedule.steps):
            waiting.append(pool.submit(make, ahead))
            if len(waiting) > _AHEAD:
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()
