"""What made pictures and their labels come from, by the names of the ledger of sources."""

from __future__ import annotations

import numpy as np
from jaxtyping import Shaped

from mien.datasets.ours.pack import FacePack
from mien.errors import ModelError
from mien.runtime.ledger import load_ledger
from mien.synthesis.make.session import SynthesisSession

__all__ = ["pack_sources", "set_sources", "texts_of"]


def pack_sources(pack: FacePack) -> list[str]:
    """The photos of some faces, and who found the points that nobody clicked.

    What the ledger does not know is told in words, with the licence that the pack gives.
    """
    return [*_photos(pack), *_teachers(pack)]


def set_sources(session: SynthesisSession, split: str) -> list[str]:
    """All that the pictures of a session are made of: photos, points, anchors, the head."""
    photos = session.photos
    used = photos.take(np.flatnonzero(photos.split == split))
    ledger = load_ledger()
    anchors = [ledger.find(key).name for key in session.anchors.sources]
    names = [*pack_sources(used), *anchors, ledger.find("turned").name]
    return list(dict.fromkeys(names))


def texts_of(column: Shaped[np.ndarray, " faces"] | None) -> list[str]:
    """The different texts of a column, none of them empty."""
    return [] if column is None else [text for text in np.unique(column).tolist() if text]


def _photos(pack: FacePack) -> list[str]:
    """Each source by the ledger's name where it has one, else with the licence that is given."""
    found = []
    for source in texts_of(pack.source):
        try:
            found.append(load_ledger().find(source).name)
        except ModelError:
            licence = None if pack.licence is None else pack.licence[pack.source == source]
            found.append(
                f"photos of '{source}' ({', '.join(texts_of(licence)) or 'no licence given'})"
            )
    if (pack.source == "").any():
        found.append("photos of no named source")
    return found


def _teachers(pack: FacePack) -> list[str]:
    """Whose points were learned from, besides those that people clicked."""
    found, known = [], {source.name for source in load_ledger().sources}
    for teacher in texts_of(pack.teacher):
        found.append(teacher if teacher in known else f"points found by {teacher}")
    unsaid = pack.teachers_agree
    if pack.teacher is not None:
        unsaid = unsaid & (pack.teacher == "")
    if unsaid.any():
        found.append(load_ledger().find("teachers-both").name)
    return found
