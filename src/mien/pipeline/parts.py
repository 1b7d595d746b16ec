"""What a tracker is made of, opened once; and a tracker of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType

from mien.errors import expect
from mien.media import Source, SourceKind
from mien.pipeline.tally import Tally, TimedFinder, TimedPredictor
from mien.runtime import DEFAULT_MODEL, LandmarkerPair, load_landmarkers, open_detector
from mien.tracking import Tracker, TrackerSettings
from mien.types import FaceFinder

__all__ = ["TrackerParts", "load_tracker", "make_tracker"]


@dataclass(frozen=True)
class TrackerParts:
    """Networks, detector and settings of a tracker: opened once, for any number of videos."""

    pair: LandmarkerPair
    detector: FaceFinder
    settings: TrackerSettings = field(default_factory=TrackerSettings)

    @classmethod
    def open(
        cls,
        model: str | Path = DEFAULT_MODEL,
        *,
        points: int = 68,
        detector: str = "centerface",
        settings: TrackerSettings | None = None,
        threads: int | None = None,
    ) -> TrackerParts:
        """Open a model by name or path, and a detector.

        Args:
            points: the markup: 68, which every model has, or 84.
            detector: see :func:`mien.runtime.open_detector`.
            threads: threads of the networks and of the detector; ``None`` means all cores.

        Raises:
            ModelError: no model of that name, a damaged weight file, or one without these points.
            ConfigError: an unknown detector, or options that do not go together.
            InputError: the detector's file cannot be read.
        """
        expect(model, (str, Path), "model", "a name of `mien models` or a weight file's path")
        expect(detector, (str,), "detector", "the words of --detector, such as 'centerface'")
        expect(threads, (int, NoneType), "threads", "a whole number")
        expect(settings, (TrackerSettings, NoneType), "settings", "a TrackerSettings")
        pair = load_landmarkers(str(model), points=points, threads=threads)
        return cls(pair, open_detector(detector, threads), settings or TrackerSettings())

    def for_source(self, source: Source, *, all_faces_of_photos: bool) -> TrackerParts:
        """The same, but if the source is a photo for faces at any roll, and maybe for all."""
        if source.kind is not SourceKind.PHOTO:
            return self
        settings = self.settings.for_photo(all_faces=all_faces_of_photos)
        return dataclasses.replace(self, settings=settings)

    def tracker(self, tally: Tally | None = None) -> Tracker:
        """A new tracker; the time its parts take, and what the detector saw, go to ``tally``."""
        tally = tally or Tally()
        return Tracker(
            TimedFinder(self.detector, tally),
            TimedPredictor(self.pair.first, tally.stages),
            TimedPredictor(self.pair.following, tally.stages),
            self.settings,
        )


def load_tracker(
    model: str | Path = DEFAULT_MODEL,
    *,
    points: int = 68,
    detector: str = "centerface",
    settings: TrackerSettings | None = None,
    threads: int | None = None,
) -> Tracker:
    """A tracker with the model of that name or path, ready for a first frame.

    Args:
        points: the markup: 68, which every model has, or 84.
        detector: see :func:`mien.runtime.open_detector`.
        threads: threads of the networks and of the detector; ``None`` means all cores.

    Raises:
        ModelError: no model of that name, a damaged weight file, or one without these points.
        ConfigError: an unknown detector, or options that do not go together.
        InputError: the detector's file cannot be read.
    """
    return TrackerParts.open(
        model, points=points, detector=detector, settings=settings, threads=threads
    ).tracker()


def make_tracker(
    pair: LandmarkerPair, detector: FaceFinder, settings: TrackerSettings | None = None
) -> Tracker:
    """Join opened networks and a detector."""
    return TrackerParts(pair, detector, settings or TrackerSettings()).tracker()
