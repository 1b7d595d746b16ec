"""A model measured on labelled photos, by the protocols of paper 4.1: what a library's user calls.

::

    import mien

    measured = mien.evaluate("aflw2000", "AFLW2000-3D", model="fast", init="box")
    print(measured.main.nme, [each.nme for each in measured.main.bins])
"""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import TypeVar

import numpy as np

from mien.datasets.ours.shards import TurnedFace
from mien.datasets.photo import LabelledPhoto
from mien.errors import ConfigError
from mien.evaluation.head_pose import PoseScore, score_pose
from mien.evaluation.measured_model import open_measured_model
from mien.evaluation.perturbation import (
    PerturbationScore,
    PerturbedPhoto,
    perturb,
    score_perturbed,
)
from mien.evaluation.predictions import Predictions, predict
from mien.evaluation.presence import corner_view, misplaced_crop
from mien.evaluation.protocols import FaceLandmarker, Init, Mirrored, locate
from mien.evaluation.scoring import Score, score
from mien.evaluation.sets import Format, read_photo_set
from mien.evaluation.synthetic import Probes, TurnedScore, score_turned
from mien.geometry.convention import Convention, in_convention
from mien.markup import load_markup
from mien.runtime import DEFAULT_MODEL, LandmarkerPair
from mien.types import Frame, Prediction
from mien.version import __version__

__all__ = [
    "BeyondPoints",
    "Evaluation",
    "Measures",
    "Moved",
    "Provenance",
    "evaluate",
    "evaluate_predictions",
    "moved_to",
]

_MEAN_SHAPE = load_markup(68).mean_shape


@dataclass(frozen=True)
class Provenance:
    """How a measurement came about; nothing in it depends on the day or on the machine."""

    command: str
    """The command line, with the data set's folder by its last name."""
    data_format: str
    init: str
    mirror: bool
    model: str
    convention: Convention
    """Where on the head the model's points lie."""
    detection_sha256: str
    tracking_sha256: str
    version: str
    """Of mien."""
    careful: bool = False

    @classmethod
    def of(
        cls,
        pair: LandmarkerPair,
        words: Sequence[str],
        data_format: str,
        init: str,
        *,
        mirror: bool,
        careful: bool = False,
    ) -> Provenance:
        """Of a model that is open; ``words`` are those of the command line."""
        return cls(
            command=shlex.join(words),
            data_format=data_format,
            init=init,
            mirror=mirror,
            careful=careful,
            model=pair.name,
            convention=Convention(pair.following.card.convention),
            detection_sha256=pair.first.card.sha256,
            tracking_sha256=pair.following.card.sha256,
            version=__version__,
        )


@dataclass(frozen=True)
class Measures:
    """All that is measured of one set of points."""

    main: Score
    others: tuple[tuple[str, Score], ...]
    """Name of each other truth, and the score against it."""
    pose: PoseScore | None
    """``None`` where the set publishes no angles."""
    turned: TurnedScore | None
    """``None`` but for sets of turned photos."""
    perturbed: PerturbationScore | None
    """``None`` but for photos that were cut or covered."""


@dataclass(frozen=True)
class Moved:
    """The same predictions, their landmarks moved to where the set's convention has them."""

    convention: Convention
    measures: Measures

    @property
    def key(self) -> str:
        """Name of its block in the JSON file."""
        return "as_" + self.convention.replace("-", "_")


@dataclass(frozen=True)
class Evaluation:
    """A measurement of predictions, which ``mien.evaluation.report.write_json`` writes.

    ``pandas.DataFrame(evaluation.main.per_image)`` has a row a face.
    """

    provenance: Provenance
    photos: Sequence[LabelledPhoto]
    predictions: Predictions
    measures: Measures
    moved: Moved | None
    """``None`` where the set has its landmarks where the model puts them, or nobody knows where."""

    @property
    def main(self) -> Score:
        """Against the main truth."""
        return self.measures.main


