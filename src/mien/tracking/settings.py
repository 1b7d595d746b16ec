"""The tracker's numbers, each with its meaning."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from types import NoneType
from typing import Final

from mien.alignment import StartSettings
from mien.errors import ConfigError, expect

__all__ = [
    "ALL_FACES",
    "OfflineSettings",
    "RecheckSettings",
    "SmoothingSettings",
    "TrackerSettings",
]

ALL_FACES: Final = 10_000
"""More than a photo holds."""

_SECONDS = (
    "search_secs",
    "anxious_search_secs",
    "least_search_secs",
    "close_search_secs",
    "weak_secs",
    "remember_secs",
    "recall_secs",
    "look_secs",
    "held_secs",
)


@dataclass(frozen=True)
class SmoothingSettings:
    """A low pass that opens with speed: still points rest, moving points do not lag."""

    rest_hz: float = 2.0
    """Cut-off for a point at rest of which the network is certain."""
    open_hz: float = 60.0
    """Hz added for a speed of one face size a second. At 0.5 face sizes a second the filter is
    5 ms behind, which is 0.3 % of the face."""
    noise: float = 0.15
    """Speed of a point against the rest of its face, in face sizes a second, that is taken for
    the network's noise and opens nothing. A closing eyelid moves at 0.5."""
    shake: float = 0.06
    """Speed of the whole face, in face sizes a second, that is taken for the shake of a hand that
    holds the camera and opens nothing. So slow a face is 0.5 % of its size behind."""
    speed_hz: float = 4.0
    """Cut-off for the estimate of speed."""
    doubt: float = 0.25
    """Share of ``rest_hz`` that is left for a point with confidence 0."""


@dataclass(frozen=True)
class OfflineSettings:
    """How far to look to both sides, and what counts as motion."""

    half_windows_secs: tuple[float, ...] = (0.07, 0.11, 0.18, 0.3, 0.5)
    """Ascending; the last one is how far ahead it looks."""
    most_frames: int = 30
    """Pictures held back at most, however many a second there are: bounds memory."""
    agree: float = 2.0
    """Deviations, in standard deviations of the noise, up to which a wider window is believed."""
    differ: float = 3.0
    """And from which it is not; between both it counts in part."""
    doubt: float = 0.25
    """Weight of a point with confidence 0."""

    def __post_init__(self) -> None:
        halves = self.half_windows_secs
        if not halves or min(halves) <= 0 or list(halves) != sorted(halves):
            raise ConfigError(f"half_windows_secs must be positive and ascend, not {halves}")
        if self.most_frames < 1 or not 0 < self.agree < self.differ:
            raise ConfigError("most_frames must be at least 1, and 0 < agree < differ")


@dataclass(frozen=True)
class RecheckSettings:
    """When a followed face is looked at again: ``docs/decisions/0023-second-looks.md``."""

    most_turn_deg: float = 10.0
    """A head that turned by more since the last frame jumped, or rushes."""
    usual_step_secs: float = 0.04
    """In a longer step it may turn by as much more."""
    most_lost: float = 0.1
    """Of the points' mean confidence, since the last frame."""
    least_confidence: float = 0.75
    """Below this mean confidence the points are unsure."""
    again_secs: float = 0.2
    """A face that stays unsure though its looks agreed is looked at again so often at most."""
    agreed: float = 0.9
    """Agreement from which looks agree: a third of ``far`` between them."""
    doubt_of_far: float = 0.5
    """Confidence that a look loses for each face size it lies from where the motion led."""
    far: float = 0.1
    """Face sizes between two looks that halve the score."""

    def __post_init__(self) -> None:
        for name in ("usual_step_secs", "far"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} must be above 0, not {getattr(self, name)}")


