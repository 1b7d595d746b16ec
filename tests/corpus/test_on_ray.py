"""Two nodes of a Ray cluster in processes of their own, one worker killed: no row is lost."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from command import mien
from rows import of_corpus, of_study
from scene import Scene, write_clip

from patience import PATIENCE_SECS, until

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None or not Path("/proc").is_dir(),
    reason="needs pip install 'mien[ray]', and Linux to find the worker",
)
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
}
"""Of all processes of the cluster, which nobody else's may join."""
START = (
    *(sys.executable, "-m", "ray.scripts.scripts", "start", "--num-cpus=1"),
    *("--node-ip-address=127.0.0.1", "--object-store-memory=80000000"),
)
LONG = 800
"""Frames of the clip in whose middle its process is killed."""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def cluster() -> Iterator[tuple[str, Path]]:
    """Its address, and the folder by which its processes are known."""
    # Not tmp_path: a socket's name has 107 bytes at most.
    folder = Path(tempfile.mkdtemp(prefix="mien"))
    port = free_port()
    address = f"127.0.0.1:{port}"
    head = ("--head", f"--port={port}", f"--temp-dir={folder}", "--include-dashboard=false")
    with ExitStack() as ending:
        ending.callback(shutil.rmtree, folder, ignore_errors=True)
        ending.callback(lambda: until(lambda: not pids(str(folder))))
        client = f"--ray-client-server-port={free_port()}"
        for number, words in enumerate(((*head, client), (f"--address={address}",))):
            ending.enter_context(node_up(folder / f"node-{number}.log", words))
        yield address, folder


@contextmanager
def node_up(log: Path, words: tuple[str, ...]) -> Iterator[None]:
    with log.open("w") as told:
        node = subprocess.Popen(
            [*START, *words, "--block"],
            stdout=told,
            stderr=subprocess.STDOUT,
            env=os.environ | ENVIRONMENT,
            start_new_session=True,
        )
    try:
        until(lambda: "--block" in log.read_text() or node.poll() is not None)
        assert node.poll() is None, log.read_text()
        yield
    finally:
        if node.poll() is None:
            os.killpg(node.pid, signal.SIGTERM)
        node.wait()


def pids(*words: str) -> list[int]:
    """Of processes whose command line holds all the words."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            told = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if all(word in told for word in words):
            found.append(int(path.parent.name))
    return found


def parent(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("PPid:")[1].split()[0])


def test_two_nodes_one_worker_killed(
    capsys: pytest.CaptureFixture[str],
    scene: Scene,
    tmp_path: Path,
    cluster: tuple[str, Path],
) -> None:
    write_clip(scene.folder / "long.mp4", frames=LONG)
    study = of_study(capsys, scene, tmp_path / "study" / "study.parquet")
    address, folder = cluster
    scratch, out = tmp_path / "scratch", tmp_path / "out"
    words = ("corpus", scene.folder, "--out", out, "--ray", address, "--scratch", scratch)
    process = subprocess.Popen(
        [sys.executable, "-m", "mien", *map(str, (*words, *scene.options))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | ENVIRONMENT,
    )

    def gathers() -> list[Path]:
        """The part of a long file that has rows, before the file is done."""
        return [part for part in scratch.rglob("*.csv.part") if part.stat().st_size > 20_000]

    until(lambda: gathers() or process.poll() is not None)
    raylets = set(pids(str(folder), "raylet"))
    workers = [pid for pid in pids("ray::mien track_clip") if parent(pid) in raylets]
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    shown, told = process.communicate(timeout=PATIENCE_SECS)
    assert workers, told
    assert process.returncode == 2, told  # one file is none
    assert "4 of 5 files done" in shown
    assert "2 nodes of Ray, 2 cores" in told
    assert of_corpus(out) == study
    assert study["rows"]["long"].num_rows == LONG
    again = mien(capsys, *words, *scene.options, "--ray", "none")
    assert "4 files were done before" in again.err