def evaluate(
    data_format: Format | str,
    root: Path | str,
    *,
    init: Init | str = Init.ORACLE,
    model: str = DEFAULT_MODEL,
    split: str = "",
    sources: Sequence[str] = (),
    detector: str = "centerface",
    mirror: bool = False,
    careful: bool = False,
    cut: float | None = None,
    patch: bool = False,
    threads: int | None = None,
    beside: Path | None = None,
    on_face: Callable[[int, int], None] = lambda done, total: None,
) -> Evaluation:
    """Measure a model's landmarks on a set of labelled photos.

    Args:
        data_format: the layout of the set, one of :class:`mien.evaluation.sets.Format`.
        root: its folder.
        init: where the crop comes from: ``oracle``, the true landmarks; ``box``, their box;
            ``detector``, the photo alone.
        model: a shipped model, or the path of a weight file.
        split: of a set that has some; empty takes the usual one (``test`` of the face pack).
        sources: of the face pack; none means all.
        detector: see :func:`mien.runtime.open_detector`. A photo's frame index is its place in
            the set, from 0.
        mirror: average with the prediction from the mirrored photo.
        careful: average the predictions of six crops of each face, some mirrored.
        cut: cut each photo sideways, so that this share of its face lies outside.
        patch: lay a hand over each mouth and chin.
        threads: threads for the network; ``None`` means all cores.
        beside: a file, such as the JSON that is to be written, beside which the predictions are
            kept as ``NAME.predictions.npz``: a call that was broken off goes on with them.
        on_face: called after each face with the number done and the number of all.

    Raises:
        ConfigError: options that do not go together, or no such format.
        DataError: the folder does not hold such a set, or a photo of it cannot be read.
        ModelError, InputError: the model or the detector's file cannot be opened.
        OutputError: the predictions cannot be kept.
    """
    data_format, init = _member(Format, data_format), _member(Init, init)
    if mirror and careful:
        raise ConfigError("careful looks are mirrored already: leave one of them out")
    if mirror and init is Init.DETECTOR and detector.startswith("boxes:"):
        raise ConfigError("boxes of a file are not those of mirrored photos: leave one of them out")
    found = read_photo_set(data_format, Path(root), split=split, sources=sources)
    if found.turned and (cut is not None or patch):
        raise ConfigError("turned photos have measures of their own: no cut, no patch")
    spoilt = perturb(found.photos, cut=cut, patch=patch)
    photos = [each.photo for each in spoilt] if spoilt else found.photos
    opened = open_measured_model(model, detector, threads, careful=careful)
    landmarker: FaceLandmarker = opened
    if mirror:
        landmarker = Mirrored(landmarker, np.array(load_markup(68).mirror))
    words = ["mien", "evaluate", data_format, Path(root).resolve().name, "--init", init]
    words += ["--model", Path(model).name]
    if data_format.usual_split:
        words += ["--split", split or data_format.usual_split]
    words += chain.from_iterable(("--source", name) for name in sources)
    words += ["--detector", detector] if init is Init.DETECTOR else []
    words += ["--mirror"] if mirror else []
    words += ["--careful"] if careful else []
    words += ["--cut", f"{cut:g}"] if cut is not None else []
    words += ["--patch"] if patch else []
    twice = {"mirror": mirror, "careful": careful}
    provenance = Provenance.of(opened.pair, words, data_format, init, **twice)
    look = _Looks(landmarker, photos, provenance, beside, on_face)
    beyond = BeyondPoints(
        turned=found.turned,
        probes=look.at_no_faces() if found.turned and init is Init.ORACLE else None,
        perturbed=spoilt,
        confidence_radius=opened.pair.following.card.confidence_radius,
    )
    return evaluate_predictions(photos, look.at_faces(init), provenance, beyond)


@dataclass(frozen=True)
class BeyondPoints:
    """What a set tells besides its points, and the network's answers to crops without a face."""

    turned: Sequence[TurnedFace] = ()
    probes: Probes | None = None
    perturbed: Sequence[PerturbedPhoto] = ()
    confidence_radius: float = 0.0
    """What the model's card says that its confidence claims, in face sizes."""


