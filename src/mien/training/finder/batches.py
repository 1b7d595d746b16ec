"""Batches of pictures that follow from the seed and the step alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from mien.augmentation.composing import Composer
from mien.datasets.ours.finder_set import PictureFaces
from mien.losses.finder_targets import LevelSpec, level_target
from mien.models.finder import FACE_RANGES, STRIDES
from mien.training.ahead import TensorBatch, made_ahead
from mien.training.finder.config import FinderConfig

__all__ = ["LEVELS", "FinderBatch", "finder_batches", "make_batch"]

LEVELS = tuple(
    LevelSpec(stride, *sizes) for stride, sizes in zip(STRIDES, FACE_RANGES, strict=True)
)


@dataclass(frozen=True)
class FinderBatch(TensorBatch):
    """Pictures and what the maps should say of them, finest first."""

    pictures: UInt8[Tensor, "n height width 3"]
    targets: tuple[Float[Tensor, "n 18 _ _"], ...]


def make_batch(made: Sequence[tuple[np.ndarray, PictureFaces]]) -> FinderBatch:
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
    step: int,
    config: FinderConfig,
    composer: Composer,
    *,
    rank: int = 0,
    workers: int = 1,
    loaders: int = 0,
    pinned: bool = False,
) -> Iterator[FinderBatch]:
    """Batches of one worker's part, from ``step`` to the last, the same for any ``loaders``.

    Args:
        loaders: processes that make them; 0 makes them in a thread.
        pinned: in memory that a card reads by itself.
    """
    make = _Batches(config, composer, rank, workers)
    return made_ahead(make, range(step, config.schedule.steps), loaders=loaders, pinned=pinned)


class _Batches:
    """One worker's part of every batch, by the number of the step."""

    def __init__(self, config: FinderConfig, composer: Composer, rank: int, workers: int) -> None:
        self._seed, self._composer = config.seed, composer
        count = config.schedule.batch // workers
        self._slots = range(rank * count, (rank + 1) * count)

    def __call__(self, step: int) -> FinderBatch:
        rngs = (np.random.default_rng([self._seed, step, slot]) for slot in self._slots)
        return make_batch([self._composer.make(rng) for rng in rngs])
