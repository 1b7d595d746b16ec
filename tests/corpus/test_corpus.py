"""A corpus in this process: a study's rows, wherever files come from and results go."""

from __future__ import annotations

import dataclasses
import io
import json
import sys
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from command import mien
from PIL import Image
from rows import of_corpus, of_study
from scene import Scene, write_clip

import mien.corpus.clip as clip_module
from mien.corpus import (
    CorpusJob,
    CorpusTask,
    Place,
    RayCluster,
    UnreachableError,
    addresses_at,
    track_clip,
    track_here,
)
from mien.errors import ConfigError, InputError, OutputError
from mien.media import Input
from mien.outputs.ownership import mark_png
from mien.outputs.rows import columns
from mien.study import FileJob, PartsSpec, PointsIn, ShardSpec, versions
from mien.tracking import TrackerSettings

Capture = pytest.CaptureFixture[str]
HERE = ("--ray", "none")


def job_of(scene: Scene, out: Path, scratch: Path) -> CorpusJob:
    parts = PartsSpec(scene.options[1], 68, scene.options[3], TrackerSettings(), 1)
    shards = ShardSpec(Path(), PointsIn.BESIDE, checkpoint_secs=0.0)
    file = FileJob(parts, None, shards, None, True)
    return CorpusJob(file, Place(str(out)), 68, "digest", versions(), scratch)


def task_of(path: Path | str, stem: str = "a") -> CorpusTask:
    return CorpusTask(Input(str(path), stem), "token", 1)


def facts(folder: Path) -> dict[str, Any]:
    told = [json.loads(path.read_text()) for path in (folder / "files").rglob("*.json")]
    return {one["file"]["clip"]: one for one in told}


def test_a_corpus_holds_the_rows_of_a_study(capsys: Capture, scene: Scene, tmp_path: Path) -> None:
    study = of_study(capsys, scene, tmp_path / "study" / "study.parquet")
    out = tmp_path / "out"
    done = mien(capsys, "corpus", scene.folder, "--out", out, *HERE, *scene.options)
    assert (done.code, done.err.count("bad.mp4")) == (2, 1)
    assert "3 of 4 files done" in done.out
    assert of_corpus(out) == study
    assert study["rows"].keys() == {"a", "b", "c, d"}
    record = json.loads((out / "run.json").read_text())
    states = {one["clip"]: one["state"] for one in record["files"]}
    assert states == {"a": "done", "b": "done", "bad": "failed", "c, d": "done"}
    assert not record["complete"]
    assert len(list(out.rglob("*.parquet"))) == 6


