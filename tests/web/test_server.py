"""The server inside this process: what it opens, bounds and gives back."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable

import httpx2 as httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from mien.cli import main
from mien.errors import ConfigError
from mien.web.server import run_server
from patience import PATIENCE_SECS


class Browser:
    """Opens an address in a thread, does there what it is told, then presses Ctrl-C."""

    def __init__(self, visit: Callable[[str], object]) -> None:
        self._visit, self._threads = visit, list[threading.Thread]()
        self.seen: list[object] = []

    def open(self, address: str) -> None:
        self._threads.append(threading.Thread(target=self._go, args=(address,)))
        self._threads[-1].start()

    def _go(self, address: str) -> None:
        try:
            self.seen.append(self._visit(address))
        except Exception as error:
            self.seen.append(error)
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    def left(self) -> list[object]:
        for thread in self._threads:
            thread.join(PATIENCE_SECS)
        return self.seen


def test_open_leads_the_browser_to_the_page_that_is_there(
    standin_model: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    browser = Browser(lambda address: (address, httpx.get(address).status_code))
    monkeypatch.setattr("webbrowser.open", browser.open)
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--model", str(standin_model), "--port", "0", "--open"])
    assert ended.value.code == 130
    ((address, status),) = browser.left()  # type: ignore[misc]
    assert status == 200
    assert capsys.readouterr().out == f"open {address}   (Ctrl-C ends)\n"


def test_a_message_larger_than_a_picture_may_be_ends_the_connection() -> None:
    async def app(scope: dict[str, object], receive: Callable, send: Callable) -> None:  # type: ignore[type-arg]
        if scope["type"] == "lifespan":
            for step in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{step}.complete"})
            return
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": str(len(message["bytes"]))})

    def visit(address: str) -> tuple[str, int]:
        with connect(address) as live:
            live.send(bytes(4_000_000))
            answer = live.recv()
            live.send(bytes(4_000_001))
            with pytest.raises(ConnectionClosed) as closed:
                live.recv()
        return str(answer), closed.value.rcvd.code if closed.value.rcvd else 0

    browser = Browser(visit)
    with pytest.raises(KeyboardInterrupt):
        run_server(app, 0, lambda port: browser.open(f"ws://127.0.0.1:{port}/"))  # type: ignore[arg-type]
    assert browser.left() == [("4000000", 1009)]


def test_a_port_that_is_taken_is_one_line_and_nothing_is_said_to_be_ready() -> None:
    ready: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} of 127.0.0.1 cannot be had") as told:
            run_server(lambda *_: None, port, ready.append)  # type: ignore[arg-type, return-value]
    assert "\n" not in str(told.value)
    assert ready == []