@dataclass(frozen=True)
class TrackerSettings:
    """How faces enter, stay and leave."""

    max_faces: int = 8
    """Faces followed at once; the biggest enter first."""
    search_secs: float = 1.0
    """Seconds between two searches for further faces while some are followed, at most: a third of
    it where the picture has changed away from them."""
    anxious_search_secs: float = 0.1
    """The same, while a face is weak or was lost a moment ago."""
    least_search_secs: float = 0.03
    """The same, whatever happens: a camera of 240 frames a second is searched no oftener than one
    of 30."""
    close_search_secs: float = 1.0
    """Seconds between two closer looks at frames of a large picture in which no face is known, or
    only small ones."""
    confirm_score: float = 0.5
    """Score at which both models must see a detection before it becomes a face."""
    keep_score: float = 0.5
    """A face below it is weak."""
    end_score: float = 0.3
    """A face below it ends at once: a scene change, an empty crop."""
    weak_secs: float = 0.15
    """For so long a face may be weak; the first frame beyond ends it if it is weak too."""
    remember_secs: float = 2.5
    """For so long a lost face that is found near its place gets its number back."""
    recall_secs: float = 60.0
    """For so long a face of the same appearance gets it back anywhere, also after a scene cut."""
    looks: bool = True
    """Use appearance too, to find scene cuts and to recognise a face that comes back. Else position
    alone."""
    same_likeness: float = 0.87
    """Likeness of the signatures, and half that of the small pictures, from which two faces are of
    one person: of pairs of two people 3 in 1000 are above."""
    other_likeness: float = 0.1
    """Likeness below which they are of two."""
    look_secs: float = 0.2
    """Seconds between two readings of a face's signature."""
    held_secs: float = 0.6
    """For so long a face that passes behind another followed one is handed out where its motion
    leads, with a score and confidences of 0: ``mien.tracking.held``. 0: never."""
    lead: float = 0.7
    """Share of the last frame's motion by which the next crop is moved ahead."""
    starts: StartSettings | None = field(default_factory=StartSettings.for_films)
    """From where a detection is looked at again if the first look is doubtful; ``None``: never."""
    start_anew_secs: float = 1.0
    """Such looks at one place of the picture lie at least so far apart."""
    recheck: RecheckSettings | None = field(default_factory=RecheckSettings)
    """When a frame of a followed face is looked at again; ``None``: never."""
    any_roll: bool = False
    """Where the detector finds no face, search also the frame turned by quarters."""
    careful: bool = False
    """Average six crops of each face in each frame: ``mien.alignment.careful``."""
    smoothing: SmoothingSettings | OfflineSettings | None = field(default_factory=SmoothingSettings)
    """``None`` hands out the points as the network gives them, and so does the tracker alone with
    ``OfflineSettings``: what tracks whole files smooths behind it."""

    def __post_init__(self) -> None:
        expect(self.max_faces, (int,), "max_faces", "a whole number")
        for name in (*_SECONDS, "confirm_score", "keep_score", "end_score", "lead"):
            expect(getattr(self, name), (int, float), name, "a number")
        kinds = SmoothingSettings, OfflineSettings, NoneType
        expect(self.smoothing, kinds, "smoothing", "a SmoothingSettings, OfflineSettings or None")
        if self.max_faces < 1:
            raise ConfigError(f"max_faces must be at least 1, not {self.max_faces}")
        for name in _SECONDS:
            if not 0 <= getattr(self, name) < math.inf:
                raise ConfigError(f"{name} must be seconds of 0 or more, not {getattr(self, name)}")
        if not 0 <= self.end_score <= self.keep_score <= 1:
            raise ConfigError(
                "scores must satisfy 0 <= end_score <= keep_score <= 1, not "
                f"{self.end_score} and {self.keep_score}"
            )

    def for_photo(self, *, all_faces: bool = False) -> TrackerSettings:
        """The same for a picture that nothing follows: its faces may be at any roll, and with
        ``all_faces`` as many as there are."""
        starts = None if self.starts is None else StartSettings()
        most = ALL_FACES if all_faces else self.max_faces
        return dataclasses.replace(self, max_faces=most, starts=starts, any_roll=True, looks=False)
