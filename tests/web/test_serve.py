"""``mien serve`` as a process: its address, its end, and how it refuses."""

from __future__ import annotations

import importlib.util
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx2 as httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from mien.cli import main
from patience import PATIENCE_SECS


def start(model: Path, *words: str) -> subprocess.Popen[str]:
    code = "from mien.cli import main; import sys; main(sys.argv[1:])"
    command = [sys.executable, "-c", code, "serve", "--model", str(model), *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_it_says_where_it_is_serves_there_and_ends_with_130(
    standin_model: Path, tmp_path: Path
) -> None:
    with start(standin_model, "--port", "0") as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.match(r"open (http://127\.0\.0\.1:(\d+)/([\w-]{32})/) ", line)
        assert found, line
        address, port, token = found[1], found[2], found[3]
        assert httpx.get(address).status_code == 200
        assert httpx.get(address, headers={"host": "evil.example"}).status_code == 403
        assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 404
        live = f"ws://127.0.0.1:{port}/{token}/live"
        with pytest.raises(InvalidStatus), connect(live, origin="http://evil.example"):  # type: ignore[arg-type]
            pass
        with connect(live):
            # A second one on the same port is told so, while a visitor is here.
            again = start(standin_model, "--port", port)
            out, err = again.communicate(timeout=PATIENCE_SECS)
            assert (again.returncode, out) == (2, "")
            assert err.startswith(f"mien: port {port} of 127.0.0.1 cannot be had")
            assert err.count("\n") == 1
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=PATIENCE_SECS)
        assert (process.returncode, err) == (130, "")


def test_a_missing_extra_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "uvicorn" else real(name, *a)
    )
    with pytest.raises(SystemExit) as ended:
        main(["serve"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == "mien: mien serve needs uvicorn: pip install 'mien[web]'\n"
