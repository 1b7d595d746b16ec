"""Studies are made of the same scene as single clips: ``tests/cli/scene.py``."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
sys.path.insert(0, str(Path(__file__).parent))

from scene import Scene, write_boxes, write_clip


@pytest.fixture
def scene(tmp_path: Path, standin_model: Path) -> Scene:
    """Three clips of different lengths."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name, frames in (("a", 20), ("b", 12), ("c, d", 16)):
        write_clip(folder / f"{name}.mp4", frames=frames)
    boxes = write_boxes(tmp_path / "boxes.csv")
    options = ("--model", str(standin_model), "--detector", f"boxes:{boxes}", "--threads", "1")
    return Scene(folder, options)
