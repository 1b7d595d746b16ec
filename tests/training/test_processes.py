"""Runs of several processes, from the shell: by torchrun, and by workers whose parent is killed."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mien.training.checkpoint import load_checkpoint
from patience import PATIENCE_SECS, came
from tinypack import write_tiny_pack
from tinyrun import TINY_TOML

CONFIG = f"""
{TINY_TOML}[schedule]
steps = 20
batch = 4
warmup = 1
validate_every = 20
"""


def test_two_processes_of_torchrun_make_one_run(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(CONFIG)
    pack = write_tiny_pack(tmp_path / "pack", ("helen",), train=4, val=2)
    binaries = Path(sys.executable).parent
    mien = [str(binaries / "mien"), "train", "tiny.toml", "--data", str(pack.root)]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*torchrun, "--standalone", "--no-python", *mien],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    last = load_checkpoint(tmp_path / "runs" / "tiny-tracking" / "last.pt")
    assert last.step == 20
    assert all(torch.isfinite(value).all() for value in last.averaged.values())
    with (tmp_path / "runs" / "tiny-tracking" / "train.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["step"] for row in rows] == ["20"]  # one of the two writes


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_their_parent(tmp_path: Path, sent: signal.Signals) -> None:
    (tmp_path / "long.toml").write_text(
        CONFIG.replace("steps = 20", "steps = 1000000\nsave_every_secs = 0.1")
    )
    pack = write_tiny_pack(tmp_path / "pack", ("helen",), train=4, val=2)
    mien = [str(Path(sys.executable).parent / "mien"), "train", "long.toml"]
    parent = subprocess.Popen(
        [*mien, "--data", str(pack.root), "--workers", "2"],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        saved = tmp_path / "runs" / "tiny-tracking" / "last.pt"
        assert came(saved.exists), "no worker got as far as a checkpoint"
        parent.send_signal(sent)
        parent.wait(timeout=PATIENCE_SECS)
        assert came(lambda: nobody_is_left(parent.pid))
    finally:
        if not nobody_is_left(parent.pid):
            os.killpg(parent.pid, signal.SIGKILL)


def nobody_is_left(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False
