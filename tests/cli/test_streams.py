"""``mien track --osc``, ``mien live --vmc``: what arrives while it is tracked."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from scene import DARK, FRAMES, Done, Scene, read_rows

sys.path.insert(0, str(Path(__file__).parents[1] / "avatar"))

from osc_reader import Receiver

pytest.importorskip("pythonosc")
Mien = Callable[..., Done]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.close()


def test_track_sends_what_it_writes(
    mien: Mien, scene: Scene, tmp_path: Path, receiver: Receiver
) -> None:
    words = ("--no-overlay", "--osc", receiver.place, "--vmc", receiver.place, *scene.options)
    done = mien("track", scene.clip, "--out", tmp_path, *words)
    assert (done.code, done.err) == (0, "")
    said = receiver.messages()
    rows = read_rows(tmp_path / "clip.csv")
    assert "jawOpen" not in rows[0]  # sent, and not asked for in the table
    poses = [values for address, values in said if address == "/mien/pose"]
    assert len(poses) == FRAMES - DARK
    for row, pose in zip(rows[DARK:], poses, strict=True):
        assert pose == pytest.approx(
            [float(row[f"{name}_deg"]) for name in ("yaw", "pitch", "roll")], abs=1e-3
        )
    assert sum(address == "/VMC/Ext/Blend/Apply" for address, _ in said) == FRAMES - DARK


def test_live_sends_too(mien: Mien, scene: Scene, tmp_path: Path, receiver: Receiver) -> None:
    done = mien(
        *("live", scene.clip, "--no-window", "--out", tmp_path, "--vmc", receiver.place),
        *scene.options,
    )
    assert (done.code, done.err) == (0, "")
    addresses = [address for address, _ in receiver.messages()]
    assert addresses.count("/VMC/Ext/OK") >= 3
    assert "/VMC/Ext/Bone/Pos" in addresses


@pytest.mark.parametrize(
    "words", [("--osc", "nowhere"), ("--vmc", "host.invalid:9"), ("--face", "2"), ("--vrm-shapes",)]
)
@pytest.mark.parametrize("verb", ["track", "live"])
def test_a_wrong_place_is_one_line_before_any_work(
    mien: Mien, scene: Scene, tmp_path: Path, verb: str, words: tuple[str, ...]
) -> None:
    more = ("--no-window",) if verb == "live" else ()
    done = mien(verb, scene.clip, "--out", tmp_path / "out", *words, *more, *scene.options)
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_lens_of_which_nothing_is_sent_is_one_line(mien: Mien, scene: Scene) -> None:
    done = mien("live", scene.clip, "--no-window", "--fov", "60", *scene.options)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "--osc" in done.err
