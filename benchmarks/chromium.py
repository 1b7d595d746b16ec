"""A headless Chromium driven over its DevTools protocol; needs the ``websockets`` package."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from websockets.sync.client import connect

__all__ = ["Chromium", "find_chromium"]

_PATIENCE_SECS = 300.0
"""For what must come; a machine that is busy with others takes ten times as long as one at rest."""


def find_chromium() -> str | None:
    """The program's path; ``None`` where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((path for path in map(shutil.which, names) if path), None)


class Chromium:
    """One page of a browser of our own, its profile in a temporary folder."""

    def __init__(
        self,
        *,
        size: tuple[int, int] = (1280, 900),
        camera: Path | None = None,
        dark: bool = False,
    ) -> None:
        """``camera``: a .y4m or .mjpeg file that the browser takes for a webcam."""
        program = find_chromium()
        if program is None:
            raise FileNotFoundError("no chromium on this machine: apt-get install chromium")
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        words = [
            *(program, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *("--remote-debugging-port=0", f"--user-data-dir={self._profile.name}"),
            *("--no-first-run", "--disable-background-networking", "--disable-dev-shm-usage"),
            f"--window-size={size[0]},{size[1]}",
        ]
        if camera is not None:
            words += [
                *("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"),
                f"--use-file-for-fake-video-capture={camera}",
            ]
        self._process = subprocess.Popen(
            [*words, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        self._numbers = itertools.count(1)
        self._closing = contextlib.ExitStack()
        self._socket = self._closing.enter_context(connect(self._address(), max_size=None))
        self.said: list[str] = []
        """What the page wrote to its console, and its errors."""
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self._ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "DOM"):
            self.ask(f"{domain}.enable")
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=size[0],
            height=size[1],
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.close()
        self._process.terminate()
        self._process.wait(_PATIENCE_SECS)
        if self._process.stderr is not None:
            self._process.stderr.close()
        self._profile.cleanup()

    def _address(self) -> str:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if found := re.search(r"DevTools listening on (ws://\S+)", line):
                return found[1]
        raise RuntimeError("chromium ended before it listened")

    def _ask(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        self._socket.send(json.dumps(message | ({"sessionId": session} if session else {})))
        while True:
            answer = json.loads(self._socket.recv(timeout=_PATIENCE_SECS))
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return dict(answer["result"])
            if answer.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
                self.said.append(json.dumps(answer["params"])[:600])

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """A command of the protocol to the page."""
        return self._ask(method, self._session, **params)

    def open(self, address: str) -> None:
        """Go there and wait until it is loaded."""
        self.ask("Page.navigate", url=address)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def run(self, script: str, *, gesture: bool = True) -> Any:
        """What an expression gives, promises awaited."""
        answer = self.ask(
            "Runtime.evaluate",
            expression=script,
            awaitPromise=True,
            returnByValue=True,
            userGesture=gesture,
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"])[:600])
        return answer["result"].get("value")

    def wait(self, condition: str, secs: float = _PATIENCE_SECS) -> Any:
        """Until an expression is true; what it then gives."""
        end = time.monotonic() + secs
        while not (value := self.run(condition)):
            if time.monotonic() > end:
                raise TimeoutError(f"never came true: {condition}; the page said {self.said}")
            time.sleep(0.1)
        return value

    def choose_files(self, selector: str, files: Sequence[Path]) -> None:
        """Give files to an input, as a person would."""
        root = self.ask("DOM.getDocument")["root"]["nodeId"]
        node = self.ask("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.ask("DOM.setFileInputFiles", nodeId=node, files=[str(file) for file in files])

    def picture(self, *, whole_page: bool = False) -> bytes:
        """A PNG of the window, or of all the page."""
        shot = self.ask("Page.captureScreenshot", captureBeyondViewport=whole_page)
        return base64.b64decode(shot["data"])

    def until(self, ready: Callable[[], bool], secs: float = _PATIENCE_SECS) -> None:
        """Let the page run until something outside of it is so."""
        end = time.monotonic() + secs
        while not ready():
            if time.monotonic() > end:
                raise TimeoutError("never came true")
            self.run("new Promise((done) => setTimeout(done, 100))")
