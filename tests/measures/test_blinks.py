"""Blinks counted by hand on curves that a person can draw."""

from __future__ import annotations

import numpy as np

from mien.measures import Blink, eyes_seen, find_blinks


def test_blinks_are_short_and_whole() -> None:
    openings = np.full(100, 0.3)
    openings[:3] = 0.05  # shut when it begins: nobody saw it shut
    openings[20:23] = (0.15, 0.05, 0.15)  # a blink
    openings[40:42] = 0.19  # narrowed
    openings[50:75] = 0.05  # a second of rest
    openings[97:] = 0.05  # not opened again
    times = np.arange(100) / 25
    assert find_blinks(times, openings) == [Blink(20, 21, 22)]
    openings[21] = np.nan
    assert find_blinks(times, openings) == [Blink(20, 20, 22)]
    assert find_blinks(times[:0], openings[:0]) == []
    assert find_blinks(times[:5], np.full(5, np.nan)) == []


def test_a_blink_whose_shutting_nobody_saw_is_none() -> None:
    times = np.arange(60) / 25
    openings = np.full(60, 0.3)
    openings[20:30] = np.nan  # turned away for 0.4 s
    openings[30:32] = 0.05
    openings[45:48] = np.nan  # for 0.12 s
    openings[48] = 0.05
    assert find_blinks(times, openings) == [Blink(48, 48, 48)]


def test_eyes_that_are_never_open_do_not_blink() -> None:
    openings = np.full(60, 0.1)
    openings[30:32] = 0.01
    assert find_blinks(np.arange(60) / 25, openings) == []


def test_eyes_are_not_read_beyond_55_degrees_nor_where_the_points_are_not_sure() -> None:
    yaw = np.array([0.0, -55.0, 56.0, 10.0, 10.0, 10.0])
    sure = np.array([0.9, 0.9, 0.99, 0.79, 0.8, np.nan])
    assert eyes_seen(yaw, sure).tolist() == [True, True, False, False, True, True]


def test_an_eye_that_shuts_alone_and_a_small_dip_are_no_blinks() -> None:
    times, openings = np.arange(60) / 25, np.full(60, 0.3)
    openings[30:33] = 0.16
    both, one = np.where(openings < 0.3, 0.2, 0.3), np.full(60, 0.3)
    assert find_blinks(times, openings, both) == [Blink(30, 30, 32)]
    assert find_blinks(times, openings, one) == []
    narrow = np.full(60, 0.2)
    narrow[30:33] = 0.085  # 0.115 eye widths, though more than 0.45 of the usual opening
    assert find_blinks(times, narrow) == []
    narrow[31] = 0.075
    assert find_blinks(times, narrow) == [Blink(30, 31, 32)]


def test_a_turned_head_must_shut_its_eyes_further() -> None:
    times, openings = np.arange(90) / 25, np.full(90, 0.3)
    openings[30:33] = 0.12  # 0.4 of the usual opening
    openings[60:63] = 0.09
    for yaw, found in ((0.0, 2), (-15.0, 2), (16.0, 1), (-40.0, 1), (np.nan, 2)):
        blinks = find_blinks(times, openings, yaw_deg=np.full(90, yaw))
        assert len(blinks) == found
        assert blinks[-1] == Blink(60, 60, 62)


def test_eyes_that_are_half_shut_for_a_while_tremble() -> None:
    """A blink is told from how open the eyes are around it, not from the usual opening alone."""
    times, openings = np.arange(200) / 25, np.full(200, 0.3)
    openings[100:140] = 0.22
    openings[120] = 0.15  # half of the usual opening, 0.68 of what is around it
    assert find_blinks(times, openings) == []
    openings[120] = 0.13
    assert find_blinks(times, openings) == [Blink(120, 120, 120)]
