"""Sums of a small table whose numbers are counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from mien.measures import ClipRows, summarise

FRAMES = 100


def table() -> dict[str, np.ndarray]:
    """Person 0 is there all the time and blinks twice; person 3 for the last 20 frames."""
    frame = np.concatenate([np.arange(FRAMES), np.arange(80, 100)]).astype(float)
    person = np.repeat([0.0, 3.0], [FRAMES, 20])
    eyes = np.full(120, 0.3)
    eyes[20:23] = eyes[60:64] = 0.05
    columns = {
        "frame": frame,
        "time_secs": frame / 25,
        "track_id": person,
        "yaw_deg": np.where(person == 0, 5.0, 40.0),
        "pitch_deg": np.zeros(120),
        "roll_deg": np.zeros(120),
        "eye_right_open": eyes,
        "eye_left_open": eyes,
        "mouth_open": np.full(120, 0.02),
        "size_px": np.where(person == 0, 100.0, 50.0),
    }
    columns["track_id"][5:15] = np.nan
    for name in ("yaw_deg", "eye_right_open", "size_px"):
        columns[name][5:15] = np.nan
    return columns


def test_sums_are_those_counted_by_hand() -> None:
    clip, persons, events = summarise(ClipRows.of("a", table()))
    assert (clip.frames, clip.persons, clip.most_at_once, clip.blinks) == (100, 2, 2, 2)
    assert clip.seconds == pytest.approx(4.0)
    assert clip.face_share == pytest.approx(0.9)
    first, second = persons
    assert (first.person, second.person) == (0, 3)
    assert (first.frames, first.blinks, second.blinks) == (90, 2, 0)
    assert first.seconds == pytest.approx(3.6)
    assert first.blinks_per_min == pytest.approx(60 * 2 / 3.6)
    assert (first.at_camera_share, second.at_camera_share) == (1.0, 0.0)
    assert (first.size_px, second.size_px) == (100, 50)
    assert np.isnan(first.low_quality_share)
    assert np.isnan(first.mouth_width)
    assert [(one.kind, one.onset_frame, one.offset_frame) for one in events] == [
        ("blink", 20, 22),
        ("blink", 60, 63),
    ]
    assert events[0].strength == pytest.approx(1 - 0.05 / 0.3)


def test_what_nobody_saw_is_in_no_sum() -> None:
    """A score of 0 says that the face was behind another: its row holds a guess."""
    columns = table()
    columns["score"] = np.where((columns["track_id"] == 3) & (columns["frame"] < 90), 0.0, 0.9)
    columns["yaw_deg"][columns["score"] == 0] = 0.0
    clip, persons, _ = summarise(ClipRows.of("a", columns))
    second = persons[1]
    assert (second.person, second.frames, second.at_camera_share) == (3, 10, 0.0)
    assert second.seconds == pytest.approx(0.4)
    assert (clip.persons, clip.most_at_once) == (2, 2)


def test_rows_may_come_in_any_order_and_have_no_face_at_all() -> None:
    columns = table()
    order = np.random.default_rng(0).permutation(120)
    mixed = summarise(ClipRows.of("a", {name: values[order] for name, values in columns.items()}))
    assert mixed[1] == summarise(ClipRows.of("a", columns))[1] or np.isnan(mixed[1][0].mouth_width)
    assert [one.onset_frame for one in mixed[2]] == [20, 60]
    none = {name: np.full(3, np.nan) for name in columns}
    none |= {"frame": np.arange(3.0), "time_secs": np.arange(3) / 25}
    clip, persons, events = summarise(ClipRows.of("a", none))
    assert (clip.frames, clip.face_share, clip.persons, persons, events) == (3, 0.0, 0, [], [])


def test_too_few_frames_a_second_say_nothing_of_blinks() -> None:
    slow = table()
    slow["time_secs"] = slow["frame"] * 0.5
    _, (first, _), _ = summarise(ClipRows.of("a", slow))
    assert first.blinks == 0
    assert first.eyes_seen_secs == pytest.approx(45)
    assert np.isnan(first.blinks_per_min)


def test_points_that_slid_off_for_a_frame_are_no_blink() -> None:
    """Where the network is not sure of them; a blink that it is sure of stays one."""
    columns = table() | {"confidence": np.full(120, 0.95)}
    for name in ("eye_right_open", "eye_left_open"):
        columns[name][40] = 0.05
    _, (first, _), _ = summarise(ClipRows.of("a", columns))
    assert first.blinks == 3
    columns["confidence"][40] = 0.6
    _, (first, _), events = summarise(ClipRows.of("a", columns))
    assert [one.onset_frame for one in events if one.kind == "blink"] == [20, 60]
    assert first.eyes_seen_secs == pytest.approx(3.6 - 1 / 25)


def test_persons_may_be_named_by_the_table() -> None:
    columns = table() | {"person_id": np.full(120, 7.0)}
    assert [one.person for one in summarise(ClipRows.of("a", columns))[1]] == [7]
