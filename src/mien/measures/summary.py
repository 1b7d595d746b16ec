"""Events and sums of a clip: what each person did, and how often."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from mien.measures.blinks import LONGEST_GAP_SECS, eyes_seen, find_blinks, usual_opening
from mien.measures.head import AT_CAMERA_DEG, faces_camera, find_nods, find_shakes
from mien.measures.mouth import speaks, stretches
from mien.measures.track import ClipRows, PersonRows

__all__ = ["ClipSummary", "Event", "PersonSummary", "mean_eye_opening", "summarise"]

_LOW_QUALITY = 0.5


@dataclass(frozen=True)
class Event:
    """Something that one person did."""

    clip: str
    person: int
    kind: str
    """``blink``, ``nod``, ``shake`` or ``speech``."""
    onset_frame: int
    apex_frame: int
    offset_frame: int
    onset_secs: float
    apex_secs: float
    offset_secs: float
    strength: float
    """Of a blink the share of the usual opening that was lost; of a nod or shake its largest swing
    in degrees; of speech the spread of the mouth's opening."""


@dataclass(frozen=True)
class PersonSummary:
    """One person in one clip. Shares are of the time in which the person was seen."""

    clip: str
    person: int
    frames: int
    seconds: float
    eyes_seen_secs: float
    """With the head turned by at most 55 degrees and a mean confidence of 0.8 or more."""
    blinks: int
    blinks_per_min: float
    """Of the time in which the eyes were seen, in frames at most 0.2 s apart; NaN if it is none."""
    blink_secs: float
    """Median length of a blink."""
    eye_right_open: float
    """Medians, these and the next five."""
    eye_left_open: float
    mouth_open: float
    mouth_width: float
    brow_right_height: float
    brow_left_height: float
    speaking_share: float
    nods: int
    shakes: int
    at_camera_share: float
    yaw_deg: float
    """Medians, and the spread between the 5th and the 95th percentile."""
    pitch_deg: float
    roll_deg: float
    yaw_range_deg: float
    pitch_range_deg: float
    head_speed_sizes_per_sec: float
    turn_speed_deg_per_sec: float
    size_px: float
    low_quality_share: float
    """With a quality below 0.5; NaN where the table has none."""


@dataclass(frozen=True)
class ClipSummary:
    """One clip."""

    clip: str
    frames: int
    seconds: float
    face_share: float
    """Of the time with at least one face."""
    persons: int
    most_at_once: int
    blinks: int
    speaking_secs: float
    low_quality_share: float


def summarise(
    rows: ClipRows, at_camera_deg: float = AT_CAMERA_DEG
) -> tuple[ClipSummary, list[PersonSummary], list[Event]]:
    """One clip's sums, each person's, and what they did in order of time."""
    persons: list[PersonSummary] = []
    events: list[Event] = []
    speaking_secs = 0.0
    for person in rows.persons():
        own = _events(person)
        persons.append(_person(person, own, at_camera_deg))
        events += own
        speaking_secs += persons[-1].speaking_share * persons[-1].seconds
    events.sort(key=lambda one: (one.onset_secs, one.person, one.kind))
    return _clip(rows, persons, speaking_secs), persons, events


def _clip(rows: ClipRows, persons: Sequence[PersonSummary], speaking_secs: float) -> ClipSummary:
    frame, secs, seen = rows.columns["frame"], rows.row_secs, rows.seen
    _, first, inverse = np.unique(frame, return_index=True, return_inverse=True)
    faces = np.bincount(inverse, weights=seen, minlength=len(first))
    whole = float(secs[first].sum())
    quality = rows.columns.get("quality", np.full(len(frame), np.nan))[seen]
    return ClipSummary(
        clip=rows.clip,
        frames=len(first),
        seconds=whole,
        face_share=_share(faces > 0, secs[first]),
        persons=len(persons),
        most_at_once=int(faces.max()) if len(faces) else 0,
        blinks=sum(one.blinks for one in persons),
        speaking_secs=speaking_secs,
        low_quality_share=_low(quality, secs[seen]),
    )


def mean_eye_opening(person: PersonRows) -> Float[np.ndarray, " rows"]:
    """Of both eyes; NaN where the head hides one or the points are not sure (``eyes_seen``)."""
    opening = (person["eye_right_open"] + person["eye_left_open"]) / 2
    return np.where(eyes_seen(person["yaw_deg"], person["confidence"]), opening, np.nan)


