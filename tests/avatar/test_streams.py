"""What a UDP socket on loopback receives, decoded by the specification of OSC."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from osc_reader import Receiver
from played import FRAMES, HIDDEN, Played
from scipy.spatial.transform import Rotation

from mien.errors import ConfigError
from mien.expression import ABSENT, SHAPES
from mien.types import Box, Face, Frame, Landmarks
from patience import PATIENCE_SECS

pytest.importorskip("pythonosc")

from mien.avatar.streams import FaceStream, StreamTarget


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.close()


def send(receiver: Receiver, protocol: str, played: Played, face: int | None = None) -> FaceStream:
    stream = FaceStream(StreamTarget.parse(protocol, receiver.place), face)
    with stream:
        for frame, faces in played.frames:
            stream.write(frame, faces)
    return stream


def test_every_osc_message_says_what_the_face_did(receiver: Receiver, played: Played) -> None:
    assert send(receiver, "osc", played, face=3).dropped == 0
    said = receiver.messages()
    frames = [values for address, values in said if address == "/mien/frame"]
    assert [index for index, _, _ in frames] == list(range(FRAMES))
    assert [count for _, _, count in frames][-1] == 2
    by_frame: list[dict[str, tuple[object, ...]]] = []
    for address, values in said:
        if address == "/mien/frame":
            by_frame.append({})
        by_frame[-1][address] = values
    for index, one in enumerate(by_frame):
        if index in HIDDEN:
            assert set(one) == {"/mien/frame"}
            continue
        assert one["/mien/face"] == (3, pytest.approx(0.9))
        assert one["/mien/pose"] == pytest.approx((30.0, -10.0 + index / 2, 5.0), abs=1e-5)
        assert one["/mien/head/position"] == pytest.approx(played.place_cm(index), abs=1e-4)
        turn = Rotation.from_quat(one["/mien/head/rotation"]).as_matrix()
        np.testing.assert_allclose(turn, played.rotation(index), atol=1e-6)
        assert {address.removeprefix("/mien/shape/") for address in one if "shape" in address} == {
            *SHAPES
        }
        assert one["/mien/shape/jawOpen"] == pytest.approx((0.9 * index / FRAMES,), abs=1e-6)
    assert not any(name in address for name in ABSENT for address, _ in said)


def test_every_vmc_message_is_one_of_the_protocol(receiver: Receiver, played: Played) -> None:
    send(receiver, "vmc", played, face=3)
    said = receiver.messages()
    assert {address for address, _ in said} == {
        *("/VMC/Ext/OK", "/VMC/Ext/T", "/VMC/Ext/Bone/Pos"),
        *("/VMC/Ext/Blend/Val", "/VMC/Ext/Blend/Apply"),
    }
    starts = [place for place, (address, _) in enumerate(said) if address == "/VMC/Ext/OK"]
    assert len(starts) == FRAMES
    for index, (start, end) in enumerate(zip(starts, [*starts[1:], len(said)], strict=True)):
        part = said[start:end]
        assert part[:2] == [
            ("/VMC/Ext/OK", (1,)),
            ("/VMC/Ext/T", (pytest.approx(index / 25),)),
        ]
        if index in HIDDEN:
            assert len(part) == 2
            continue
        assert part[-1] == ("/VMC/Ext/Blend/Apply", ())
        shapes = dict(values for address, values in part if address == "/VMC/Ext/Blend/Val")
        assert len(shapes) == len(SHAPES)
        assert shapes["JawOpen"] == pytest.approx(0.9 * index / FRAMES, abs=1e-6)
        ((name, *numbers),) = [values for address, values in part if "Bone" in address]
        assert (name, numbers[:3]) == ("Head", [0.0, 0.0, 0.0])
        # Unity: x to the own right, y up, z ahead; the picture's axes point the other way each.
        ahead = Rotation.from_quat(numbers[3:]).apply([0, 0, 1])
        assert ahead[0] < -0.4
        np.testing.assert_allclose(ahead, -(played.rotation(index) @ [0, 0, -1]), atol=1e-6)
        assert (ahead[1] > 0) == (index < 15)  # looks up at first
        # The head tilts clockwise in the picture: to the person's own left.
        assert Rotation.from_quat(numbers[3:]).apply([0, 1, 0])[0] < 0


def test_avatars_without_the_52_get_the_shapes_of_vrm(receiver: Receiver, played: Played) -> None:
    target = dataclasses.replace(StreamTarget.parse("vmc", receiver.place), protocol="vrm")
    with FaceStream(target, 3) as stream:
        stream.write(*played.frames[20])
    said = receiver.messages()
    shapes = dict(values for address, values in said if address == "/VMC/Ext/Blend/Val")
    assert set(shapes) == {"Blink_L", "Blink_R", "A", "U", "O", "Joy"}
    assert shapes["A"] == pytest.approx(0.6, abs=1e-6)
    assert said[-1] == ("/VMC/Ext/Blend/Apply", ())


def _sized(face: Face, track_id: int, size: float) -> Face:
    points = face.landmarks.points_image * size
    return dataclasses.replace(
        face, track_id=track_id, landmarks=Landmarks(points, face.landmarks.confidence)
    )


def test_the_largest_is_followed_until_another_is_much_larger(
    receiver: Receiver, played: Played
) -> None:
    (face,) = played.frames[0][1]
    picture = played.frames[0][0].image_rgb
    sizes = [(1.0, 0.9), (1.0, 1.1), (1.0, 1.4), (1.0, 1.0), (None, 1.0), (1.1, 1.0)]
    frames = [[_sized(face, n, size) for n, size in enumerate(pair) if size] for pair in sizes]
    made = Played([(Frame(picture, n, n / 25), faces) for n, faces in enumerate(frames)])
    assert isinstance(face.box, Box)
    send(receiver, "osc", made)
    sent = [values[0] for address, values in receiver.messages() if address == "/mien/face"]
    assert sent == [0, 0, 1, 1, 1, 1]
    send(receiver, "osc", made, face=0)
    sent = [values[0] for address, values in receiver.messages() if address == "/mien/face"]
    assert sent == [0, 0, 0, 0, 0]


def test_a_guess_is_not_sent(receiver: Receiver, played: Played) -> None:
    """A face told behind another is larger, and then the one that was followed."""
    (face,) = played.frames[0][1]
    guess = dataclasses.replace(_sized(face, 1, 2.0), score=0.0)
    faces = [[_sized(face, 0, 1.0), guess], [dataclasses.replace(face, track_id=0, score=0.0)]]
    picture = played.frames[0][0].image_rgb
    made = Played([(Frame(picture, n, n / 25), one) for n, one in enumerate(faces)])
    send(receiver, "osc", made)
    said = receiver.messages()
    assert [values[0] for address, values in said if address == "/mien/face"] == [0]
    assert [values[2] for address, values in said if address == "/mien/frame"] == [1, 0]


def test_a_slow_receiver_slows_nobody(
    receiver: Receiver, played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = StreamTarget.parse("osc", receiver.place)
    stream = FaceStream(target)
    send_now = stream._client.send

    open_again, sent = threading.Event(), 0

    def stuck(content: object) -> None:
        nonlocal sent
        assert open_again.wait(PATIENCE_SECS), "the writer waited for the sender"
        sent += 1
        send_now(content)

    monkeypatch.setattr(stream._client, "send", stuck)
    for turn in range(10):
        for frame, faces in played.frames:
            stream.write(Frame(frame.image_rgb, frame.index + FRAMES * turn, 0.0), faces)
    assert sent == 0  # all was written before anything could be sent
    open_again.set()
    stream.close()
    numbers = [values[0] for address, values in receiver.messages() if address == "/mien/frame"]
    assert numbers == sorted(numbers)
    assert numbers[-1] == 10 * FRAMES - 1  # the newest comes
    assert stream.dropped == 10 * FRAMES - len(numbers) > 0


def test_nobody_there_is_no_error(played: Played) -> None:
    gone = Receiver()
    gone.close()
    send(gone, "vmc", played)


def test_a_buffer_that_is_full_costs_a_frame(
    receiver: Receiver, played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = FaceStream(StreamTarget.parse("osc", receiver.place))

    def full(content: object) -> None:
        raise BlockingIOError

    monkeypatch.setattr(stream._client, "send", full)
    with stream:
        for frame, faces in played.frames[:4]:
            stream.write(frame, faces)
    assert stream.dropped == 4


@pytest.mark.parametrize(
    "wrong",
    ["", "9000", "host:", ":9000", "host:0", "host:70000", "a b:1", "::1:90", "no.invalid:9"],
)
def test_a_place_that_cannot_be_is_refused(wrong: str) -> None:
    with pytest.raises(ConfigError) as told:
        StreamTarget.parse("osc", wrong)
    assert "\n" not in str(told.value)


def test_places_that_can() -> None:
    assert StreamTarget.parse("vmc", "localhost:39539").host == "127.0.0.1"
    assert StreamTarget.parse("vmc", "[::1]:39539").host == "::1"
