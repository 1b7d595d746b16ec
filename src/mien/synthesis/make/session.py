"""All that turns the photos of one table: files in, opened once a process."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from mien.datasets.ours.pack import FacePack, read_pack
from mien.geometry.pose import yaw_deg
from mien.synthesis.fit.anchors import Anchors, load_anchors
from mien.synthesis.fit.fits import fit_sources, load_fits
from mien.synthesis.fit.residual_warp import ResidualWarp
from mien.synthesis.fit.solver import HeadFits
from mien.synthesis.head.morphable import MorphableHead, load_head
from mien.synthesis.render.expression import ExpressionEditor
from mien.synthesis.render.turning import HeadTurner

__all__ = ["SessionFiles", "SynthesisSession", "open_session"]

_SOURCE_YAW_DEG = 35.0


@dataclass(frozen=True)
class SessionFiles:
    """Where a session is read from; ``None`` means as the fits were made."""

    fits: Path
    faces: Path | None = None
    model: Path | None = None
    anchors: Path | None = None

    def digest(self) -> str:
        """Of the fits: pictures made from other fits are other pictures."""
        return hashlib.sha256(self.fits.read_bytes()).hexdigest()


class SynthesisSession:
    """Photos with their fitted heads, and what turns and edits them."""

    def __init__(
        self, head: MorphableHead, photos: FacePack, fits: HeadFits, anchors: Anchors
    ) -> None:
        self.photos = photos
        self.anchors = anchors
        self.warp = ResidualWarp(head, anchors, photos, fits)
        self.turner = HeadTurner(head, anchors)
        self.editor = ExpressionEditor(head, anchors)
        self.head = head
        self._near = np.abs(yaw_deg(fits.rotation)) <= _SOURCE_YAW_DEG

    def usable(self, split: str) -> Bool[np.ndarray, " faces"]:
        """Photos of a split that can be trusted and show most of the face."""
        chosen: Bool[np.ndarray, " faces"] = (
            self.warp.labels.usable & self._near & (self.photos.split == split)
        )
        return chosen


@functools.lru_cache(maxsize=1)
def open_session(files: SessionFiles) -> SynthesisSession:
    """Read all files.

    Raises:
        DataError: one of them is not what it should be, or they do not belong together.
    """
    fitted_faces, fitted_model = fit_sources(files.fits)
    photos = read_pack(files.faces or fitted_faces)
    head, fits = load_head(files.model or fitted_model), load_fits(files.fits, photos)
    return SynthesisSession(head, photos, fits, load_anchors(head, files.anchors))
