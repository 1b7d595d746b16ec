"""Who may come in, and what a page may load."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import pytest
from conftest_web import HERE, PORT, TOKEN
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from mien.expression import ABSENT


def test_the_page_comes_with_the_token(page: TestClient) -> None:
    answer = page.get("")
    assert answer.status_code == 200
    assert "<title>mien</title>" in answer.text
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "path",
    ["/", "/about.json", f"/{TOKEN}", f"/{TOKEN}x/", "/wrong/about.json", f"//{TOKEN}/", "/docs"],
)
def test_without_the_token_there_is_nothing(page: TestClient, path: str) -> None:
    assert page.get(f"{HERE}{path}").status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 403),
        ({"host": f"evil.example:{PORT}"}, 403),
        ({"host": f"127.0.0.1:{PORT + 1}"}, 403),
        ({"host": f"localhost:{PORT}"}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": f"http://localhost:{PORT}"}, 403),  # not the page's own host
        ({"origin": "null"}, 403),
        ({"origin": HERE}, 200),
    ],
)
def test_other_hosts_and_pages_are_refused(
    page: TestClient, headers: dict[str, str], status: int
) -> None:
    assert page.get("about.json", headers=headers).status_code == status
    if status == 403:
        assert page.post("videos", content=b"x", headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        (f"/{TOKEN}/live", {"origin": "http://evil.example"}),
        (f"/{TOKEN}/live", {"host": "evil.example"}),
        ("/wrong/live", {}),
        (f"/{TOKEN}/videos/x", {"origin": "http://evil.example"}),
    ],
)
def test_sockets_are_refused_before_they_open(
    page: TestClient, address: str, headers: dict[str, str]
) -> None:
    with (
        pytest.raises(WebSocketDisconnect),
        page.websocket_connect(f"ws://127.0.0.1:{PORT}{address}", headers=headers),
    ):
        pass


@pytest.mark.parametrize("name", ["../app.py", "..%2fapp.py", "secret.js", "assets/app.js"])
def test_only_the_pages_own_files_are_given(page: TestClient, name: str) -> None:
    assert page.get(name).status_code == 404


def test_every_file_of_the_page_is_given_and_names_no_other_place(page: TestClient) -> None:
    folder = Path(str(resources.files("mien.web"))) / "assets"
    files = sorted(path.name for path in folder.iterdir())
    scripts = ["app.js", "avatar.js", "curves.js", "drawing.js", "glb.js"]
    assert files == [*scripts, "page.html", "sources.js", "style.css"]
    for name in files:
        text = (folder / name).read_text(encoding="utf-8")
        assert re.findall(r"(?:https?:)?//[\w-]+\.\w+|url\(|@import", text) == []
        if name != "page.html":
            assert page.get(name).text == text


def test_the_page_hears_of_the_markup(page: TestClient) -> None:
    about = page.get("about.json").json()
    assert about["points"] == 68
    assert about["absent"] == ABSENT  # gaze among them: the page says what this model has not
    assert {point for part in about["parts"] for point in part["indices"]} == set(range(68))
    corners = {corner for triangle in about["triangles"] for corner in triangle}
    assert corners == set(range(68))
    eye = set(range(36, 42))
    assert not any(eye.issuperset(triangle) for triangle in about["triangles"])
