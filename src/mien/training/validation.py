"""NME on the validation faces, set by set: crops perturbed like those in use, nothing spoilt."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, distributed, nn

from mien.augmentation.crops import make_crop
from mien.datasets.labelled_face import TrainingFaces
from mien.datasets.training_faces import ShardFaces
from mien.errors import ConfigError
from mien.geometry import FACE_SHARE
from mien.geometry.convention import Convention
from mien.markup import load_markup
from mien.models import Prediction
from mien.models.decoding import decode_heatmaps
from mien.training.batches import collate, data_sets, normalise
from mien.training.config import TrainConfig
from mien.training.device import Device

__all__ = ["SetScore", "validate", "validation_sets"]

_BATCH = 16


@dataclasses.dataclass(frozen=True)
class SetScore:
    """Mean errors over one set, in face sizes seen from the front."""

    name: str
    nme: float
    nme_inner51: float
    depth: float
    nme_stacks: str
    """NME of the points decoded from each stack's heatmaps, first to last, before the finetune
    module; empty for a network without heatmaps."""


def validation_sets(config: TrainConfig, data: Path, turned: Sequence[Path]) -> list[TrainingFaces]:
    """The ``val`` faces of each set that is trained on, and of each turned set's ``_val``."""
    sets, _ = data_sets(config, data, "val")
    points, convention = config.network.points, Convention(config.data.convention)
    for folder in turned:
        held_out = folder.with_name(folder.name + "_val")
        if held_out.is_dir():
            sets.append(ShardFaces(held_out, points, convention))
    if not sets:
        beside = " or ".join(f"{folder}_val" for folder in turned) or "FOLDER_val beside --turned"
        raise ConfigError(
            "there are no faces to validate on: draw from the pack too, or put turned faces of "
            f"val photos into {beside}"
        )
    return sets


@torch.inference_mode()
def validate(
    model: nn.Module,
    config: TrainConfig,
    sets: Sequence[TrainingFaces],
    device: Device,
    *,
    rank: int = 0,
    workers: int = 1,
) -> list[SetScore]:
    """Score every set; each worker takes its share of the faces and gets all the results."""
    model.eval()
    plain = config.augment.unspoilt()
    markup = load_markup(config.network.points)
    inner = list(markup.inner)
    scores = []
    for number, faces in enumerate(sets):
        sums = torch.zeros(4 + config.network.stacks, dtype=torch.float64)
        mine = range(rank, len(faces), workers)
        for start in range(0, len(mine), _BATCH):
            batch = collate(
                [
                    make_crop(
                        face := faces.load(index), face.image_rgb, plain, markup,
                        config.network.side, np.random.default_rng([number, index]),
                    )
                    for index in mine[start : start + _BATCH]
                ],
                Convention(config.data.convention),
            ).to(device.place)  # fmt: skip
            with device.autocast():
                crops = normalise(batch.crops).contiguous(memory_format=torch.channels_last)
                prediction = model(crops)
            points = prediction.points
            if not points.isfinite().all():
                raise ConfigError("the network's output is no number: give a lower learning_rate")
            error = (points - batch.points)[..., :2].norm(dim=-1) / FACE_SHARE
            depth = (points - batch.points)[..., 2].abs() / FACE_SHARE
            # Points clicked on a photo alone: the others and all depths are not known.
            known = torch.where(batch.has_depth[:, None] > 0, 1.0, batch.weights)
            part = [
                _face_means(error, known),
                _face_means(error[:, inner], known[:, inner]),
                _face_means(depth, batch.has_depth[:, None].expand_as(depth)),
            ]
            part += _stack_sums(prediction, batch.points, known, config.network.decoding_window)
            part += [part[0].new_zeros(())] * (len(sums) - 1 - len(part))
            sums += torch.tensor([float(len(error)), *map(float, part)], dtype=torch.float64)
        if workers > 1:
            sums = sums.to(device.place, torch.float32 if device.kind == "mps" else sums.dtype)
            distributed.all_reduce(sums)
        count, *means = sums.tolist()
        nme, nme_inner, depth_error, *stacks = (each / count for each in means)
        told = " ".join(f"{each:.4f}" for each in stacks if each > 0)
        scores.append(SetScore(faces.name, nme, nme_inner, depth_error, told))
    model.train()
    return scores


def _stack_sums(
    prediction: Prediction,
    truth: Float[Tensor, "n points 3"],
    known: Float[Tensor, "n points"],
    window: int,
) -> list[Float[Tensor, ""]]:
    """As :func:`_face_means`, of the points that each stack's heatmaps alone give."""
    decoded = [decode_heatmaps(heatmaps.clamp_min(0), window) for heatmaps in prediction.heatmaps()]
    return [
        _face_means((points - truth[..., :2]).norm(dim=-1) / FACE_SHARE, known)
        for points in decoded
    ]


def _face_means(
    errors: Float[Tensor, "n points"], known: Float[Tensor, "n points"]
) -> Float[Tensor, ""]:
    """Sum over faces of the mean over each one's known points; 0 where none is."""
    return ((errors * known).sum(1) / known.sum(1).clamp_min(1)).sum()
