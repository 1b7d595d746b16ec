"""When eyes blink: from the mean opening of both eyes over time, with hysteresis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float

__all__ = [
    "EYES_HIDDEN_DEG",
    "LEAST_CONFIDENCE",
    "LONGEST_GAP_SECS",
    "Blink",
    "eyes_seen",
    "find_blinks",
    "usual_opening",
]

EYES_HIDDEN_DEG: Final = 55.0
"""Yaw beyond which a head hides one eye, so that openings are not read."""
LEAST_CONFIDENCE: Final = 0.8
"""Points that slid off a face for a frame look like shut eyes, and the network is not sure of
them: below this mean confidence openings are not read. During blinks, of people and of the made val
clips, it is above 0.9 (0.8 is also where a face is looked at again)."""
_SHUT, _OPEN_AGAIN = 0.55, 0.7
"""Shares of a person's usual opening: a blink begins below the first and ends above the second."""
_TURNED_DEG = 15.0
_SHUT_TURNED = 0.34
"""The same at the apex of a blink of a head turned further than that: an eye in profile is read
lower than it is. Of 34 made val clips the true blinks of turned heads fall to 0.29 of the usual
opening and below, one of a real person to 0.33; what was made up stays at 0.35 and above. Of heads
that face the camera some real blinks of one frame fall to 0.46 alone."""
_LEAST_LOSS = 0.12
"""Eye widths that a blink shuts the eyes by at least. Of frames of the made val clips with the head
turned by less than 30 degrees one in a thousand is read lower than it is by 0.07 and more; blinks
there and of people lose 0.15 and more."""
_AROUND_SECS = 0.5
_SHUT_AROUND = 0.6
"""Share of the eyes' median opening so long before and after a blink that is left at its apex at
most: eyes that are read as half shut for a while, in bad light or a squint, tremble, and do not
blink each time."""
_LEAST_AROUND = 3
"""Frames around a blink, in which the eyes were seen, that tell how open they are there."""
_USUAL_PERCENTILE = 80
_LONGEST_BLINK_SECS = 0.6
"""Eyes that stay shut for longer rest."""
LONGEST_GAP_SECS: Final = 0.2
"""Eyes that were not seen for longer may have shut or opened meanwhile, slowly or not at all. At
fewer than five frames a second no blink can be read."""
_LEAST_USUAL = 0.15
"""Eyes that are usually less open (screwed up, behind dark glasses) show no blink."""


@dataclass(frozen=True)
class Blink:
    """One blink, by places in the arrays it was found in."""

    onset: int
    """The first frame below 0.55 of the usual opening."""
    apex: int
    """The frame with the eyes most shut."""
    offset: int
    """The last frame before the eyes are above 0.7 of the usual opening again."""


def eyes_seen(
    yaw_deg: Float[np.ndarray, " frames"], confidence: Float[np.ndarray, " frames"]
) -> Bool[np.ndarray, " frames"]:
    """Where both eyes can be read: the head is turned by no more than 55 degrees, and the mean
    confidence of its points is 0.8 or more, or not known (NaN)."""
    return np.asarray((np.abs(yaw_deg) <= EYES_HIDDEN_DEG) & ~(confidence < LEAST_CONFIDENCE))


def usual_opening(openings: Float[np.ndarray, " frames"]) -> float:
    """How open a person's eyes usually are: the 80th percentile; NaN if they were never seen."""
    if not np.isfinite(openings).any():
        return float("nan")
    return float(np.nanpercentile(openings, _USUAL_PERCENTILE))


def find_blinks(
    times_secs: Float[np.ndarray, " frames"],
    openings: Float[np.ndarray, " frames"],
    wider: Float[np.ndarray, " frames"] | None = None,
    yaw_deg: Float[np.ndarray, " frames"] | None = None,
) -> list[Blink]:
    """The blinks of one person, whose mean eye opening is given.

    ``wider`` is the opening of the eye that is wider open. Where it is given it must fall below 0.7
    of the usual opening too: one eye alone winks, or was read wrong. Where ``yaw_deg`` is given,
    the opening of a head turned by more than 15 degrees must fall below 0.34 of the usual one.

    NaN stands for a frame in which the eyes were not seen. The usual opening is the 80th
    percentile, and below 0.15 no blink can be read. A blink shuts the eyes by 0.12 eye widths or
    more, and to 0.6 or less of their median opening in the half seconds before and after. Eyes shut
    for more than 0.6 s are no blink, nor are those whose shutting or opening was not seen: at the
    recording's ends, and beside gaps of more than 0.2 s.
    """
    usual = usual_opening(openings)
    if not usual >= _LEAST_USUAL:
        return []
    blinks: list[Blink] = []
    first: int | None = None
    was_open = False
    seen_secs = -np.inf
    for frame, opening in enumerate(openings.tolist()):
        if not np.isfinite(opening):
            continue
        if times_secs[frame] - seen_secs > LONGEST_GAP_SECS:
            first, was_open = None, False
        seen_secs = times_secs[frame]
        if first is None and was_open and opening < _SHUT * usual:
            first = frame
        elif first is not None and opening > _OPEN_AGAIN * usual:
            apex = first + int(np.nanargmin(openings[first:frame]))
            short = times_secs[frame] - times_secs[first] <= _LONGEST_BLINK_SECS
            shut = usual - openings[apex] >= _LEAST_LOSS
            both = wider is None or wider[apex] <= _OPEN_AGAIN * usual
            blink = Blink(first, apex, frame - 1)
            is_deep = _is_deep(openings, usual, yaw_deg, apex)
            if short and shut and both and is_deep and _stands_out(times_secs, openings, blink):
                blinks.append(blink)
            first = None
        was_open = was_open or opening > _OPEN_AGAIN * usual
    return blinks


def _is_deep(
    openings: Float[np.ndarray, " frames"],
    usual: float,
    yaw_deg: Float[np.ndarray, " frames"] | None,
    apex: int,
) -> bool:
    if yaw_deg is None or not abs(yaw_deg[apex]) > _TURNED_DEG:
        return True
    return bool(openings[apex] <= _SHUT_TURNED * usual)


def _stands_out(
    times_secs: Float[np.ndarray, " frames"], openings: Float[np.ndarray, " frames"], blink: Blink
) -> bool:
    """Whether the eyes are more open before and after it."""
    around = np.abs(times_secs - times_secs[blink.apex]) <= _AROUND_SECS
    around[blink.onset : blink.offset + 1] = False
    seen = openings[around & np.isfinite(openings)]
    if len(seen) < _LEAST_AROUND:
        return True
    return bool(openings[blink.apex] <= _SHUT_AROUND * np.median(seen))