def test_what_stands_is_not_tracked_again(capsys: Capture, scene: Scene, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ("corpus", scene.folder, "--out", out, *HERE, *scene.options)
    mien(capsys, *words)
    (scene.folder / "bad.mp4").unlink()
    write_clip(scene.folder / "b.mp4", frames=15)
    write_clip(scene.folder / "new.mp4", frames=5)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.parquet")}
    done = mien(capsys, *words)
    assert "3 files were done before" not in done.err
    assert "2 files were done before" in done.err
    assert "b: the file has changed" in done.err
    after = {path: path.stat().st_mtime_ns for path in out.rglob("*.parquet")}
    assert sum(after.get(path) == time for path, time in before.items()) == 4
    assert of_corpus(out)["rows"]["b"].num_rows == 15
    assert of_corpus(out)["rows"].keys() == {"a", "b", "c, d", "new"}
    assert facts(out).keys() == {"a", "b", "bad", "c, d", "new"}  # a failure is not forgotten


def test_a_corpus_can_be_added_to_and_not_mixed(
    capsys: Capture, scene: Scene, tmp_path: Path
) -> None:
    out, more = tmp_path / "out", tmp_path / "more"
    more.mkdir()
    (scene.folder / "bad.mp4").unlink()
    words = ("--out", out, *HERE, *scene.options)
    assert mien(capsys, "corpus", scene.folder, *words).code == 0
    assert json.loads((out / "run.json").read_text())["complete"]
    write_clip(more / "e.mp4", frames=5)
    assert mien(capsys, "corpus", more, *words).code == 0
    assert of_corpus(out)["rows"].keys() == {"a", "b", "c, d", "e"}
    other = mien(capsys, "corpus", more, *words, "--max-faces", 2)
    assert other.code == 2
    assert "begun with other options" in other.err
    write_clip(more / "a.mp4", frames=5)
    same_name = mien(capsys, "corpus", more, *words)
    assert same_name.code == 2
    assert "another file of this name" in same_name.err
    assert of_corpus(out)["rows"]["a"].num_rows == 20
    anew = mien(capsys, "corpus", more, *words, "--max-faces", 2, "--no-resume")
    assert anew.code == 2
    assert "files that are not named (b, c, d)" in anew.err
    assert of_corpus(out)["rows"]["a"].num_rows == 20
    (more / "a.mp4").unlink()
    both = ("corpus", scene.folder, more, *words, "--max-faces", 2, "--no-resume")
    assert mien(capsys, *both, "--points", "none").code == 0
    assert of_corpus(out)["rows"].keys() == {"a", "b", "c, d", "e"}
    assert not list((out / "points").rglob("*.parquet"))  # those of before are not of these rows


def test_a_file_is_in_the_corpus_once(capsys: Capture, scene: Scene, tmp_path: Path) -> None:
    (scene.folder / "bad.mp4").unlink()
    words = ("--out", tmp_path / "out", *HERE, *scene.options)
    assert mien(capsys, "corpus", scene.folder, *words).code == 0
    (scene.folder / "a.mov").write_bytes((scene.folder / "b.mp4").read_bytes())  # a is a.mp4 now
    done = mien(capsys, "corpus", scene.folder, *words)
    assert (done.code, "3 files were done before" in done.err) == (0, True)
    above = mien(capsys, "corpus", tmp_path, *words, "--recursive")  # a is in/a now
    assert (above.code, "4 of 4 files done" in above.out) == (0, True)
    rows = of_corpus(tmp_path / "out")["rows"]
    assert {clip: table.num_rows for clip, table in rows.items()} == {
        "a": 20,
        "a.mov": 12,
        "b": 12,
        "c, d": 16,
    }


def test_more_cores_than_a_node_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray would wait for a larger node for ever."""
    ended = []
    node = {"Alive": True, "Resources": {"CPU": 2.0}}
    gone = {"Alive": False, "Resources": {"CPU": 64.0}}
    ray = SimpleNamespace(
        init=lambda **words: None,
        nodes=lambda: [node, gone],
        shutdown=lambda: ended.append(True),
    )
    monkeypatch.setitem(sys.modules, "ray", ray)
    with RayCluster("auto", cores_a_file=2, retries=0) as cluster:
        assert cluster.size == (1, 2)
    with (
        pytest.raises(ConfigError, match="no node has more than 2"),
        RayCluster("auto", cores_a_file=3, retries=0),
    ):
        pass
    assert len(ended) == 2


def test_files_and_results_of_addresses(capsys: Capture, scene: Scene, tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    study = of_study(capsys, scene, tmp_path / "study" / "study.parquet")
    memory = fsspec.filesystem("memory")
    memory.rm("/mien", recursive=True) if memory.exists("/mien") else None
    for path in scene.folder.iterdir():
        memory.pipe_file(f"/mien/in/{path.name}", path.read_bytes())
    memory.pipe_file("/mien/in/notes.txt", b"hello")
    memory.pipe_file("/mien/in/second day/.f/e.mp4", b"not looked at")
    words = ("--out", "memory://mien/out", *HERE, *scene.options)
    done = mien(capsys, "corpus", "memory://mien/in", *words)
    assert done.code == 2
    assert "memory://mien/in/bad.mp4: not a photo or video" in done.err.replace(":///", "://")
    assert "3 of 4 files done" in done.out
    assert ".txt (1); 1 folder inside (--recursive reads them)" in done.out
    out = tmp_path / "out"
    memory.get("/mien/out", str(out), recursive=True)
    assert of_corpus(out) == study
    left_out = json.loads((out / "run.json").read_text())["left_out"]
    assert [one.rpartition("/in/")[2] for one in left_out] == ["notes.txt", "second day/"]
    every = addresses_at("memory://mien/in", recursive=True)
    assert PurePosixPath("second day/.f/e.mp4") in [within for _, within in every.found]
    assert every.left_out.folders == []
    with pytest.raises(InputError, match="1 folder inside"):
        addresses_at("memory://mien/in/second day", recursive=False)
    again = mien(capsys, "corpus", "memory://mien/in/*.mp4", *words)
    assert "3 files were done before" in again.err


def test_what_mien_wrote_at_an_address_is_not_left_out() -> None:
    """As beside a local clip: by what the files say, not by their names."""
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    memory.rm("/own", recursive=True) if memory.exists("/own") else None
    ours = {
        "a.json": json.dumps({"program": "mien"}).encode(),
        "a.csv": ",".join(columns(68)).encode() + b"\n",
        "a.jsonl": json.dumps(dict.fromkeys(columns(68))).encode() + b"\n",
        "a.timeline.png": mark_png(drawn_png()),
        "a.csv.part": b"",
    }
    others = {
        "b.json": b"{}",
        "b.csv": b"frame,me\n",
        "b.jsonl": b"[",
        "b.overlay.png": drawn_png(),
    }
    for name, data in {**ours, **others, "a.mp4": b"", ".hidden.json": b"{}"}.items():
        memory.pipe_file(f"/own/{name}", data)
    listing = addresses_at("memory://own", recursive=False)
    assert [str(within) for _, within in listing.found] == ["a.mp4"]
    assert {one.rpartition("/")[2] for one in listing.left_out.files} == set(others)


def drawn_png() -> bytes:
    kept = io.BytesIO()
    Image.new("RGB", (4, 4)).save(kept, "PNG")
    return kept.getvalue()


def test_links_at_an_address_are_what_they_lead_to(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    day, other = tmp_path / "day", tmp_path / "other"
    for folder in (day / "in", other):
        folder.mkdir(parents=True)
    (other / "a.mp4").touch()
    (day / "a.mp4").symlink_to(other / "a.mp4")
    (day / "gone.mp4").symlink_to(other / "gone.mp4")
    (day / "link").symlink_to(other, target_is_directory=True)
    for address in (f"file://{day}", f"file://{day}/*"):
        listing = addresses_at(address, recursive=False)
        assert [str(within) for _, within in listing.found] == ["a.mp4", "gone.mp4"]
        assert listing.left_out.line() == (
            "left out 1 folder inside; 1 link to a folder (never followed)"
        )
    every = addresses_at(f"file://{day}", recursive=True)
    assert [str(within) for _, within in every.found] == ["a.mp4", "gone.mp4"]
    assert every.left_out.line() == "left out 1 link to a folder (never followed)"


def test_a_list_of_files_and_a_local_address(capsys: Capture, scene: Scene, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text(f"{scene.folder / 'a.mp4'}\n\nfile://{scene.folder / 'b.mp4'}\n")
    out = tmp_path / "out"
    words = (*HERE, *scene.options)
    done = mien(capsys, "corpus", "--list", names, "--out", f"file://{out}", *words)
    assert done.code == 0, done.err
    assert of_corpus(out)["rows"].keys() == {"a", "b"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "say what to track"),
        (("nowhere",), "nowhere"),
        (("--list", "nowhere.txt"), "not a list of files"),
        (("memory://mien/in", "--ray", "auto"), "only --ray none can see it"),
        (("memory://mien/nowhere",), "no such file or folder"),
        (("madeup://bucket/in",), "madeup"),
        (("0",), "record it first"),
    ],
)
def test_a_mistake_is_one_line(
    capsys: Capture, scene: Scene, tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    pytest.importorskip("fsspec")
    end = () if "--ray" in words else HERE
    done = mien(capsys, "corpus", *words, "--out", tmp_path / "out", *scene.options, *end)
    assert done.code == 2
    assert told in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_file_broken_off_goes_on_on_the_same_node(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_of(scene, tmp_path / "out", tmp_path / "scratch")
    whole = job_of(scene, tmp_path / "whole", tmp_path / "scratch-2")
    seen: list[int] = []
    real = clip_module.track_file

    def stopped(*args: Any, **named: Any) -> Any:
        def stop(done: int) -> None:
            seen.append(done)
            if done >= 11 and len(seen) < 13:
                raise KeyboardInterrupt

        return real(*args, on_frame=stop, **named)

    monkeypatch.setattr(clip_module, "track_file", stopped)
    task = task_of(scene.folder / "a.mp4")
    with pytest.raises(KeyboardInterrupt):
        track_clip(job, task)
    assert facts(tmp_path / "out") == {}
    assert list((tmp_path / "scratch").rglob("*.state.npz"))
    begun = len(seen)
    assert track_clip(job, task).record.state == "done"
    assert seen[begun] >= 10
    monkeypatch.setattr(clip_module, "track_file", real)
    track_clip(whole, task)
    assert of_corpus(tmp_path / "out") == of_corpus(tmp_path / "whole")
    assert not list((tmp_path / "scratch").iterdir())


def test_a_file_that_cannot_be_fetched_is_tried_again(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = []

    def fetch(where: str, file: Path) -> None:
        attempts.append(where)
        if where.endswith("b.mp4") or len(attempts) < 3:
            raise TimeoutError("the store does not answer")
        file.write_bytes((scene.folder / "a.mp4").read_bytes())

    monkeypatch.setattr(clip_module, "fetch", fetch)
    job = job_of(scene, tmp_path / "out", tmp_path / "scratch")
    tasks = [task_of("s3://bucket/a.mp4"), task_of("s3://bucket/b.mp4", "b")]
    with pytest.raises(UnreachableError):
        track_clip(job, tasks[0])
    one, two = track_here(job, tasks, retries=2)
    assert (one.record.state, one.record.path, one.record.rows) == ("done", "s3://bucket/a.mp4", 20)
    assert (two.record.state, len(attempts)) == ("failed", 6)
    assert "does not answer" in two.errors[0]


def test_a_node_that_would_give_other_rows_is_refused(scene: Scene, tmp_path: Path) -> None:
    job = job_of(scene, tmp_path / "out", tmp_path / "scratch")
    other = dataclasses.replace(job, versions={**job.versions, "numpy": "0.1"})
    with pytest.raises(ConfigError, match=rf"numpy {np.__version__}, not 0.1"):
        track_clip(other, task_of(scene.folder / "a.mp4"))


def test_results_that_cannot_be_written_end_the_run(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    job = job_of(scene, tmp_path / "out", tmp_path / "scratch")
    with pytest.raises(OutputError, match="a file stands where its folder should be"):
        track_clip(job, task_of(scene.folder / "a.mp4"))
    assert list((tmp_path / "scratch").rglob("*"))  # what was tracked is not lost
