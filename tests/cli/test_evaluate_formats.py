"""``mien evaluate`` on public sets, with a network that knows the upright mean head only."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import scipy.io
from scene import Done

from mien.evaluation import measured_model
from mien.geometry import FACE_SHARE, Similarity
from mien.markup import load_markup
from mien.runtime import Landmarker, LandmarkerPair
from mien.types import Landmarks, Prediction

SIDE = 64


class MeanHead(Landmarker):
    """Sees the upright mean head in the middle of every crop."""

    side = SIDE
    mean_shape = load_markup(68).mean_shape
    markup = load_markup(68)
    card = SimpleNamespace(
        name="mean",
        markup=68,
        convention="clicked",
        side=SIDE,
        sha256="cafe",
        confidence_radius=0.05,
    )
    judge = None

    def __init__(self) -> None:
        pass

    def predict(self, image_rgb: np.ndarray, crops: Sequence[Similarity]) -> list[Prediction]:
        low, high = self.mean_shape.min(axis=0), self.mean_shape.max(axis=0)
        points_crop = (self.mean_shape - (low + high) / 2) * FACE_SHARE * SIDE
        points_crop[:, :2] += (SIDE - 1) / 2
        return [Prediction(Landmarks(crop.apply(points_crop), np.ones(68)), 0.9) for crop in crops]


def upright_head(points: int) -> np.ndarray:
    """In our conventions, 80 px about (150, 140)."""
    return load_markup(points).mean_shape * 80 + [150, 140, 0]


def write_w300lp(root: Path) -> None:
    stored = upright_head(68)[:, :2] + 1
    for folder in ("AFW", "landmarks/AFW"):
        (root / folder).mkdir(parents=True)
    cv2.imwrite(str(root / "AFW/a_0.jpg"), np.zeros((300, 300, 3), np.uint8))
    scipy.io.savemat(root / "AFW/a_0.mat", {"Pose_Para": np.zeros((1, 7))})
    scipy.io.savemat(root / "landmarks/AFW/a_0_pts.mat", {"pts_3d": stored, "pts_2d": stored + 1})


def write_menpo3d(root: Path) -> None:
    head = upright_head(84)
    cv2.imwrite(str(root / "a.jpg"), np.zeros((300, 300, 3), np.uint8))
    spaces = {"projected_image_space": head[:, 1::-1], "model_space": head * [1, -1, -1]}
    for space, points in spaces.items():
        (root / space).mkdir()
        content = {"labels": [], "landmarks": {"points": points.tolist()}, "version": 2}
        (root / space / "a.ljson").write_text(json.dumps(content))


def write_cfp(root: Path) -> None:
    """Half a face is clicked; its box is the unit."""
    points = np.full((1, 68, 2), np.nan)
    chosen = [*range(9), *range(17, 22), *range(27, 34), *range(36, 42), 48, 49, 50, 57, 58, 59]
    points[0, chosen] = upright_head(68)[chosen, :2]
    cv2.imwrite(str(root / "001_01.jpg"), np.zeros((300, 300, 3), np.uint8))
    labels = {"name": ["001_01.jpg"], "yaw_abs_deg": [50.0], "faces_image_right": [True]}
    np.savez(root / "labels.npz", points68=points, split=["val"], **labels)


@pytest.mark.parametrize(
    ("name", "write", "has_depth"),
    [
        ("w300lp", write_w300lp, False),
        ("menpo3d", write_menpo3d, True),
        ("cfp", write_cfp, False),
    ],
)
def test_a_network_that_is_right_has_no_error(
    tmp_path: Path,
    mien: Callable[..., Done],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    write: Callable[[Path], None],
    has_depth: bool,
) -> None:
    pair = LandmarkerPair(MeanHead(), MeanHead())
    monkeypatch.setattr(measured_model, "load_landmarkers", lambda model, points, threads: pair)
    root, file = tmp_path / "set", tmp_path / "result.json"
    root.mkdir()
    write(root)
    done = mien("evaluate", name, root, "--json", file)
    assert done.code == 0, done
    result = json.loads(file.read_text())
    assert result["n"] == 1
    assert result["nme"] < 1e-3
    assert (result["nme_3d"] is not None) == has_depth
    assert ("as_300w_lp" in result) == (name == "w300lp")
    if has_depth:
        assert result["nme_3d"] < 1e-3
    assert result["command"].startswith(f"mien evaluate {name} set ")


@pytest.mark.parametrize("name", ["w300lp", "menpo3d"])
def test_a_wrong_folder_is_one_line(tmp_path: Path, mien: Callable[..., Done], name: str) -> None:
    done = mien("evaluate", name, tmp_path, "--json", tmp_path / "result.json")
    assert done.code == 2
    assert str(tmp_path) in done.err
