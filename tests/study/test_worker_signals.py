"""What a worker does with signals while it loads: the terminal's are its parent's to answer."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from scene import Scene

from mien.media import Input
from mien.study import FileJob, PartsSpec, PointsIn, ShardSpec
from mien.study.workers import Task, _work, track_files
from mien.tracking import TrackerSettings

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")


@pytest.fixture
def job(scene: Scene, tmp_path: Path) -> FileJob:
    parts = PartsSpec(scene.options[1], 68, scene.options[3], TrackerSettings(), 1)
    (tmp_path / "parts").mkdir()
    return FileJob(parts, None, ShardSpec(tmp_path / "parts", PointsIn.BESIDE), None, True)


@pytest.fixture
def task(scene: Scene) -> Task:
    return Task(Input(str(scene.folder / "a.mp4"), "a"))


def test_a_worker_that_still_loads_leaves_ctrl_c_to_its_parent(
    job: FileJob, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = BaseProcess.start

    def interrupted(process: BaseProcess) -> None:
        start(process)
        os.kill(process.pid or 0, signal.SIGINT)

    monkeypatch.setattr(BaseProcess, "start", interrupted)
    (result,) = track_files(job, [task], 1)
    assert result.record.state == "done"


def test_a_worker_that_is_ended_while_a_native_module_loads_says_nothing(
    job: FileJob, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    def loading(_: PartsSpec) -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt as hidden:
            raise ImportError("initialization failed") from hidden

    monkeypatch.setattr(PartsSpec, "open", loading)
    ours, theirs = multiprocessing.Pipe()
    ours.send(task)
    numbers = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        with pytest.raises(SystemExit, match="130"):
            _work(theirs, job, os.getpid())
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
