"""What the card of a run's weights says of their sources, gathered from what the run reads.

A configuration that names its sources is taken at its word, as those that ship with mien do. One
that names none, such as ``configs/own.toml``, gets those of the user's own pack: the photos and
their licence, the network or teachers that put points on them, turned faces and what they were made
of, and all that the weights it started from had learned from. One whose weights shall be free for
any use is gathered too, and refused where a source hinders it.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from mien.datasets.ours.pack import read_pack
from mien.errors import ConfigError
from mien.runtime.ledger import load_ledger
from mien.synthesis.make.manifest import sources_of_set
from mien.synthesis.make.sources import pack_sources, texts_of
from mien.training.config import CardConfig, TrainConfig

__all__ = ["gathered_card"]

_UNSTATED = CardConfig().licence


def gathered_card(
    config: TrainConfig, data: Path, turned: Sequence[Path], before: CardConfig | None
) -> CardConfig:
    """The card of a run; ``before`` is that of the weights it starts from or goes on with.

    Raises:
        DataError: ``data`` is no face pack, or a set's manifest is damaged.
        ConfigError: the weights shall be free for any use, and a source does not allow it.
    """
    free = config.card.any_use
    if config.card.training_sources and not free:
        return config.card
    stated = list(config.card.training_sources)
    parts, licences = [stated] if stated else [], list[str]()
    if config.data.layout == "faces" and config.data.pack_shares:
        pack = read_pack(data)
        learned = pack.take(np.flatnonzero(pack.split == "train"))
        parts.append(pack_sources(learned))
        licences += [*texts_of(learned.licence), *texts_of(learned.teacher)]
    if config.data.layout == "w300lp":
        parts.append([f"300W-LP in {data} (research)"])
    if config.data.profiles:
        profiles = load_ledger().find("cfp").name
        parts.append([profiles])
        licences.append(profiles)
    parts += [_of_set(folder, free) for folder in turned]
    if before is not None:
        parts.append(list(before.training_sources))
        licences += [before.licence] if before.licence != _UNSTATED else []
    if free:
        licences = [_free_licence(parts)]
    elif config.card.licence != _UNSTATED:
        licences = [config.card.licence]
    return dataclasses.replace(
        config.card,
        training_sources=_once(itertools.chain(*parts)),
        licence="; ".join(_once(licences)) or _UNSTATED,
    )


def _of_set(folder: Path, must_say: bool) -> list[str]:
    """What the pictures of a folder were made of; of old folders, that they were made."""
    told = sources_of_set(folder)
    if told is None and must_say:
        raise ConfigError(
            f"{folder} does not say what its pictures were made of: weights for any use need sets "
            "that mien data profile of this version made"
        )
    return told or [load_ledger().find("turned").name]


def _free_licence(parts: Iterable[Sequence[str]]) -> str:
    """Each part by itself: one that names nothing is not made free by what stands beside it."""
    ledger = load_ledger()
    if hindrances := _once(itertools.chain(*map(ledger.hindrances, parts))):
        raise ConfigError(
            f"weights for any use cannot learn from: {'; '.join(hindrances)} (docs/sources.md)"
        )
    return f"any use, as we read the terms of its sources (ledger of {ledger.version})"


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    """In their order, each once."""
    return tuple(dict.fromkeys(texts))
