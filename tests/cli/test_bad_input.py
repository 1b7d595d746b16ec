"""Whatever a user gets wrong: one clear line, exit code 2, no traceback."""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from scene import Done, Scene, count_frames, read_rows, write_boxes, write_clip

import mien as package
from mien.cli.progress import TaskProgress
from mien.interrupts import signals_awaited
from patience import PATIENCE_SECS, until

SOURCE = Path(package.__path__[0]).parent

Mien = Callable[..., Done]


def assert_one_line(done: Done, *words: str) -> None:
    assert done.code == 2
    assert done.err.count("\n") == 1, done.err
    assert done.err.startswith("mien: ")
    for word in words:
        assert word in done.err
    assert "Traceback" not in done.err + done.out


def test_a_missing_file(mien: Mien, scene: Scene, tmp_path: Path) -> None:
    done = mien("track", tmp_path / "none.mp4", "--out", tmp_path / "out", *scene.options)
    assert_one_line(done, "none.mp4", "no such file")


@pytest.mark.parametrize("name", ["empty.mp4", "empty.jpg"])
def test_zero_bytes(mien: Mien, scene: Scene, tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    done = mien("track", tmp_path / name, "--out", tmp_path / "out", *scene.options)
    assert_one_line(done, name, "empty")


def test_text_named_mp4(mien: Mien, scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("this is no video\n" * 20)
    done = mien("track", tmp_path / "text.mp4", "--out", tmp_path / "out", *scene.options)
    assert_one_line(done, "text.mp4")


def test_a_folder_without_images(mien: Mien, scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "notes.txt").write_text("x")
    done = mien("track", tmp_path / "bare", "--out", tmp_path / "out", *scene.options)
    assert_one_line(done, "bare", "no photos or videos")


def test_an_image_of_one_pixel(mien: Mien, scene: Scene, tmp_path: Path) -> None:
    Image.new("RGB", (1, 1)).save(tmp_path / "dot.png")
    done = mien("track", tmp_path / "dot.png", "--out", tmp_path / "out", *scene.options)
    assert_one_line(done, "dot.png", "1x1")


def test_an_output_folder_that_is_a_file(mien: Mien, scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("in the way")
    done = mien("track", scene.clip, "--out", tmp_path / "out", *scene.options)
    assert_one_line(done, "out")
    assert (tmp_path / "out").read_text() == "in the way"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_an_output_folder_without_rights(mien: Mien, scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir(mode=0o500)
    done = mien("track", scene.clip, "--out", tmp_path / "out", *scene.options)
    assert_one_line(done, "permission")


def test_an_unknown_model_names_the_known(mien: Mien, scene: Scene, tmp_path: Path) -> None:
    done = mien("track", scene.clip, "--out", tmp_path / "out", "--model", "nonesuch")
    assert_one_line(done, "unknown model 'nonesuch'")


def test_a_weight_file_that_is_not_one(mien: Mien, scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "w.onnx").write_text("no weights")
    done = mien("track", scene.clip, "--out", tmp_path / "out", "--model", tmp_path / "w.onnx")
    assert_one_line(done, "w.onnx")


def test_a_markup_the_model_does_not_have(mien: Mien, scene: Scene, tmp_path: Path) -> None:
    done = mien("track", scene.clip, "--out", tmp_path / "out", "--markup", "84", *scene.options)
    assert_one_line(done, "68 points, not 84")


def test_a_detector_nobody_knows(mien: Mien, scene: Scene, tmp_path: Path) -> None:
    words = [*scene.options, "--detector", "haar"]
    done = mien("track", scene.clip, "--out", tmp_path / "out", *words)
    assert_one_line(done, "unknown detector 'haar'")


@pytest.mark.parametrize(
    "words",
    [
        ("track",),
        ("track", "clip.mp4"),
        ("track", "clip.mp4", "--out", "o", "--max-faces", "0"),
        ("track", "clip.mp4", "--out", "o", "--format", "xls"),
        ("track", "clip.mp4", "--out", "o", "--markup", "70"),
        ("trakc",),
    ],
)
def test_usage_errors_end_with_2(mien: Mien, words: tuple[str, ...]) -> None:
    done = mien(*words)
    assert done.code == 2
    assert "Traceback" not in done.err


@pytest.mark.skipif(sys.platform != "linux", reason="file size limits stand in for a full disk")
def test_a_full_disk_keeps_what_was_written(scene: Scene, tmp_path: Path) -> None:
    """No file may grow beyond 20 kB: about eight rows of the table."""
    out = tmp_path / "out"
    code = (
        "import resource, sys; sys.dont_write_bytecode = True;"  # it would be cut short, too
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000));"
        "from mien.cli import main; main(sys.argv[1:])"
    )
    words = ["track", scene.clip, "--out", out, "--no-overlay", *scene.options]
    ended = subprocess.run(
        [sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True, check=False
    )
    assert_one_line(Done(ended.returncode, ended.stdout, ended.stderr), "clip.csv", "space")
    rows = read_rows(out / "clip.csv")
    assert 3 < len(rows) < 20
    assert json.loads((out / "clip.json").read_text())["frames_decoded"] == len(rows)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_an_interrupted_run_leaves_readable_files(scene: Scene, tmp_path: Path, name: str) -> None:
    """130, and the table, the overlay and the summary agree. SIGHUP: the terminal was closed."""
    out, frames = tmp_path / "out", 4000
    clip = write_clip(tmp_path / "long.mp4", frames=frames, dark=0)
    write_boxes(tmp_path / "boxes.csv", frames=5)
    command = [sys.executable, "-c", "from mien.cli import main; main()", "track"]
    with subprocess.Popen(
        [*command, str(clip), "--out", str(out), *scene.options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background jobs ignore Ctrl-C, nohup's SIGHUP, and so would their children.
        preexec_fn=functools.partial(signal.signal, getattr(signal, name), signal.SIG_DFL),
    ) as process:
        started = out / "long.csv.part"
        until(
            lambda: (
                process.poll() is not None or (started.exists() and started.stat().st_size > 30_000)
            )
        )
        assert process.poll() is None, process.communicate()
        process.send_signal(getattr(signal, name))
        _, err = process.communicate(timeout=PATIENCE_SECS)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    kept = len(read_rows(out / "long.csv"))
    assert 0 < kept < frames
    assert count_frames(out / "long.overlay.mp4") == kept
    assert json.loads((out / "long.json").read_text())["frames_decoded"] == kept
    assert not list(out.glob("*.part"))


def test_a_native_module_that_is_interrupted_while_it_loads_is_no_traceback(
    mien: Mien, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hides Ctrl-C behind an error of its own."""

    def loading(**_: object) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt as hidden:
            raise ImportError("initialization failed") from hidden

    monkeypatch.setattr("mien.cli.app", loading)
    done = mien("models")
    assert done.code == 130
    assert done.err == ""


class Dropping:
    """What is raised in it is dropped, as in a destructor of anything that ends in a frame."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_that_is_dropped_on_its_way_ends_the_run_at_the_next_frame(
    scene: Scene, mien: Mien, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    show, drops = TaskProgress.show, [Dropping()]

    def shown(self: TaskProgress, done: int) -> None:
        show(self, done)
        if done >= 5:
            drops.clear()

    monkeypatch.setattr(TaskProgress, "show", shown)
    clip = write_clip(tmp_path / "long.mp4", frames=60)
    done = mien("track", clip, "--out", tmp_path, "--no-overlay", *scene.options)
    assert done.code == 130
    assert 5 <= len(read_rows(tmp_path / "long.csv")) < 20
    assert json.loads((tmp_path / "long.json").read_text())["complete"] is False


def test_an_error_in_an_interrupt_s_place_is_130_as_well(
    mien: Mien, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a disk that is full when the files are closed."""

    def closing(**_: object) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt as hidden:
            raise OSError(28, "No space left on device") from hidden

    monkeypatch.setattr("mien.cli.app", closing)
    assert mien("models").code == 130


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_an_interrupt_while_the_command_loads_is_no_traceback(tmp_path: Path, name: str) -> None:
    """``mien.cli`` sends it while it is imported: in place of the real one, which is as slow."""
    shadow = tmp_path / "typer.py"
    shadow.write_text(f"import signal; signal.raise_signal(signal.{name}); print('went on')")
    ended = subprocess.run(
        [sys.executable, "-m", "mien", "models"],
        env=os.environ | {"PYTHONPATH": f"{tmp_path}:{SOURCE}"},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=functools.partial(signal.signal, getattr(signal, name), signal.SIG_DFL),
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


def test_nothing_is_loaded_before_interrupts_are_answered() -> None:
    """Each module more would be a longer while in which Ctrl-C is Python's own traceback."""
    code = (
        "import __future__, sys; before = set(sys.modules); import mien.__main__; "
        "print(sorted(set(sys.modules) - before))"
    )
    loaded = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(SOURCE)!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert loaded.stdout.strip() == "['mien', 'mien.__main__', 'mien.interrupts']"


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_an_interrupt_while_python_clears_away_is_no_traceback() -> None:
    code = (
        "import atexit, signal; from mien.__main__ import main; "
        "atexit.register(signal.raise_signal, signal.SIGINT); main()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, "--version"],
        env=os.environ | {"PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    assert (ended.returncode, ended.stderr) == (130, "")
    assert ended.stdout.startswith("mien ")


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_worker_is_born_deaf_to_the_terminal() -> None:
    """While it loads it would answer Ctrl-C with a traceback of its own."""
    code = (
        "import signal; mask = signal.pthread_sigmask(signal.SIG_BLOCK, []); "
        "print(sorted(one.name for one in mask & {signal.SIGINT, signal.SIGHUP})); "
        "signal.raise_signal(signal.SIGINT); "
        "from mien.interrupts import signals_left_to_the_parent; signals_left_to_the_parent(); "
        "signal.raise_signal(signal.SIGINT); mask = signal.pthread_sigmask(signal.SIG_BLOCK, []); "
        "print(len(mask))"
    )
    with signals_awaited():
        born = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONPATH": str(SOURCE)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (born.returncode, born.stderr) == (0, "")
    assert born.stdout.split("\n")[:2] == ["['SIGHUP', 'SIGINT']", "0"]
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, []) & {signal.SIGINT, signal.SIGHUP}


def test_a_closed_terminal_is_ignored_under_nohup(mien: Mien) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assert mien("models").code == 0
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_a_link_that_leads_nowhere_is_no_silent_loss(scene: Scene, tmp_path: Path) -> None:
    """It is refused by name, and the others are done."""
    (scene.folder / "gone.mp4").symlink_to("nowhere.mp4")
    words = ["track", scene.folder, "--out", tmp_path / "out", "--no-overlay", *scene.options]
    ended = subprocess.run(
        [sys.executable, "-m", "mien", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert "gone.mp4: a link to a file that is not there" in ended.stderr
    assert (tmp_path / "out" / "clip.csv").is_file()


def test_results_are_named_after_the_file_and_not_a_link_to_it(
    mien: Mien, scene: Scene, tmp_path: Path
) -> None:
    (scene.folder / "a.mp4").symlink_to("clip.mp4")
    out = tmp_path / "out"
    assert mien("track", scene.folder, "--out", out, "--no-overlay", *scene.options).code == 0
    assert sorted(path.name for path in out.iterdir()) == ["clip.csv", "clip.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="names that Windows does not take")
def test_a_name_gives_the_terminal_no_orders(mien: Mien, scene: Scene, tmp_path: Path) -> None:
    (scene.folder / "clip.mp4").rename(scene.folder / "a\n\x1b[31mb [bold]c.mp4")
    (scene.folder / "d\x1b[2Je.mp4").write_text("no video")
    done = mien("track", scene.folder, "--out", tmp_path, "--no-overlay", *scene.options)
    assert done.code == 2
    assert "a ?[31mb [bold]c: " in done.out
    assert "d?[2Je.mp4: " in done.err
    assert "\x1b" not in done.out + done.err
