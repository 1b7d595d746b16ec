"""A tracker that is stopped and goes on in another one hands out what an unbroken one does."""

from __future__ import annotations

import io

import numpy as np
import pytest
from world import FPS, ScriptedFace, World, frame_at

from mien.errors import InputError
from mien.tracking import Tracker
from mien.tracking.state import restore_tracker, tracker_state
from mien.types import Face

FRAMES = 60


def world() -> World:
    """One walks, one comes late and blinks out, one is lost and found again."""
    return World(
        ScriptedFace(lambda frame: (100 + 3 * frame, 120, 60)),
        ScriptedFace(lambda frame: (500, 100, 40) if 12 <= frame < 30 else None),
        ScriptedFace(
            lambda frame: (60, 60, 30) if frame < 20 or frame > 35 else None,
            lambda frame: 0.4 if frame % 9 == 0 else 0.9,
        ),
    )


def told(faces: list[Face]) -> list[tuple[object, ...]]:
    return [
        (one.track_id, one.score, one.pose, one.landmarks.points_image.tobytes()) for one in faces
    ]


def stored(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Through a file, without pickle."""
    file = io.BytesIO()
    np.savez(file, **state)  # type: ignore[arg-type]
    file.seek(0)
    with np.load(file, allow_pickle=False) as data:
        return {name: data[name] for name in data.files}


@pytest.mark.parametrize("stop", [1, 9, 13, 21, 28, 33, 37, 50])
def test_a_broken_run_equals_an_unbroken_one(stop: int) -> None:
    whole, first, second = (Tracker(one, one, one) for one in (world(), world(), world()))
    expected = [told(whole.update(frame_at(index))) for index in range(FRAMES)]
    for index in range(stop):
        first.update(frame_at(index))
    restore_tracker(second, stored(tracker_state(first)))
    rest = [told(second.update(frame_at(index))) for index in range(stop, FRAMES)]
    assert rest == expected[stop:]
    assert expected[-1]
    assert FPS == 25


def test_what_is_not_known_is_not_saved_in_silence() -> None:
    one = world()
    tracker = Tracker(one, one, one)
    tracker.extra = object()  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="object"):
        tracker_state(tracker)


def test_a_damaged_state_is_told() -> None:
    one = world()
    tracker = Tracker(one, one, one)
    state = tracker_state(tracker)
    with pytest.raises(InputError):
        restore_tracker(tracker, {"graph": state["graph"][:-5]})
    with pytest.raises(InputError):
        restore_tracker(tracker, {})


def test_a_state_of_other_code_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A track of then may lack what one of now has, under the same number of mien."""
    one = world()
    tracker = Tracker(one, one, one)
    tracker.update(frame_at(0))
    with monkeypatch.context() as then:
        then.setattr("mien.tracking.state._version", lambda: "of then")
        state = tracker_state(tracker)
    with pytest.raises(InputError, match="another version"):
        restore_tracker(Tracker(one, one, one), state)
    restore_tracker(tracker, tracker_state(tracker))
