"""Workers, kills and Ctrl-C: the table is the unbroken run's, byte for byte."""

from __future__ import annotations

import json
import multiprocessing
import random
import signal
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from command import mien, started
from scene import Scene, write_boxes, write_clip

from mien.errors import OutputError
from mien.media import Input
from mien.study import FileJob, PartsSpec, PointsIn, ShardSpec
from mien.study.job import track_file
from mien.study.shard import Shard
from mien.study.tables import ShardPaths
from mien.study.workers import Progress, Task, track_files
from mien.tracking import TrackerSettings
from patience import PATIENCE_SECS, until

Capture = pytest.CaptureFixture[str]


def tables(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("study*.csv"))]


def job_of(scene: Scene, folder: Path, checkpoint_secs: float) -> FileJob:
    folder.mkdir(exist_ok=True)
    parts = PartsSpec(scene.options[1], 68, scene.options[3], TrackerSettings(), 1)
    shards = ShardSpec(folder, PointsIn.BESIDE, checkpoint_secs=checkpoint_secs)
    return FileJob(parts, None, shards, None, True)


def test_any_number_of_workers_gives_the_same_bytes(
    capsys: Capture, scene: Scene, tmp_path: Path
) -> None:
    (scene.folder / "bad.mp4").write_text("no video")
    words = ("track", scene.folder, *scene.options)
    alone = mien(capsys, *words, "--table", tmp_path / "one" / "study.csv")
    both = mien(capsys, *words, "--table", tmp_path / "two" / "study.csv", "--workers", 2)
    assert alone.code == both.code == 2
    assert both.err.count("bad.mp4") == 1
    assert "3 of 4 files done" in both.out
    assert tables(tmp_path / "one") == tables(tmp_path / "two")
    assert len(tables(tmp_path / "one")) == 2


