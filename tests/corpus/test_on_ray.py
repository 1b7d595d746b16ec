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
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from command import mien
from rows import of_corpus, of_study
from scene import Scene, write_clip

from mien.study import shard_key
from patience import came

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
LONG = 400
"""Frames of the clip in whose middle its process is killed."""
STEP_SECS = 120.0
"""That each step may take; a machine at rest needs ten at most. Then the test fails, and ends what
it began: it never hangs."""


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
    client = f"--ray-client-server-port={free_port()}"
    with ExitStack() as ending:
        ending.callback(shutil.rmtree, folder, ignore_errors=True)
        ending.callback(end_all, folder)
        for number, words in enumerate(((*head, client), (f"--address={address}",))):
            ending.enter_context(node_up(folder / f"node-{number}.log", words))
        yield address, folder


@contextmanager
def node_up(log: Path, words: tuple[str, ...]) -> Iterator[None]:
    """In the group of this process, so that what ends that one whole ends it as well."""
    with log.open("w") as told:
        node = subprocess.Popen(
            [*START, *words, "--block"],
            stdout=told,
            stderr=subprocess.STDOUT,
            env=os.environ | ENVIRONMENT,
        )
    try:
        soon(lambda: "--block" in log.read_text() or node.poll() is not None)
        assert node.poll() is None, log.read_text()
        yield
    finally:
        kill(workers_of(log.parent))  # while it is known whose they are
        node.kill()
        node.wait(STEP_SECS)


def soon(happened: Callable[[], object]) -> None:
    assert came(happened, STEP_SECS), f"not within {STEP_SECS:.0f} s"


def end_all(folder: Path) -> None:
    """What the killed nodes left, which is known by the folder that no other cluster has."""

    def none_left() -> bool:
        left = pids(str(folder))
        kill(left)
        return not left

    soon(none_left)


def kill(processes: Iterable[int]) -> None:
    for pid in processes:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def workers_of(folder: Path, name: str = "ray::") -> list[int]:
    """Processes that the cluster's nodes began to work in."""
    raylets = set(pids(str(folder), "raylet"))
    return [pid for pid in pids(name) if parent(pid) in raylets]


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


def parent(pid: int) -> int | None:
    """``None`` of a process that has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
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

    def gathers() -> bool:
        """Whether points of the long file are there, before it is done."""
        with suppress(FileNotFoundError):
            parts = scratch.rglob(f"{shard_key('long')}.points.csv.part")
            return any(part.stat().st_size > 20_000 for part in parts)
        return False

    try:
        soon(lambda: gathers() or process.poll() is not None)
        workers = workers_of(folder, "ray::mien track_clip")
        kill(workers)
        shown, told = process.communicate(timeout=STEP_SECS)
    finally:
        process.kill()
    assert workers, told
    assert process.returncode == 2, told  # one file is none
    assert "4 of 5 files done" in shown
    assert "2 nodes of Ray, 2 cores" in told
    assert of_corpus(out) == study
    assert study["rows"]["long"].num_rows == LONG
    again = mien(capsys, *words, *scene.options, "--ray", "none")
    assert "4 files were done before" in again.err
