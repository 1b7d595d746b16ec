"""How good fits are: against what people clicked and against the teacher."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from mien.datasets.ours.pack import FacePack
from mien.synthesis.fit.anchors import Anchors
from mien.synthesis.fit.fits import points_of
from mien.synthesis.fit.outline import cheek_rows, clicked_outline, outermost
from mien.synthesis.fit.solver import HeadFits
from mien.synthesis.head.morphable import MorphableHead

__all__ = ["FitQuality", "measure_fits"]


@dataclass(frozen=True)
class FitQuality:
    """Errors of one source and split, over sqrt(width x height) of the teacher's box."""

    source: str
    split: str
    faces: int
    inner_nme: float
    """Fit to the 51 manual points: median over faces."""
    inner_nme_p90: float
    """90th percentile."""
    jaw_nme: float
    """Fit to the teacher's jaw, x and y: median over faces."""
    jaw_nme_p90: float
    outline_nme: float
    """Outline of the fitted head to the clicked jaw, across the outline only: median over faces."""
    outline_nme_p90: float


def measure_fits(
    head: MorphableHead, fits: HeadFits, photos: FacePack, anchors: Anchors
) -> list[FitQuality]:
    """One row a source and split that has trusted manual points."""
    extent = np.ptp(photos.teacher68[..., :2], axis=1)
    size = np.sqrt(extent.prod(axis=1))
    inner = points_of(head, fits, anchors.manual51)[..., :2] - photos.manual68[:, 17:]
    jaw = points_of(head, fits, anchors.points68)[:, :17, :2] - photos.teacher68[:, :17, :2]
    outline = clicked_outline(photos, cheek_rows(head, anchors.points68))
    cheeks = points_of(head, fits, outline.rows)[..., :2]
    index = outermost(cheeks, outline.across)
    edge = np.take_along_axis(cheeks, index[..., None], axis=1) - outline.clicked_image
    edge = (edge * outline.across).sum(axis=-1, keepdims=True)
    rows = []
    for source in np.unique(photos.source):
        for split in np.unique(photos.split):
            chosen = photos.trusted_manual & (photos.source == source) & (photos.split == split)
            if chosen.any():
                rows.append(
                    FitQuality(
                        str(source),
                        str(split),
                        int(chosen.sum()),
                        *_median_and_p90(inner[chosen], size[chosen]),
                        *_median_and_p90(jaw[chosen], size[chosen]),
                        *_median_and_p90(edge[chosen], size[chosen]),
                    )
                )
    return rows


def _median_and_p90(
    missed: Float[np.ndarray, "faces points dims"], size: Float[np.ndarray, " faces"]
) -> tuple[float, float]:
    nme = np.linalg.norm(missed, axis=2).mean(axis=1) / size
    return float(np.median(nme)), float(np.percentile(nme, 90))