def test_workers_make_the_files_of_each_clip_too(
    capsys: Capture, scene: Scene, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = mien(capsys, "track", scene.folder, "--out", out, "--workers", 2, *scene.options)
    assert (done.code, done.err) == (0, "")
    names = {path.name for path in out.iterdir()}
    assert {"a.csv", "a.json", "a.overlay.mp4", "c, d.csv", "run.json"} <= names


def test_a_file_goes_on_from_its_last_checkpoint(scene: Scene, tmp_path: Path) -> None:
    whole, broken = (job_of(scene, tmp_path / name, 0.0) for name in ("whole", "broken"))
    parts = whole.parts.open()
    item = Input(str(scene.folder / "a.mp4"), "a")
    track_file(whole, item, parts)

    def stop(done: int) -> None:
        if done >= 11:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        track_file(broken, item, parts, on_frame=stop)
    assert list((tmp_path / "broken").glob("*.state.npz"))
    seen: list[int] = []
    result = track_file(broken, item, parts, on_frame=seen.append)
    assert seen[0] >= 10
    assert (result.record.frames, result.record.tracks, result.record.rows) == (20, 1, 20)
    for path in ShardPaths.of(tmp_path / "whole", "a", PointsIn.BESIDE).tables:
        assert (tmp_path / "broken" / path.name).read_bytes() == path.read_bytes()
    assert not list((tmp_path / "broken").glob("*.state.npz"))


def test_a_checkpoint_that_cannot_be_read_costs_a_new_beginning(
    scene: Scene, tmp_path: Path
) -> None:
    job = job_of(scene, tmp_path / "parts", 0.0)
    parts = job.parts.open()
    item = Input(str(scene.folder / "a.mp4"), "a")

    def stop(done: int) -> None:
        if done >= 11:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        track_file(job, item, parts, on_frame=stop)
    (state,) = (tmp_path / "parts").glob("*.state.npz")
    with np.load(state) as data:
        arrays = {name: data[name] for name in data.files}
    arrays["graph"] = arrays["graph"][:-9]
    np.savez(state, **arrays)
    seen: list[int] = []
    result = track_file(job, item, parts, on_frame=seen.append)
    assert (result.errors, result.record.state, result.record.rows) == ((), "done", 20)
    assert seen[0] <= 1
    state.write_bytes(b"")  # a power cut
    assert track_file(job, item, parts).record.rows == 20


def test_a_checkpoint_of_another_file_is_not_used(scene: Scene, tmp_path: Path) -> None:
    job = job_of(scene, tmp_path / "parts", 0.0)
    parts = job.parts.open()
    item = Input(str(scene.folder / "a.mp4"), "a")

    def stop(done: int) -> None:
        if done >= 11:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        track_file(job, item, parts, on_frame=stop)
    write_clip(scene.folder / "a.mp4", frames=18)
    seen: list[int] = []
    result = track_file(job, item, parts, on_frame=seen.append)
    assert (result.record.frames, result.record.rows) == (18, 18)
    assert seen[0] <= 1


def test_a_worker_that_dies_takes_one_file_with_it(scene: Scene, tmp_path: Path) -> None:
    job = job_of(scene, tmp_path / "parts", 60.0)
    write_clip(scene.folder / "long.mp4", frames=3000)
    items = [Input(str(path), path.stem) for path in sorted(scene.folder.glob("*.mp4"))]
    items.sort(key=lambda item: item.stem != "long")
    killed: list[int] = []

    def kill(told: Progress) -> None:
        if told.item.stem == "long" and not killed:
            (worker,) = multiprocessing.active_children()
            killed.append(worker.pid or 0)
            worker.kill()

    results = {
        result.record.clip: result
        for result in track_files(job, [Task(item) for item in items], 1, kill)
    }
    assert len(killed) == 1
    assert results["long"].record.state == "failed"
    assert "signal 9" in results["long"].errors[0]
    assert {clip for clip, one in results.items() if one.record.state == "done"} == {
        "a",
        "b",
        "c, d",
    }


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_keeps_what_is_whole(
    capsys: Capture, scene: Scene, tmp_path: Path, workers: int
) -> None:
    long = write_clip(scene.folder / "z.mp4", frames=1200)
    options = [*scene.options[:2], "--detector", f"boxes:{write_boxes(tmp_path / 'b.csv', 1200)}"]
    words = ("track", scene.folder, "--threads", 1, *options)
    folder = tmp_path / "out"
    table = ("--table", folder / "study.csv", "--workers", workers)
    with started(tmp_path, *words, *table) as process:
        until(lambda: _done(folder) >= {"a", "b", "c, d"})
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_SECS) == 130
    told = json.loads((folder / "run.json").read_text())
    assert told["complete"] is False
    assert told["files"][3]["state"] == "waiting"
    text = (folder / "study.csv").read_text()
    assert '"c, d",15,' in text
    assert "\nz," not in text
    assert mien(capsys, *words, *table).code == 0
    alone = tmp_path / "alone"
    assert mien(capsys, *words, "--table", alone / "study.csv").code == 0
    assert tables(folder) == tables(alone)
    assert long.is_file()


def _written(folder: Path) -> int:
    record = folder / "run.json"
    return record.stat().st_mtime_ns if record.is_file() else 0


def _done(folder: Path) -> set[str]:
    record = folder / "run.json"
    if not record.is_file():
        return set()
    return {
        one["clip"] for one in json.loads(record.read_text())["files"] if one["state"] == "done"
    }


@pytest.mark.parametrize("workers", [1, 2])
def test_five_kills_at_random_moments_change_nothing(
    capsys: Capture, scene: Scene, tmp_path: Path, workers: int
) -> None:
    for name in ("e", "f"):
        write_clip(scene.folder / f"{name}.mp4", frames=500)
    boxes = write_boxes(tmp_path / "long.csv", 500)
    options = [*scene.options[:2], "--detector", f"boxes:{boxes}", "--threads", "1"]
    words = ("track", scene.folder, *options)
    assert mien(capsys, *words, "--table", tmp_path / "whole" / "study.csv").code == 0
    chance = random.Random(workers)
    folder = tmp_path / "killed"
    table = ("--table", folder / "study.csv", "--workers", workers)
    for kill in range(6):
        before = _written(folder)
        with started(tmp_path, *words, *table) as process:
            if kill == 5:
                assert process.wait(PATIENCE_SECS) == 0
                break
            while _written(folder) == before and process.poll() is None:
                time.sleep(0.01)  # it is killed at work, not while it loads
            time.sleep(chance.uniform(0.0, 0.5))
            process.kill()
    assert json.loads((folder / "run.json").read_text())["complete"] is True
    assert tables(folder) == tables(tmp_path / "whole")
    assert sorted(path.name for path in folder.iterdir()) == [
        "run.json",
        "study.csv",
        "study.points.csv",
    ]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("gone", ["*", "*.points.csv", "[0-7]*"])
