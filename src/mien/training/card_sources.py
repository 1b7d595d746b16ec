"""What the card of a run's weights says of their sources, gathered from what the run reads.

A configuration that names its sources is taken at its word, as those that ship with mien do. One
that names none, such as ``configs/own.toml``, gets those of the user's own pack: the photos and
their licence, the network or teachers that put points on them, turned faces, and all that the
weights it started from had learned from.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from mien.datasets.ours.pack import FacePack, read_pack
from mien.errors import ModelError
from mien.runtime.ledger import load_ledger
from mien.training.config import CardConfig, TrainConfig

__all__ = ["gathered_card"]

_UNSTATED = CardConfig().licence


def gathered_card(
    config: TrainConfig, data: Path, turned: Sequence[Path], before: CardConfig | None
) -> CardConfig:
    """The card of a run; ``before`` is that of the weights it starts from or goes on with.

    Raises:
        DataError: ``data`` is no face pack.
    """
    if config.card.training_sources:
        return config.card
    sources, licences = list[str](), list[str]()
    if config.data.layout == "faces" and config.data.pack_shares:
        pack = read_pack(data)
        learned = pack.take(np.flatnonzero(pack.split == "train"))
        sources += [*_photos(learned), *_teachers(learned)]
        licences += [*_texts(learned.licence), *_texts(learned.teacher)]
    if config.data.profiles:
        profiles = load_ledger().find("cfp").name
        sources.append(profiles)
        licences.append(profiles)
    if turned:
        sources.append(load_ledger().find("turned").name)
    if before is not None:
        sources += before.training_sources
        licences += [before.licence] if before.licence != _UNSTATED else []
    if config.card.licence != _UNSTATED:
        licences = [config.card.licence]
    return dataclasses.replace(
        config.card,
        training_sources=_once(sources),
        licence="; ".join(_once(licences)) or _UNSTATED,
    )


def _photos(pack: FacePack) -> list[str]:
    """Each source by the ledger's name where it has one, else with the licence that is given."""
    found = []
    for source in _texts(pack.source):
        try:
            found.append(load_ledger().find(source).name)
        except ModelError:
            licence = None if pack.licence is None else pack.licence[pack.source == source]
            found.append(
                f"photos of '{source}' ({', '.join(_texts(licence)) or 'no licence given'})"
            )
    return found


def _teachers(pack: FacePack) -> list[str]:
    """Whose points were learned from, besides those that people clicked."""
    found = [f"points found by {teacher}" for teacher in _texts(pack.teacher)]
    if pack.teachers_agree.any():
        found.append(load_ledger().find("teachers-both").name)
    return found


def _texts(column: Shaped[np.ndarray, " faces"] | None) -> list[str]:
    return [] if column is None else [text for text in np.unique(column).tolist() if text]


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    """In their order, each once."""
    return tuple(dict.fromkeys(texts))
