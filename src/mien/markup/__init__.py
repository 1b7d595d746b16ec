"""The 68- and 84-point markups: names, parts, mirror pairs and mean shape, read from data files.

Points are counted from 0. Left and right are the person's own; point 0 is the right ear, which a
picture shows on its left.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib import resources

import numpy as np
from jaxtyping import Float

from mien.errors import ConfigError

__all__ = ["Markup", "Part", "load_markup"]

_FILES = {68: "ibug68.json", 84: "menpo84.json"}


@dataclass(frozen=True)
class Part:
    """A named run of points that a drawing joins by lines."""

    name: str
    indices: tuple[int, ...]
    closed: bool


@dataclass(frozen=True)
class Markup:
    """What a landmark index means."""

    name: str
    parts: tuple[Part, ...]
    mirror: tuple[int, ...]
    """``mirror[i]`` is the point that point ``i`` becomes in a mirrored picture."""
    mean_shape: Float[np.ndarray, "points 3"]
    """Frontal mean head: mean at 0, sqrt(width * height) of its landmark box 1, x right, y down,
    z away from the camera. ``docs/conventions.md`` says how it was measured."""
    ibug68: tuple[int, ...]
    """For each of the 68 iBUG points its index here."""

    def __post_init__(self) -> None:
        count = len(self.mean_shape)
        if sorted(self.mirror) != list(range(count)):
            raise ValueError(f"{self.name}: mirror is not a permutation of {count} points")
        if sorted(index for part in self.parts for index in part.indices) != list(range(count)):
            raise ValueError(f"{self.name}: the parts do not hold each of {count} points once")

    def __len__(self) -> int:
        return len(self.mean_shape)

    @property
    def inner(self) -> tuple[int, ...]:
        """The 51 points inside the face: everything but the jaw."""
        return self.ibug68[17:]

    @property
    def apertures(self) -> tuple[tuple[int, int], ...]:
        """Pairs of points, upper and lower, that meet when an eye or the mouth shuts."""
        lids = ((37, 41), (38, 40), (43, 47), (44, 46))
        inner_lips = ((61, 67), (62, 66), (63, 65))
        return tuple((self.ibug68[up], self.ibug68[low]) for up, low in (*lids, *inner_lips))

    @property
    def mouth_spans(self) -> tuple[tuple[int, int], ...]:
        """Pairs of points across the mouth: its corners, and the outer rims of its lips."""
        corners, rims = ((48, 54), (60, 64)), ((50, 58), (51, 57), (52, 56))
        return tuple((self.ibug68[one], self.ibug68[other]) for one, other in (*corners, *rims))

    def part(self, name: str) -> Part:
        """The part of that name."""
        return next(part for part in self.parts if part.name == name)


@functools.cache
def load_markup(points: int) -> Markup:
    """The markup with that many points.

    Raises:
        ConfigError: there is none.
    """
    if points not in _FILES:
        raise ConfigError(f"there is no markup of {points} points: choose 68 or 84")
    text = resources.files("mien.markup").joinpath(_FILES[points]).read_text(encoding="utf-8")
    data = json.loads(text)
    mean_shape = np.array(data["mean_shape"], dtype=np.float64)
    mean_shape.setflags(write=False)
    return Markup(
        name=data["name"],
        parts=tuple(
            Part(part["name"], tuple(part["indices"]), part["closed"]) for part in data["parts"]
        ),
        mirror=tuple(data["mirror"]),
        mean_shape=mean_shape,
        ibug68=tuple(data["ibug68"]),
    )