def evaluate_predictions(
    photos: Sequence[LabelledPhoto],
    predictions: Predictions,
    provenance: Provenance,
    beyond: BeyondPoints | None = None,
) -> Evaluation:
    """Score against every truth there is, as predicted and moved to the set's convention.

    Raises:
        DataError: the predictions are of other photos.
    """
    beyond = beyond or BeyondPoints()
    measures = _measure(photos, predictions, beyond)
    conventions = {photo.convention for photo in photos}
    own, moved = provenance.convention, None
    if len(conventions) == 1 and (sets := conventions.pop()) is not None and sets != own:
        moved = Moved(sets, _measure(photos, moved_to(predictions, own, sets), beyond))
    return Evaluation(provenance, photos, predictions, measures, moved)


def _measure(
    photos: Sequence[LabelledPhoto], predictions: Predictions, beyond: BeyondPoints
) -> Measures:
    others = dict.fromkeys(other.name for photo in photos for other in photo.other_truths)
    radius, turned, perturbed = beyond.confidence_radius, None, None
    if beyond.turned:
        turned = score_turned(beyond.turned, predictions, beyond.probes, _MEAN_SHAPE, radius)
    if beyond.perturbed:
        perturbed = score_perturbed(beyond.perturbed, predictions, _MEAN_SHAPE, radius)
    return Measures(
        score(photos, predictions),
        tuple((name, score(photos, predictions, name)) for name in others),
        score_pose(photos, predictions.points_image, _MEAN_SHAPE),
        turned,
        perturbed,
    )


def moved_to(predictions: Predictions, old: Convention, new: Convention) -> Predictions:
    """The same predictions, their points moved from one convention to another."""
    points = predictions.points_image.copy()
    for row in np.flatnonzero(np.isfinite(points).all(axis=(1, 2))):
        points[row] = in_convention(points[row], old, new)
    return dataclasses.replace(predictions, points_image=points)


@dataclass(frozen=True)
class _Looks:
    """The passes of a landmarker over the photos, each kept in a file of its own."""

    landmarker: FaceLandmarker
    photos: Sequence[LabelledPhoto]
    provenance: Provenance
    beside: Path | None
    on_face: Callable[[int, int], None]

    def at_faces(self, init: Init) -> Predictions:
        def look(photo: LabelledPhoto, row: int) -> Prediction | None:
            frame = Frame(photo.read_rgb(), row, 0.0)
            return locate(self.landmarker, photo, frame, init, _MEAN_SHAPE)

        return self._pass("predictions", look)

    def at_no_faces(self) -> Probes:
        """At a corner without the face, and at crops that are far off it."""
        model = self.landmarker

        def at_corner(photo: LabelledPhoto, row: int) -> Prediction | None:
            view = corner_view(photo, photo.read_rgb(), model.side)
            return None if view is None else model.align_crop(view.image_rgb, view.image_from_crop)

        def misplaced(photo: LabelledPhoto, row: int) -> Prediction:
            crop = misplaced_crop(photo, _MEAN_SHAPE, model.side)
            return model.align_crop(photo.read_rgb(), crop)

        return Probes(self._pass("no_face", at_corner), self._pass("misplaced", misplaced))

    def _pass(
        self, what: str, look: Callable[[LabelledPhoto, int], Prediction | None]
    ) -> Predictions:
        beside, total = self.beside, len(self.photos)
        file = None if beside is None else beside.with_name(f"{beside.stem}.{what}.npz")
        run = repr(self.provenance)
        return predict(self.photos, look, file, run, lambda done: self.on_face(done, total))


_Named = TypeVar("_Named", bound=StrEnum)


def _member(kind: type[_Named], word: str) -> _Named:
    try:
        return kind(word)
    except ValueError:
        known = ", ".join(kind)
        raise ConfigError(
            f"no such {kind.__name__.lower()} {word!r}: it is one of {known}"
        ) from None
