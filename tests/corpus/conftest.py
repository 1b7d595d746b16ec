"""A corpus is made of the same scene as a study: ``tests/cli/scene.py``."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
sys.path.insert(0, str(Path(__file__).parents[1] / "study"))
sys.path.insert(0, str(Path(__file__).parent))

from scene import Scene, write_boxes, write_clip


@pytest.fixture
def scene(tmp_path: Path, standin_model: Path) -> Scene:
    """Three clips of different lengths, and a file that is none."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name, frames in (("a", 20), ("b", 12), ("c, d", 16)):
        write_clip(folder / f"{name}.mp4", frames=frames)
    (folder / "bad.mp4").write_text("no video")
    boxes = write_boxes(tmp_path / "boxes.csv")
    return Scene(folder, ("--model", str(standin_model), "--detector", f"boxes:{boxes}"))
