"""A corpus on two nodes of Ray in processes of their own: equal, unharmed by kills, at what cost.

    python benchmarks/corpus.py CLIPS benchmarks/results/corpus.json

tracks a folder of videos with ``mien corpus`` in one process, with each model; then on two nodes
of one core each, three times: undisturbed, with the process of a file killed in the file's middle,
and with the second node killed whole. Each must give the rows of the one process. Costs are
processor time of the one process, which other programs on the machine change little. Needs Linux
and 'mien[ray]'.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from provenance import weights_of_run

MODEL = "nano"
ENVIRONMENT = os.environ | {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
}
START = (
    *(sys.executable, "-m", "ray.scripts.scripts", "start", "--num-cpus=1", "--block"),
    *("--node-ip-address=127.0.0.1", "--object-store-memory=80000000"),
)


def processes() -> dict[int, tuple[int, str]]:
    """Of each that runs: its parent and its command line."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            stat = (path / "stat").read_text().rpartition(") ")[2].split()
            name = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        found[int(path.name)] = (int(stat[1]), name)
    return found


def below(top: int) -> dict[int, str]:
    """A process and all it has begun."""
    known = processes()
    tree = {top} & known.keys()
    while more := {pid for pid, (parent, _) in known.items() if parent in tree} - tree:
        tree |= more
    return {pid: known[pid][1] for pid in tree}


@contextmanager
def nodes(folder: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """Two of them."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    head = ("--head", f"--port={port}", f"--temp-dir={folder}", "--include-dashboard=false")
    up: list[subprocess.Popen[bytes]] = []
    try:
        for words in (head, (f"--address=127.0.0.1:{port}",)):
            log = folder / f"node-{len(up)}.log"
            with log.open("w") as told:
                up.append(
                    subprocess.Popen(
                        [*START, *words],
                        stdout=told,
                        stderr=subprocess.STDOUT,
                        env=ENVIRONMENT,
                        start_new_session=True,
                    )
                )
            wait_for(lambda log=log: "--block" in log.read_text())  # type: ignore[misc]
        yield f"127.0.0.1:{port}", up
    finally:
        for node in reversed(up):
            kill(list(below(node.pid)))
            node.wait()


def wait_for(happened: Callable[[], object]) -> None:
    for _ in range(60_000):
        if happened():
            return
        time.sleep(0.01)
    raise SystemExit("it never came true")


def kill(pids: list[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def corpus(clips: Path, out: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "mien", "corpus", str(clips), "--out", str(out), *words]
    return subprocess.Popen(command, env=ENVIRONMENT)


def rows_of(out: Path) -> dict[str, Any]:
    return {
        str(path.relative_to(out)): pq.read_table(path) for path in sorted(out.rglob("*.parquet"))
    }


def alone(clips: Path, out: Path, model: str) -> float:
    """Processor time, s."""
    before = os.times()
    assert corpus(clips, out, "--ray", "none", "--model", model).wait() == 0
    after = os.times()
    return after.children_user + after.children_system - before[2] - before[3]


def together(clips: Path, out: Path, how: str) -> dict[str, Any]:
    """On two nodes; ``how``: undisturbed, or what is killed when a file has some rows."""
    folder, scratch = Path(tempfile.mkdtemp(prefix="mien")), out.with_name(f"{out.name}.scratch")
    with nodes(folder) as (address, up):
        run = corpus(clips, out, "--ray", address, "--model", MODEL, "--scratch", str(scratch))
        killed = 0
        if how != "undisturbed":
            wait_for(lambda: [p for p in scratch.rglob("*.csv.part") if p.stat().st_size > 30_000])
            trees = [below(node.pid) for node in up]
            tasks = [{p for p, one in t.items() if "track_clip" in one} for t in trees]
            gone = sorted(tasks[0] | tasks[1]) if "worker" in how else list(trees[1])
            kill(gone)
            killed = len(gone)
        run.wait()
    shutil.rmtree(folder, ignore_errors=True)
    return {"exit_code": run.returncode, "killed_processes": killed}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", type=Path)
    parser.add_argument("result", type=Path)
    given = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="mien-corpus-benchmark"))
    told: dict[str, Any] = {"command": "python benchmarks/corpus.py CLIPS", "alone": {}}
    for model in ("fast", MODEL):
        secs = alone(given.clips, work / model, model)
        record = json.loads((work / model / "run.json").read_text())
        frames = sum(one["frames"] for one in record["files"])
        told["alone"][model] = {
            "networks": weights_of_run(record),
            "cpu_secs": round(secs, 1),
            "cpu_secs_a_frame": round(secs / frames, 4),
        }
    told |= {
        "clips": {
            one["clip"]: {k: one[k] for k in ("frames", "tracks", "width", "height")}
            for one in record["files"]
        },
        "frames": frames,
        "faces_and_frames": sum(
            one.num_rows for name, one in rows_of(work / MODEL).items() if name.startswith("points")
        ),
        "bytes": {
            kind: sum(p.stat().st_size for p in (work / MODEL / kind).rglob("*.parquet"))
            for kind in ("rows", "points")
        },
    }
    serial = rows_of(work / MODEL)
    told["two_nodes"] = {}
    for number, how in enumerate(("undisturbed", "worker killed", "node killed")):
        out = work / f"nodes-{number}"
        one = together(given.clips, out, how)
        told["two_nodes"][how] = one | {"equal_to_alone": rows_of(out) == serial}
        print(how, told["two_nodes"][how], flush=True)
    given.result.write_text(json.dumps(told, indent=1) + "\n")
    shutil.rmtree(work)


if __name__ == "__main__":
    main()