def test_a_kill_while_the_parts_are_cleared_away_leaves_a_study_that_can_be_ended(
    capsys: Capture,
    scene: Scene,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    gone: str,
    ending: str,
) -> None:
    """The table was whole, some of its parts were gone: every later run failed."""
    folder = tmp_path / "out"
    words = ("track", scene.folder, *scene.options, "--table", folder / f"study.{ending}")

    def break_off(parts: Path, **_: object) -> None:
        names = [path.name for path in parts.glob(gone)]
        assert names
        for name in names:
            (parts / name).unlink()

    with monkeypatch.context() as patched:
        patched.setattr("mien.study.run.shutil", SimpleNamespace(rmtree=break_off))
        mien(capsys, *words)
    expected = [path.read_bytes() for path in sorted(folder.glob(f"study*.{ending}"))]
    assert (len(expected), (folder / "study.parts").is_dir()) == (2, True)
    again = mien(capsys, *words)
    assert (again.code, again.err) == (0, "")
    assert [path.read_bytes() for path in sorted(folder.glob(f"study*.{ending}"))] == expected
    assert not (folder / "study.parts").exists()
    assert "done already" in mien(capsys, *words).out


@pytest.mark.parametrize("left", ["named", "short"])
def test_a_checkpoint_of_parts_that_are_not_there_is_not_believed(
    capsys: Capture, scene: Scene, tmp_path: Path, left: str
) -> None:
    """Killed when a part had its last name already: nothing may stand for the rows it knew of."""
    write_clip(scene.folder / "e.mp4", frames=500)
    boxes = write_boxes(tmp_path / "long.csv", 500)
    options = [*scene.options[:2], "--detector", f"boxes:{boxes}", "--threads", "1"]
    words = ("track", scene.folder / "e.mp4", *options)
    assert mien(capsys, *words, "--table", tmp_path / "whole" / "study.csv").code == 0
    folder = tmp_path / "killed"
    table = ("--table", folder / "study.csv")
    with started(tmp_path, *words, *table) as process:
        while not (saved := list(folder.rglob("*.state.npz"))) and process.poll() is None:
            time.sleep(0.01)
        process.kill()
    (state,) = saved
    part = state.with_name(state.name.removesuffix(".state.npz") + ".csv.part")
    if left == "named":
        part.rename(part.with_suffix(""))
    else:
        part.write_bytes(part.read_bytes()[:10])
    assert mien(capsys, *words, *table).code == 0
    assert tables(folder) == tables(tmp_path / "whole")


def test_a_part_never_grows_by_what_nobody_wrote(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.with_name("a.csv.part").write_bytes(b"one\ntwo\n")
    with pytest.raises(OutputError, match=r"a\.csv\.part: shorter than the 9 bytes"):
        Shard(path, keep_bytes=9)
    assert path.with_name("a.csv.part").read_bytes() == b"one\ntwo\n"
    shard = Shard(path, keep_bytes=4)
    shard.append("new\n")
    shard.close()
    shard.publish()
    assert path.read_bytes() == b"one\nnew\n"


def test_with_files_a_clip_a_broken_run_goes_on(
    capsys: Capture, scene: Scene, tmp_path: Path
) -> None:
    """What ``run.json`` calls done is left alone; a run that was complete is done anew, as ever."""
    out = tmp_path / "out"
    words = ("track", scene.folder, "--out", out, "--no-overlay", *scene.options)
    assert mien(capsys, *words).code == 0
    record = json.loads((out / "run.json").read_text())
    again = mien(capsys, *words)
    assert again.out.count(" frames, ") == 3
    record["files"][1]["state"] = "waiting"
    (out / "run.json").write_text(json.dumps(record | {"complete": False}))
    rest = mien(capsys, *words)
    assert (rest.code, rest.out.count(" frames, ")) == (0, 1)
    assert "2 of 3 files were done before" in rest.err
    (out / "a.csv").unlink()
    (out / "run.json").write_text(json.dumps(record | {"complete": False}))
    assert mien(capsys, *words).out.count(" frames, ") == 2
