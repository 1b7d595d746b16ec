"""What only exact labels at every pose can tell: depth, confidence, blinks, and the score.

Measured on the pictures that ``mien data profile`` makes of photos nobody learned from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from mien.datasets.ours.shards import TurnedFace
from mien.evaluation.confidence import ConfidenceScore, score_confidence
from mien.evaluation.eyes import EyeScore, score_eyes
from mien.evaluation.metrics import depth_error, mean_or_none, nme
from mien.evaluation.predictions import Predictions
from mien.evaluation.presence import PresenceScore, score_presence

__all__ = ["DepthScore", "Probes", "TurnedScore", "score_turned"]


@dataclass(frozen=True)
class DepthScore:
    """Errors in the mean over the faces found, as shares of the face's size (eq. 5)."""

    z_error: float | None
    """Of |z|, both depths about their own mean."""
    xy_error: float | None
    """Distance in the picture: the NME."""

    @property
    def ratio(self) -> float | None:
        """z over xy."""
        if self.z_error is None or not self.xy_error:
            return None
        return self.z_error / self.xy_error


@dataclass(frozen=True)
class Probes:
    """What the network said of crops without a well aligned face; read for their scores."""

    no_face: Predictions
    misplaced: Predictions


@dataclass(frozen=True)
class TurnedScore:
    """Everything beside the NME."""

    depth: DepthScore
    confidence: ConfidenceScore | None
    """``None`` where no face was found."""
    eyes: tuple[EyeScore, ...]
    presence: PresenceScore | None
    """``None`` where no crops without a face were looked at."""


def score_turned(
    faces: Sequence[TurnedFace],
    predictions: Predictions,
    probes: Probes | None,
    mean_shape: Float[np.ndarray, "68 3"],
    confidence_radius: float,
) -> TurnedScore:
    """Measure predictions of a turned set.

    Args:
        probes: for the AUC of the score, which needs crops aligned by the truth beside them.
        confidence_radius: what the model's card says that its confidence claims, in face sizes.
    """
    found = np.flatnonzero(np.isfinite(predictions.points_image).all(axis=(1, 2))).tolist()
    truths = [face.photo.points_image for face in faces]
    pairs = [(predictions.points_image[row], truths[row]) for row in found]
    depth = DepthScore(
        mean_or_none([depth_error(points, truth) for points, truth in pairs]),
        mean_or_none([nme(points, truth) for points, truth in pairs]),
    )
    hidden = [face.hidden for face in faces]
    confidence = score_confidence(truths, hidden, predictions, mean_shape, confidence_radius)
    presence = None
    if probes is not None:
        scores = (predictions.score, probes.no_face.score, probes.misplaced.score)
        presence = score_presence(*scores)
    return TurnedScore(depth, confidence, score_eyes(faces, predictions.points_image), presence)
