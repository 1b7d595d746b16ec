"""Pictures of a webcam over the socket: the tracker's own faces, and bounds."""

from __future__ import annotations

import json
import struct
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest_web import HERE, PORT, TOKEN
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from mien.pipeline import TrackerParts
from mien.types import Frame
from mien.web.app import make_app
from mien.web.visitors import Limits
from patience import until
from standin import square_picture

LIVE = f"ws://127.0.0.1:{PORT}/{TOKEN}/live"


def message_of(image: np.ndarray, time_secs: float, kind: str = ".png") -> bytes:
    return struct.pack("<d", time_secs) + cv2.imencode(kind, image[..., ::-1])[1].tobytes()


def walk(index: int) -> np.ndarray:
    return square_picture((60 + 2 * index, 60, 31))


def test_the_faces_are_the_trackers(page: TestClient, parts: TrackerParts) -> None:
    tracker = parts.tracker()
    with page.websocket_connect(LIVE) as socket:
        for index in range(8):
            socket.send_bytes(message_of(walk(index), index / 25))
            answer = json.loads(socket.receive_text())
            (face,) = tracker.update(Frame(walk(index), index, index / 25))
            assert (answer["frame"], answer["size"]) == (index, [160, 120])
            (told,) = answer["faces"]
            points = np.array(told["points"]).reshape(-1, 3)
            np.testing.assert_allclose(points, face.landmarks.points_image, atol=6e-4)
            assert told["pose_deg"][0] == pytest.approx(face.pose.yaw_deg, abs=6e-4)
            assert {"eye right", "eye left", "mouth", "jawOpen"} <= set(told["gauges"])


def test_each_visitor_has_a_tracker_and_the_third_is_told(page: TestClient) -> None:
    with page.websocket_connect(LIVE) as first, page.websocket_connect(LIVE) as second:
        for socket, x in ((first, 50), (second, 110), (first, 52), (second, 112)):
            socket.send_bytes(message_of(square_picture((x, 60, 31)), 0.1))
            (face,) = json.loads(socket.receive_text())["faces"]
            assert face["track_id"] == 0  # nobody else's face was there before
            middle = np.array(face["points"]).reshape(-1, 3)[:, 0].mean()
            assert middle == pytest.approx(x, abs=3)
        with page.websocket_connect(LIVE) as third, pytest.raises(WebSocketDisconnect) as ended:
            third.receive_text()
        assert ended.value.code == 4001
        assert "2 visitors are here already" in ended.value.reason
    with page.websocket_connect(LIVE) as again:  # both have left
        again.send_bytes(message_of(walk(0), 0.0))
        assert json.loads(again.receive_text())["faces"]


def test_no_face_is_an_empty_list(page: TestClient) -> None:
    with page.websocket_connect(LIVE) as socket:
        socket.send_bytes(message_of(np.zeros((120, 160, 3), np.uint8), 0.0, ".jpg"))
        assert json.loads(socket.receive_text())["faces"] == []


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"short",
        struct.pack("<d", 0.0) + b"no picture",
        message_of(np.zeros((8, 8, 3), np.uint8), 0.0),
        message_of(np.zeros((20, 2400, 3), np.uint8), 0.0),
        message_of(walk(0), float("nan")),
        message_of(walk(0), 0.0, ".jpg")[:300],
    ],
)
def test_what_is_no_picture_ends_the_visit_with_a_reason(page: TestClient, message: bytes) -> None:
    with page.websocket_connect(LIVE) as socket:
        socket.send_bytes(message)
        with pytest.raises(WebSocketDisconnect) as ended:
            socket.receive_text()
    assert ended.value.code == 4003
    assert ended.value.reason


def test_who_says_nothing_loses_the_place(
    page: TestClient, monkeypatch: pytest.MonkeyPatch, limits: object
) -> None:
    object.__setattr__(limits, "idle_secs", 0.05)
    with page.websocket_connect(LIVE) as socket, pytest.raises(WebSocketDisconnect) as ended:
        socket.receive_text()
    assert ended.value.code == 4002


def test_the_threads_end_with_the_application(
    parts: TrackerParts, limits: Limits, tmp_path: Path
) -> None:
    """A server that ends leaves nobody at work."""
    before = visitors()
    with TestClient(make_app(parts, tmp_path, TOKEN, limits), base_url=HERE) as client:
        with client.websocket_connect(LIVE) as socket:
            socket.send_bytes(message_of(walk(0), 0.0))
            socket.receive_text()
        assert visitors() > before
    until(lambda: visitors() == before)


def visitors() -> int:
    return sum(thread.name.startswith("mien-visitor") for thread in threading.enumerate())