def _events(person: PersonRows) -> list[Event]:
    times, eyes = person.times_secs, mean_eye_opening(person)
    wider = np.maximum(person["eye_right_open"], person["eye_left_open"])
    usual = usual_opening(eyes)
    yaw, pitch = person["yaw_deg"], person["pitch_deg"]
    spans: list[tuple[str, int, int, int, float]] = [
        ("blink", one.onset, one.apex, one.offset, 1 - float(eyes[one.apex]) / usual)
        for one in find_blinks(times, eyes, wider, yaw)
    ]
    for kind, gestures in (
        ("nod", find_nods(times, pitch, yaw)),
        ("shake", find_shakes(times, yaw, pitch)),
    ):
        spans += [(kind, one.onset, one.apex, one.offset, one.largest_deg) for one in gestures]
    mouth = person["mouth_open"]
    for one in stretches(speaks(times, mouth)):
        inside = mouth[one.first : one.last + 1]
        apex = one.first + (int(np.nanargmax(inside)) if np.isfinite(inside).any() else 0)
        spans.append(("speech", one.first, apex, one.last, float(np.nanstd(inside))))
    frames = person.frames
    return [
        Event(
            clip=person.clip,
            person=person.person,
            kind=kind,
            onset_frame=int(frames[onset]),
            apex_frame=int(frames[apex]),
            offset_frame=int(frames[offset]),
            onset_secs=float(times[onset]),
            apex_secs=float(times[apex]),
            offset_secs=float(times[offset]),
            strength=strength,
        )
        for kind, onset, apex, offset, strength in spans
    ]


def _person(person: PersonRows, events: Sequence[Event], at_camera_deg: float) -> PersonSummary:
    secs, times = person.secs, person.times_secs
    blinks = [one for one in events if one.kind == "blink"]
    eyes_secs = secs[np.isfinite(mean_eye_opening(person))]
    readable_secs = float(eyes_secs[eyes_secs <= LONGEST_GAP_SECS].sum())
    yaw, pitch = person["yaw_deg"], person["pitch_deg"]
    medians = {
        one.name: _median(person[one.name])
        for one in dataclasses.fields(PersonSummary)
        if one.name in person.columns and one.name != "frames"
    }
    names = (
        *("eye_right_open", "eye_left_open", "mouth_open", "mouth_width", "brow_right_height"),
        *("brow_left_height", "yaw_deg", "pitch_deg", "roll_deg", "head_speed_sizes_per_sec"),
        *("turn_speed_deg_per_sec", "size_px"),
    )
    return PersonSummary(
        clip=person.clip,
        person=person.person,
        frames=len(person.frames),
        seconds=float(secs.sum()),
        eyes_seen_secs=float(eyes_secs.sum()),
        blinks=len(blinks),
        blinks_per_min=60 * len(blinks) / readable_secs if readable_secs > 0 else float("nan"),
        blink_secs=_median(np.array([one.offset_secs - one.onset_secs for one in blinks])),
        speaking_share=_share(speaks(times, person["mouth_open"]), secs),
        nods=sum(one.kind == "nod" for one in events),
        shakes=sum(one.kind == "shake" for one in events),
        at_camera_share=_share(faces_camera(yaw, pitch, at_camera_deg), secs),
        yaw_range_deg=_range(yaw),
        pitch_range_deg=_range(pitch),
        low_quality_share=_low(person["quality"], secs),
        **{name: medians.get(name, float("nan")) for name in names},
    )


def _share(on: Bool[np.ndarray, " n"], secs: Float[np.ndarray, " n"]) -> float:
    whole = float(secs.sum())
    if whole > 0:
        return float(secs[on].sum()) / whole
    return float(on.mean()) if len(on) else float("nan")  # a photo lasts no time


def _low(quality: Float[np.ndarray, " n"], secs: Float[np.ndarray, " n"]) -> float:
    known = np.isfinite(quality)
    return _share(quality[known] < _LOW_QUALITY, secs[known]) if known.any() else float("nan")


def _median(values: Float[np.ndarray, " n"]) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


def _range(values: Float[np.ndarray, " n"]) -> float:
    known = values[np.isfinite(values)]
    return float(np.ptp(np.percentile(known, (5, 95)))) if len(known) else float("nan")
