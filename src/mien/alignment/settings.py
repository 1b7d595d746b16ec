"""When a first look is doubtful, and from where to look again."""

from __future__ import annotations

from dataclasses import dataclass

from mien.errors import ConfigError

__all__ = ["StartSettings"]


@dataclass(frozen=True)
class StartSettings:
    """How a face is looked at from several rolls: ``docs/decisions/0018-starts.md``.

    The defaults are for photos. A face that neither threshold doubts costs no more than one look.
    """

    rolls_deg: tuple[float, ...] = (-35, 35, -70, 70, -105, 105, -140, 140, 180)
    """Turns of the rough crop about its middle, beside the one it came with."""
    least_confidence: float = 0.8
    """Below this mean confidence of the points the first look is doubtful."""
    most_disagreement: float = 0.06
    """Beyond this mean distance between the points of model 1 and model 2, in face sizes, too."""
    least_when_found_anew: float = 0.7
    """A face that the first look did not see needs this mean confidence: more looks at a thing
    that is no face have more chances to err."""
    followed_up: int = 3
    """So many of model 1's looks, the most confident ones, are handed on to model 2."""
    border: bool = True
    """Look at a face that the picture's border cuts from further outside too
    (``mien.alignment.border``)."""

    def __post_init__(self) -> None:
        if self.followed_up < 1:
            raise ConfigError(f"followed_up must be at least 1, not {self.followed_up}")

    @classmethod
    def for_films(cls) -> StartSettings:
        """Fewer: a film shows the face again, and a head in it is rarely upside down."""
        return cls(rolls_deg=(-35, 35, -70, 70), followed_up=2)
