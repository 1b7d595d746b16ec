"""When a mouth moves as in speech: quickly open and shut, again and again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

__all__ = ["Stretch", "mouth_motion", "speaks", "stretches"]

_WINDOW_SECS = 1.0
_BEGINS, _ENDS = 0.025, 0.015
"""Motion, in outer eye distances, above which speech begins and below which it ends."""
_SHORTEST_SECS = 0.3


@dataclass(frozen=True)
class Stretch:
    """Frames in a row, by places in the arrays they were found in."""

    first: int
    last: int


def mouth_motion(
    times_secs: Float[np.ndarray, " frames"], openings: Float[np.ndarray, " frames"]
) -> Float[np.ndarray, " frames"]:
    """How much the mouth's opening goes up and down: its root mean square about its own mean of a
    second, over that second. A mouth that opens slowly, as in a yawn, has little.

    NaN where it was not seen at least three times in that second.
    """
    mean = _mean_of_a_second(times_secs, openings)
    return np.asarray(np.sqrt(_mean_of_a_second(times_secs, (openings - mean) ** 2)))


def _mean_of_a_second(
    times_secs: Float[np.ndarray, " frames"], values: Float[np.ndarray, " frames"]
) -> Float[np.ndarray, " frames"]:
    """Of the values that are known within half a second before and after."""
    known = np.isfinite(values)
    sums = [
        np.concatenate([[0.0], np.cumsum(one)]) for one in (known, np.where(known, values, 0.0))
    ]
    first = np.searchsorted(times_secs, times_secs - _WINDOW_SECS / 2, side="left")
    last = np.searchsorted(times_secs, times_secs + _WINDOW_SECS / 2, side="right")
    count, total = (one[last] - one[first] for one in sums)
    # Sums that cancel may leave a little less than nothing.
    mean = np.maximum(total, 0) / np.maximum(count, 1)
    return np.where(known & (count >= 3), mean, np.nan)


def speaks(
    times_secs: Float[np.ndarray, " frames"], openings: Float[np.ndarray, " frames"]
) -> Bool[np.ndarray, " frames"]:
    """Where the mouth moves as in speech: its motion rises above 0.025 and has not fallen below
    0.015 since, for at least 0.3 s. Chewing and laughter move it alike; sound is not heard."""
    on = np.zeros(len(openings), bool)
    is_on = False
    for frame, motion in enumerate(mouth_motion(times_secs, openings).tolist()):
        is_on = motion > (_ENDS if is_on else _BEGINS)  # False where it was not seen
        on[frame] = is_on
    for one in stretches(on):
        if times_secs[one.last] - times_secs[one.first] < _SHORTEST_SECS:
            on[one.first : one.last + 1] = False
    return on


def stretches(on: Bool[np.ndarray, " frames"]) -> list[Stretch]:
    """The runs of frames that are on."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(np.int8)))
    return [Stretch(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]
