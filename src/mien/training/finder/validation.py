"""How well a face finder finds, on pictures it has not learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8

from mien.augmentation.composing import Composer
from mien.datasets.ours.finder_set import CROP, EMPTY, SCENE, FinderSet, PictureFaces
from mien.models.finder import STRIDES, FinderNetwork
from mien.runtime.detectors.finder_maps import Finds, decode_maps, strongest
from mien.training.device import Device
from mien.training.finder.config import FinderConfig

__all__ = [
    "FinderScore",
    "average_precision",
    "match_finds",
    "validate_finder",
    "validation_pictures",
]

_LEAST_SCORE = 0.05
_OVERLAP, _SAME = 0.35, 0.4
_BATCH = 16
_CROPS, _SCENES = 120, 60
_SIDE = 320

Pictures = list[tuple[UInt8[np.ndarray, "height width 3"], PictureFaces]]
_ABOUT_UNSURE = 0.6
"""Of a face's size: a find whose middle lies so near to one that need not be found counts for
nothing."""


@dataclass(frozen=True)
class FinderScore:
    """Of one set of val pictures."""

    name: str
    pictures: int
    faces: int
    precision: float
    """Average precision: 1 where every face is found and scores above everything else."""
    recall: float
    """Share of the faces found with a score of 0.5."""
    false_finds: int
    """Finds with a score of 0.5 that are no faces."""
    point_error: float
    """Mean error of the five points of faces found, in sizes of the detection's box."""
    size_error: float
    """Mean error of the size's logarithm."""


def validation_pictures(config: FinderConfig, held_out: FinderSet) -> dict[str, Pictures]:
    """Val pictures by name: made as those of training are, and photos as they are (crops and
    those without a face together, scenes by where they come from).

    Photos keep their size and are laid into the left top corner of a square.
    """
    composer = Composer(held_out, config.pictures)
    rngs = (np.random.default_rng([config.seed, 7, index]) for index in range(config.val_pictures))
    sets = {"made": [composer.make(rng) for rng in rngs]}
    kinds = {CROP: held_out.of(CROP), EMPTY: held_out.of(EMPTY)}
    kinds |= {source: held_out.of(SCENE, source) for source in held_out.sources}
    for name, rows in kinds.items():
        chosen = rows[:: max(-(-len(rows) // (_CROPS if name == CROP else _SCENES)), 1)]
        if len(chosen):
            sets[name] = [_as_it_is(held_out, int(row)) for row in chosen]
    return sets


def _as_it_is(held_out: FinderSet, index: int) -> tuple[np.ndarray, PictureFaces]:
    picture = held_out.load(index)
    height, width = picture.image_rgb.shape[:2]
    side = -(-max(height, width, _SIDE) // 32) * 32
    whole = np.zeros((side, side, 3), np.uint8)
    whole[:height, :width] = picture.image_rgb
    return whole, picture.faces


@torch.inference_mode()
def validate_finder(
    network: FinderNetwork, sets: dict[str, Pictures], device: Device
) -> list[FinderScore]:
    """Score a network, which is on ``device``, on every set."""
    network.eval()
    return [
        _score(name, pictures, _find(network, pictures, device)) for name, pictures in sets.items()
    ]


def _find(network: FinderNetwork, pictures: Pictures, device: Device) -> list[Finds]:
    """Finds of each picture; those of one size are looked at together."""
    finds: list[Finds | None] = [None] * len(pictures)
    sizes = sorted({picture.shape for picture, _ in pictures})
    for size in sizes:
        same = [i for i, (picture, _) in enumerate(pictures) if picture.shape == size]
        for start in range(0, len(same), _BATCH):
            part = same[start : start + _BATCH]
            stacked = torch.from_numpy(np.stack([pictures[i][0] for i in part]))
            maps = [one.float().cpu() for one in network(stacked.to(device.place))]
            for one in maps:
                one[:, 0] = torch.sigmoid(one[:, 0])
            for place, i in enumerate(part):
                decoded = decode_maps([one[place].numpy() for one in maps], STRIDES, _LEAST_SCORE)
                finds[i] = strongest(decoded, _OVERLAP)
    return [one for one in finds if one is not None]


def match_finds(finds: Finds, faces: PictureFaces) -> tuple[np.ndarray, np.ndarray]:
    """For each find, best first, the row of its face; and whether it counts at all.

    A find counts unless its best match is a face that is not sure, or that a better find has.

    Returns:
        rows (-1: no face) and flags.
    """
    rows, counts = np.full(len(finds), -1), np.ones(len(finds), bool)
    if not len(faces):
        return rows, counts
    overlap = _ious(finds, faces)
    free = np.ones(len(faces), bool)
    for i in range(len(finds)):
        best = int(np.argmax(np.where(free & faces.sure, overlap[i], -1)))
        if overlap[i, best] >= _SAME and free[best] and faces.sure[best]:
            rows[i], free[best] = best, False
            continue
        near = np.abs(faces.centre - finds.centre[i]).max(axis=1) <= _ABOUT_UNSURE * faces.size
        counts[i] = not (near & ~faces.sure).any()
    return rows, counts


def _ious(finds: Finds, faces: PictureFaces) -> Float[np.ndarray, "finds faces"]:
    start = [one.centre - one.size[:, None] / 2 for one in (finds, faces)]
    end = [one.centre + one.size[:, None] / 2 for one in (finds, faces)]
    sides = np.minimum(end[0][:, None], end[1]) - np.maximum(start[0][:, None], start[1])
    shared = sides.clip(min=0).prod(axis=2)
    union = finds.size[:, None] ** 2 + faces.size**2 - shared
    return np.asarray(shared / np.maximum(union, 1e-9))


def _score(name: str, pictures: Pictures, found: Sequence[Finds]) -> FinderScore:
    scores, right, point_errors, size_errors = (list[float]() for _ in range(4))
    faces = 0
    for (_, table), finds in zip(pictures, found, strict=True):
        faces += int(table.sure.sum())
        rows, counts = match_finds(finds, table)
        scores += finds.score[counts].tolist()
        right += (rows[counts] >= 0).astype(float).tolist()
        for i in np.flatnonzero(rows >= 0):
            row = rows[i]
            size_errors.append(abs(float(np.log(finds.size[i] / table.size[row]))))
            away = np.linalg.norm(finds.points[i] - table.points[row], axis=1) / table.size[row]
            if np.isfinite(away).all():
                point_errors.append(float(away.mean()))
    sure = np.array(scores) >= 0.5
    hit = np.array(right) > 0
    return FinderScore(
        name=name,
        pictures=len(pictures),
        faces=faces,
        precision=average_precision(np.array(scores), hit, faces),
        recall=float((sure & hit).sum()) / max(faces, 1),
        false_finds=int((sure & ~hit).sum()),
        point_error=float(np.mean(point_errors)) if point_errors else float("nan"),
        size_error=float(np.mean(size_errors)) if size_errors else float("nan"),
    )


def average_precision(scores: Float[np.ndarray, " n"], right: np.ndarray, faces: int) -> float:
    """Area under precision over recall, precision made to fall; 1 where there is nothing to find
    and nothing was found, 0 where something was."""
    if faces == 0:
        return float(len(scores) == 0)
    hits = right[np.argsort(-scores, kind="stable")].astype(np.float64)
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    falling = np.maximum.accumulate(precision[::-1])[::-1]
    return float((falling * hits).sum() / faces)
