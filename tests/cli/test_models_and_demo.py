"""``mien models``, ``mien demo``, ``mien --version``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scene import Done, square_at, write_clip

from mien import __version__
from mien.markup import load_markup
from mien.runtime import weights
from mien.types import Box, Detection, Frame
from standin import CARD, write_standin

Mien = Callable[..., Done]


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation whose only model is the stand-in."""
    folder = tmp_path / "weights"
    folder.mkdir()
    card = dataclasses.replace(CARD, results={"aflw2000_dev_nme": 0.05})
    write_standin(folder / "tiny-tracking.onnx", card)
    write_standin(folder / "tiny-detection.onnx", dataclasses.replace(card, role="detection"))
    monkeypatch.setattr(weights, "_weights_dir", lambda: folder)
    return folder


def test_models_as_json(mien: Mien, shipped: Path) -> None:
    done = mien("models", "--json")
    assert done.code == 0
    first, following = json.loads(done.out)
    assert (first["role"], following["role"]) == ("detection", "tracking")
    assert first["bytes"] == (shipped / "tiny-detection.onnx").stat().st_size
    for key in ("parameters", "gflops", "markup", "training_sources", "licence", "results"):
        assert key in first
    assert first["results"] == {"aflw2000_dev_nme": 0.05}


def test_models_for_a_reader(mien: Mien, shipped: Path) -> None:
    done = mien("models")
    assert done.code == 0
    assert "tiny-tracking.onnx" in done.out
    assert "learned from: nothing" in done.out


def test_the_face_finder_is_among_them_and_is_no_model(mien: Mien, shipped: Path) -> None:
    from squarefinder import write_square_finder

    write_square_finder(shipped / "finder.onnx")
    assert [one["role"] for one in json.loads(mien("models", "--json").out)] == [
        "detection",
        "tracking",
        "finder",
    ]
    assert "finder.onnx" in mien("models").out
    assert [one.path.stem for one in weights.shipped_models()] == [
        "tiny-detection",
        "tiny-tracking",
    ]


def test_a_shipped_model_goes_by_its_name(shipped: Path) -> None:
    assert weights.find_weights("tiny").tracking == shipped / "tiny-tracking.onnx"


class SquareDetector:
    def find(self, frame: Frame) -> list[Detection]:
        rows, columns = np.nonzero(frame.image_rgb[..., 0] > 128)
        edges = columns.min(), rows.min(), columns.max(), rows.max()
        return [Detection(Box(*map(float, edges)), 1.0)]


def test_demo_measures_the_clip_against_its_truth(
    mien: Mien, tmp_path: Path, standin_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The truth is moved by 3 px of a face of 31: an NME of 0.097, found by the command."""
    from mien.cli import demo
    from mien.pipeline import parts

    folder = tmp_path / "demo"
    folder.mkdir()
    write_clip(folder / "clip.mp4", frames=15, dark=0)
    mean = load_markup(68).mean_shape
    squares = [square_at(3 + index) for index in range(15)]
    truth = np.stack([mean * side + [x + 3, y, 0] for x, y, side in squares])
    np.savez(folder / "landmarks.npz", points_image=truth.astype(np.float32))
    monkeypatch.setattr(demo, "_demo_folder", lambda: folder)
    monkeypatch.setattr(parts, "open_detector", lambda words, threads: SquareDetector())
    done = mien("demo", "--out", tmp_path / "out", "--model", standin_model)
    assert (done.code, done.err) == (0, "")
    assert "frames   15, of which missed: 0" in done.out
    shown = float(done.out.split("NME")[1].split()[0])
    assert shown == pytest.approx(3 / 31, abs=0.015)
    overlay = Path(done.out.split("overlay  ")[1].strip())
    assert overlay.stat().st_size > 0


def test_the_version(mien: Mien) -> None:
    assert mien("--version").out.strip() == f"mien {__version__}"


def test_help_names_every_verb(mien: Mien) -> None:
    done = mien("--help")
    assert done.code == 0
    for verb in ("track", "demo", "models", "evaluate"):
        assert verb in done.out
    assert "--search-secs" in mien("track", "--help").out
