"""The scene and the command, run in this process."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from scene import Done, Scene, write_boxes, write_clip

from mien.cli import main


@pytest.fixture
def scene(tmp_path: Path, standin_model: Path) -> Scene:
    folder = tmp_path / "in"
    folder.mkdir()
    write_clip(folder / "clip.mp4")
    boxes = write_boxes(tmp_path / "boxes.csv")
    options = ("--model", str(standin_model), "--detector", f"boxes:{boxes}", "--threads", "1")
    return Scene(folder, options)


@pytest.fixture
def mien(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Done]]:
    """Run the command; it must end by itself, with one line on stderr where it fails."""
    names = ("SIGTERM", "SIGINT", "SIGHUP")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    handlers = [signal.getsignal(number) for number in numbers]

    def run(*words: object) -> Done:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        shown = capsys.readouterr()
        code = ended.value.code
        return Done(code if isinstance(code, int) else 0, shown.out, shown.err)

    yield run
    for number, handler in zip(numbers, handlers, strict=True):
        signal.signal(number, handler)
