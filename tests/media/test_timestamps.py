"""The clock against scripts a person can count."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.media.timestamps import Clock


def run(stamps: list[float | None], frame_secs: float = 1.0) -> list[float]:
    clock = Clock(frame_secs)
    return [clock.time_secs(stamp) for stamp in stamps]


@pytest.mark.parametrize(
    ("stamps", "times"),
    [
        ([7, 8, 9], [0, 1, 2]),
        ([0, 1, 30, 31], [0, 1, 30, 31]),  # a gap is a gap
        ([0, None, None, 3], [0, 1, 2, 3]),
        ([None, None, None], [0, 1, 2]),
        ([0, 1, 1, 2, 3], [0, 1, 1.5, 2, 3]),  # a stamp twice
        ([0, 2, 1, 3], [0, 2, 2.5, 3]),  # two stamps swapped
        ([0, 1, 20, 0, 1, 2], [0, 1, 20, 21, 22, 23]),  # a second recording joined on
    ],
)
def test_times(stamps, times):
    assert run(stamps) == times


@given(st.lists(st.none() | st.floats(-1e3, 1e3, width=32), min_size=1, max_size=30))
def test_time_always_advances(stamps):
    times = run(stamps, 0.04)
    assert times[0] == 0
    assert all(later > earlier for earlier, later in itertools.pairwise(times))
