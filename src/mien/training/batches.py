"""Batches of crops that follow from the seed and the step alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from mien.augmentation.crops import AugmentConfig, TrainingCrop, make_crop
from mien.datasets.labelled_face import TrainingFaces
from mien.datasets.public.cfp import CfpFaces
from mien.datasets.public.head_basis import HeadBasis
from mien.datasets.public.w300lp_faces import W300lpFaces
from mien.datasets.training_faces import PackFaces, ShardFaces, faces_by_source, pick
from mien.errors import DataError
from mien.geometry.convention import Convention, convention_offset
from mien.markup import load_markup
from mien.training.ahead import TensorBatch, made_ahead
from mien.training.config import OTHERS, TrainConfig

__all__ = [
    "Batch",
    "batches_from",
    "collate",
    "data_sets",
    "draw_crop",
    "normalise",
    "training_sets",
]
_HALF_WHITE = 127.5
"""Grey levels: 0 to 255 become -1 to 1, as the networks and their weight files take pictures."""


@dataclass(frozen=True)
class Batch(TensorBatch):
    """Crops and their truth; places are shares of the side."""

    crops: UInt8[Tensor, "n side side 3"]
    points: Float[Tensor, "n points 3"]
    weights: Float[Tensor, "n points"]
    is_face: Float[Tensor, " n"]
    convention_offset: Float[Tensor, "n points 3"]
    """``geometry.convention.convention_offset`` of the points."""
    has_depth: Float[Tensor, " n"]
    """1 where z may be learned from."""

    @classmethod
    def of_noise(cls, config: TrainConfig, faces: int) -> Batch:
        """Noise with labels that no gradient explodes on: what a step costs does not hang on it."""
        side, points = config.network.side, config.network.points
        return cls(
            torch.randint(0, 256, (faces, side, side, 3), dtype=torch.uint8),
            torch.rand(faces, points, 3) - 0.5,
            torch.ones(faces, points),
            torch.ones(faces),
            torch.zeros(faces, points, 3),
            torch.ones(faces),
        )


def normalise(crops: UInt8[Tensor, "n side side 3"]) -> Float[Tensor, "n 3 side side"]:
    """Stored crops to what the network reads: channels first, values in -1..1."""
    return crops.permute(0, 3, 1, 2).float() / _HALF_WHITE - 1.0


def training_sets(
    config: TrainConfig, data: Path, turned: Sequence[Path]
) -> tuple[list[TrainingFaces], list[float]]:
    """The sets of a run and their shares: those of ``data``, and folders of turned faces."""
    sets, own_shares = data_sets(config, data, "train")
    points, convention = config.network.points, Convention(config.data.convention)
    folders = [ShardFaces(folder, points, convention) for folder in turned]
    faces = sum(len(folder) for folder in folders)
    shares = [config.data.turned_share * len(folder) / faces for folder in folders]
    if config.data.shut_share > 0:
        shut = [some for folder in folders if len(some := folder.edited("shut"))]
        faces = sum(len(folder) for folder in shut)
        shares += [config.data.shut_share * len(folder) / faces for folder in shut]
        folders += shut
    return [*sets, *folders], [*own_shares, *shares]


def data_sets(
    config: TrainConfig, data: Path, split: str
) -> tuple[list[TrainingFaces], list[float]]:
    """The train or val sets of the folder ``data``, as the configuration's layout reads it."""
    wanted = config.data
    if wanted.layout == "w300lp":
        basis = HeadBasis.load(Path(wanted.head_basis)) if wanted.head_basis else None
        return [W300lpFaces(data, split=split, basis=basis)], [1.0]
    points, convention = config.network.points, Convention(wanted.convention)
    shares = _pack_shares(wanted.pack_shares, data, split)
    sets: list[TrainingFaces] = [
        PackFaces(data, split=split, source=source, points=points, convention=convention)
        for source in shares
    ]
    if wanted.profiles:
        folder = Path(wanted.profiles)
        sets.append(CfpFaces(folder, split=split, points=points, convention=convention))
        return sets, [*shares.values(), wanted.profile_share]
    return sets, list(shares.values())


def _pack_shares(named: Mapping[str, float], data: Path, split: str) -> dict[str, float]:
    """The shares of sources by name, that of ``*`` given to those which the pack has besides."""
    shares = {source: share for source, share in named.items() if source != OTHERS}
    if not named.get(OTHERS):
        return shares
    counts = faces_by_source(data, split)
    others = {source: count for source, count in counts.items() if source not in shares}
    if not others and split == "train":
        raise DataError(f"{data} has no train faces whose points are good enough to learn from")
    every = sum(others.values())
    return shares | {source: named[OTHERS] * count / every for source, count in others.items()}


def batches_from(
    step: int,
    config: TrainConfig,
    sets: Sequence[TrainingFaces],
    shares: Sequence[float],
    *,
    rank: int = 0,
    workers: int = 1,
    loaders: int = 0,
    pinned: bool = False,
) -> Iterator[Batch]:
    """Batches of one worker's part, from ``step`` to the last, the same for any ``loaders``.

    Args:
        loaders: processes that make them; 0 makes them in a thread.
        pinned: in memory that a card reads by itself.
    """
    make = _Batches(config, sets, shares, rank, workers)
    return made_ahead(make, range(step, config.schedule.steps), loaders=loaders, pinned=pinned)


class _Batches:
    """One worker's part of every batch, by the number of the step."""

    def __init__(
        self,
        config: TrainConfig,
        sets: Sequence[TrainingFaces],
        shares: Sequence[float],
        rank: int,
        workers: int,
    ) -> None:
        self._config, self._sets, self._shares = config, sets, shares
        count = config.schedule.batch // workers
        self._slots = range(rank * count, (rank + 1) * count)

    def __call__(self, step: int) -> Batch:
        config = self._config
        draws = [np.random.default_rng([config.seed, step, slot]) for slot in self._slots]
        crops = [draw_crop(config, self._sets, self._shares, rng) for rng in draws]
        return collate(crops, Convention(config.data.convention))


def draw_crop(
    config: TrainConfig,
    sets: Sequence[TrainingFaces],
    shares: Sequence[float],
    rng: np.random.Generator,
) -> TrainingCrop:
    """A crop of any face, each set by its share."""
    markup = load_markup(config.network.points)
    augment: AugmentConfig = config.augment
    face, other = pick(sets, shares, rng), pick(sets, shares, rng)
    return make_crop(face, other.image_rgb, augment, markup, config.network.side, rng)


def collate(crops: Sequence[TrainingCrop], convention: Convention) -> Batch:
    """Stack crops, whose points are of ``convention``, to a batch."""
    return Batch(
        torch.from_numpy(np.stack([crop.crop_rgb for crop in crops])),
        torch.from_numpy(np.stack([crop.points for crop in crops])),
        torch.from_numpy(np.stack([crop.weights for crop in crops])),
        torch.tensor([float(crop.is_face) for crop in crops]),
        torch.from_numpy(np.stack([convention_offset(crop.points, convention) for crop in crops])),
        torch.tensor([float(crop.has_depth) for crop in crops]),
    )
