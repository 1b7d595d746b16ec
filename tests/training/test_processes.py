"""Runs of several processes, from the shell: by torchrun, and by workers whose parent is killed."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from mien.training.checkpoint import load_checkpoint
from patience import PATIENCE_SECS, came
from tinypack import a_face, picture, write_tiny_pack
from tinyrun import TINY_TOML
from w300lpfolder import write_w300lp_face

PAPER = Path(__file__).parents[2] / "configs" / "paper.toml"
CONFIG = f"""
{TINY_TOML}[schedule]
steps = 20
batch = 4
warmup = 1
validate_every = 20
"""


def torchrun(*arguments: str, cwd: Path) -> None:
    """The command of the docs, with two processes."""
    binaries = Path(sys.executable).parent
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    done = subprocess.run(
        [*launcher, "--nproc-per-node", "2", "--no-python", str(binaries / "mien"), *arguments],
        cwd=cwd,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECS,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_two_processes_of_torchrun_make_one_run(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(CONFIG)
    pack = write_tiny_pack(tmp_path / "pack", ("helen",), train=4, val=2)
    torchrun("train", "tiny.toml", "--data", str(pack.root), cwd=tmp_path)
    last = load_checkpoint(tmp_path / "runs" / "tiny-tracking" / "last.pt")
    assert last.step == 20
    assert all(torch.isfinite(value).all() for value in last.averaged.values())
    with (tmp_path / "runs" / "tiny-tracking" / "train.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["step"] for row in rows] == ["20"]  # one of the two writes


@pytest.mark.parametrize(
    "narrower",
    [
        {"side": 64, "width": 8, "finetune_width": 8, "finetune_hidden": 16},
        pytest.param(
            {},
            marks=pytest.mark.skipif(
                "MIEN_SLOW" not in os.environ, reason="set MIEN_SLOW=1: minutes and 6 GB"
            ),
        ),
    ],
    ids=["narrow", "full"],
)
def test_two_processes_train_the_papers_configuration(
    tmp_path: Path, narrower: dict[str, int]
) -> None:
    """``configs/paper.toml`` but for its length, on 300W-LP's layout, as the docs type it."""
    shorter = {"steps": 2, "batch": 4, "warmup": 1, "validate_every": 2}
    text = PAPER.read_text("utf-8")
    for key, value in (narrower | shorter).items():
        text, count = re.subn(rf"(?m)^{key} = .*$", f"{key} = {value}", text)
        assert count == 1, key
    (tmp_path / "paper.toml").write_text(text)
    rng = np.random.default_rng(0)
    for photo in range(4):
        face = a_face(rng)
        pixels = picture(face, rng)
        write_w300lp_face(tmp_path / "300W_LP", "LFPW", f"LFPW_{photo}_0", face[:, :2], pixels)
    torchrun("train", "paper.toml", "--device", "cpu", "--data", "300W_LP", cwd=tmp_path)
    last = load_checkpoint(tmp_path / "runs" / "paper-tracking" / "last.pt")
    assert (last.step, last.config.network.stacks, last.config.compute.device) == (2, 4, "cpu")
    assert all(torch.isfinite(value).all() for value in last.model.values())


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
