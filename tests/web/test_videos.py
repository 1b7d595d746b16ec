"""Videos dropped on the page: the table of ``mien track``, every frame told, and bounds."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from conftest_web import HERE, PORT, TOKEN
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from gltf_reader import GlbFile
from mien.expression import Details
from mien.media import open_source
from mien.outputs import open_table
from mien.pipeline import Tally, TrackerParts, track_source
from mien.tracking import TrackerSettings
from mien.web.app import make_app
from mien.web.visitors import Limits
from standin import square_picture

FOLLOW = f"ws://127.0.0.1:{PORT}/{TOKEN}/videos"


def write_clip(path: Path, frames: int = 10, width: int = 160, height: int = 120) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for index in range(frames):
            squares = [(50.0 + 2 * index, 60.0, 31)] if index > 2 else []
            picture = square_picture(*squares, width=width, height=height)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def follow(page: TestClient, name: str) -> tuple[list[dict[str, object]], int]:
    """Every message until the server closes, and how many pictures came."""
    told, pictures = [], 0
    with page.websocket_connect(f"{FOLLOW}/{name}") as socket:
        try:
            while True:
                message = socket.receive()
                if message["type"] == "websocket.close":
                    raise WebSocketDisconnect(message["code"])
                if message.get("text") is not None:
                    told.append(json.loads(message["text"]))
                else:
                    pictures += message["bytes"][:2] == b"\xff\xd8"
        except WebSocketDisconnect:
            return told, pictures


def test_a_video_gives_the_table_of_mien_track(
    page: TestClient, parts: TrackerParts, tmp_path: Path
) -> None:
    clip = write_clip(tmp_path / "clip.mp4")
    with open_source(clip) as source:
        read = Details(blendshapes=True)
        table = open_table(tmp_path / "expected.csv", 68, read)
        track_source(source, parts, [table], Tally(), details=read)
    name = page.post("videos", content=clip.read_bytes()).json()["video"]
    told, pictures = follow(page, name)
    assert [one["frame"] for one in told[:-1]] == list(range(10))
    assert all(one["expected"] == 10 for one in told[:-1])
    assert [len(one["faces"]) for one in told[:-1]] == [0] * 3 + [1] * 7
    assert told[-1]["done"]["frames"] == 10
    assert told[-1]["done"]["with_face"] == 7
    assert told[-1]["done"]["note"] == ""
    assert pictures >= 1
    table = page.get(f"videos/{name}/table.csv")
    assert table.content == (tmp_path / "expected.csv").read_bytes()
    assert told[-1]["done"]["heads"] == [0]
    head = page.get(f"videos/{name}/face-0.glb")
    assert head.headers["content-type"] == "model/gltf-binary"
    (tmp_path / "head.glb").write_bytes(head.content)
    assert len(GlbFile(tmp_path / "head.glb").times()) == 7
    left = sorted(path.name for path in (tmp_path / "folder").iterdir())
    assert left == [f"{name}.csv", f"{name}.face-0.glb"]  # the video is gone
    for other in (f"videos/{name}/face-1.glb", f"videos/{name}/face-x.glb", "videos/a/face-0.glb"):
        assert page.get(other).status_code in (404, 422)
    again, _ = follow(page, name)
    assert "not here any more" in again[0]["error"]


def test_a_long_video_is_followed_to_the_bound_and_that_is_said(
    page: TestClient, tmp_path: Path
) -> None:
    clip = write_clip(tmp_path / "long.mp4", frames=40)
    name = page.post("videos", content=clip.read_bytes()).json()["video"]
    told, _ = follow(page, name)
    assert told[-1]["done"]["frames"] == 13  # 0 to 0.48 s of half a second
    assert "were followed, which is the most" in told[-1]["done"]["note"]


def test_a_limit_of_faces_that_may_have_cut_the_table_is_said(
    parts: TrackerParts, limits: Limits, tmp_path: Path
) -> None:
    one = dataclasses.replace(parts, settings=TrackerSettings(max_faces=1))
    app = make_app(one, tmp_path, TOKEN, limits)
    clip = write_clip(tmp_path / "clip.mp4")
    with TestClient(app, base_url=HERE) as page:
        page.base_url = f"{HERE}/{TOKEN}/"
        name = page.post("videos", content=clip.read_bytes()).json()["video"]
        told, _ = follow(page, name)
    said = "no more than 1 faces were followed at once: there may be more"
    assert told[-1]["done"]["note"] == said


def test_uploads_are_bounded_and_leave_nothing(page: TestClient, tmp_path: Path) -> None:
    answer = page.post("videos", content=b"x" * 1_000_001)
    assert (answer.status_code, answer.json()["error"]) == (
        413,
        "the video is larger than 1 MB, which is the most",
    )
    # Who does not say how much is coming is stopped on the way.
    pieces = (b"x" * 100_000 for _ in range(11))
    assert page.post("videos", content=pieces).status_code == 413
    assert page.post("videos", content=b"").status_code == 400
    assert list((tmp_path / "folder").iterdir()) == []


def test_what_is_no_video_is_told_in_one_line(page: TestClient, tmp_path: Path) -> None:
    name = page.post("videos", content=b"this is text, whatever it is called").json()["video"]
    told, _ = follow(page, name)
    assert len(told) == 1
    assert str(tmp_path) not in told[0]["error"]
    assert name not in told[0]["error"]
    assert "\n" not in told[0]["error"]


def test_a_video_cut_off_gives_its_whole_frames_and_says_so(
    page: TestClient, tmp_path: Path
) -> None:
    whole = tmp_path / "whole.mkv"
    write_clip(whole, frames=12, width=320, height=240)
    data = whole.read_bytes()
    name = page.post("videos", content=data[: len(data) * 2 // 3]).json()["video"]
    told, _ = follow(page, name)
    end = told[-1]["done"]
    assert 0 < end["frames"] < 12
    assert end["note"]
    rows = page.get(f"videos/{name}/table.csv").text.splitlines()
    assert len(rows) == 1 + end["frames"]


def test_a_visitor_who_leaves_ends_the_work(page: TestClient, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4")
    name = page.post("videos", content=clip.read_bytes()).json()["video"]
    with page.websocket_connect(f"{FOLLOW}/{name}") as socket:
        socket.receive_text()
    assert page.get("videos/unknown/table.csv").status_code == 404
    live = f"ws://127.0.0.1:{PORT}/{TOKEN}/live"
    with page.websocket_connect(live), page.websocket_connect(live):
        pass  # both places are free again


def test_the_oldest_goes_when_there_are_many(page: TestClient, tmp_path: Path) -> None:
    names = [page.post("videos", content=b"some bytes").json()["video"] for _ in range(10)]
    kept = {path.stem for path in (tmp_path / "folder").iterdir()}
    assert kept == set(names[2:])


def test_the_heads_of_a_video_go_with_it(page: TestClient, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4")
    name = page.post("videos", content=clip.read_bytes()).json()["video"]
    follow(page, name)
    for _ in range(8):
        page.post("videos", content=b"some bytes")
    assert page.get(f"videos/{name}/face-0.glb").status_code == 404
    assert not [path for path in (tmp_path / "folder").iterdir() if path.name.startswith(name)]


def test_faces_without_a_head_are_told_of(
    page: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = write_clip(tmp_path / "clip.mp4")
    for most, words in ((1, ""), (0, "the head is there for the 0 faces seen longest")):
        monkeypatch.setattr("mien.web.videos._HEADS", most)
        name = page.post("videos", content=clip.read_bytes()).json()["video"]
        done = follow(page, name)[0][-1]["done"]
        assert (len(done["heads"]), done["note"]) == (most, words)


def test_without_the_package_of_heads_there_is_the_table(
    page: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pygltflib", None)
    monkeypatch.delitem(sys.modules, "mien.avatar.glb", raising=False)
    clip = write_clip(tmp_path / "clip.mp4")
    name = page.post("videos", content=clip.read_bytes()).json()["video"]
    told, _ = follow(page, name)
    assert told[-1]["done"]["heads"] == []
    assert page.get(f"videos/{name}/table.csv").status_code == 200


def test_a_photo_is_one_frame(page: TestClient, tmp_path: Path) -> None:
    from PIL import Image

    Image.fromarray(np.asarray(square_picture((80, 60, 31)))).save(tmp_path / "a.png")
    name = page.post("videos", content=(tmp_path / "a.png").read_bytes()).json()["video"]
    told, _ = follow(page, name)
    assert len(told[0]["faces"]) == 1
    assert told[-1]["done"]["frames"] == 1
