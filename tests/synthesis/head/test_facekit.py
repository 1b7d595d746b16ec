"""ICT FaceKit's folder to a head file: a folder written here of the head that ships with mien."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mien.cli.data import data_app
from mien.errors import DataError
from mien.synthesis.fit.anchors import load_anchors
from mien.synthesis.head.facekit import read_facekit
from mien.synthesis.head.morphable import load_head

FLIP = np.array([1, -1, -1], np.float32)
"""Our frame to the files': y up, z forward."""
SKIN = 11248


def write_obj(file: Path, vertices: np.ndarray, triangles: np.ndarray) -> None:
    lines = ["# a comment", "mtllib material.mtl", "vt 0.5 0.5"]
    lines += [f"v {x:.5f} {y:.5f} {z:.5f}" for x, y, z in vertices]
    lines += ["v 0 0 0", "v 1 1 1", "v 2 2 2"]  # eyes and teeth, which are left out
    lines += [f"f {a}/1 {b}/1 {c}/1" for a, b, c in triangles + 1]
    lines += [f"f {SKIN + 1}/1 {SKIN + 2}/1 {SKIN + 3}/1"]
    file.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def facekit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kit") / "FaceXModel"
    folder.mkdir()
    head = load_head(identities=2)
    mean = head.mean[:SKIN] * FLIP
    skin = head.triangles[(head.triangles < SKIN).all(axis=1)]
    write_obj(folder / "generic_neutral_mesh.obj", mean, skin)
    for number, mode in enumerate(head.identity):
        write_obj(folder / f"identity{number:03d}.obj", mean + mode[:SKIN] * FLIP, skin[:0])
    for name in ("jawOpen", "eyeBlink_L"):
        mode = head.expression[head.expression_index(name)]
        write_obj(folder / f"{name}.obj", mean + mode[:SKIN] * FLIP, skin[:0])
    return folder.parent


@pytest.mark.parametrize(("small", "off_cm"), [("", 0.001), ("--small", 0.016)])
def test_the_folder_becomes_the_head(
    facekit: Path, tmp_path: Path, small: str, off_cm: float
) -> None:
    out = tmp_path / "head.npz"
    done = CliRunner().invoke(data_app, f"head {facekit} --out {out} {small}".split())
    assert done.exit_code == 0, done.output
    made, shipped = load_head(out), load_head(identities=2)
    np.testing.assert_allclose(made.mean, shipped.mean, atol=1e-4)
    np.testing.assert_allclose(made.identity, shipped.identity, atol=off_cm)
    np.testing.assert_array_equal(made.triangles, shipped.triangles)
    np.testing.assert_array_equal(made.landmarks68, shipped.landmarks68)
    assert made.expression_names == ("eyeBlink_L", "jawOpen")
    for name in made.expression_names:
        one, other = (head.expression[head.expression_index(name)] for head in (made, shipped))
        np.testing.assert_allclose(one, other, atol=off_cm)


def test_the_shipped_head_is_whole_and_has_its_anchors() -> None:
    head = load_head()
    assert (len(head.identity), len(head.expression), len(head.patches)) == (60, 53, 3)
    anchors = load_anchors(head)
    # The convention's jaw lies beside the head's own; inner points nearly on it.
    inner = anchors.manual51.of(head.mean) - head.mean[head.landmarks68[17:]]
    assert np.linalg.norm(inner, axis=1).max() < 1.5


def test_quads_are_cut(tmp_path: Path, facekit: Path) -> None:
    text = (facekit / "FaceXModel" / "generic_neutral_mesh.obj").read_text()
    for file in (facekit / "FaceXModel").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    first = text.index("\nf ")
    (tmp_path / "generic_neutral_mesh.obj").write_text(text[:first] + "\nf 1/1 2/2 3/3 4/4\n")
    assert read_facekit(tmp_path)["triangles"].tolist() == [[0, 1, 2], [0, 2, 3]]


def test_another_order_of_vertices_and_missing_files_are_refused(
    tmp_path: Path, facekit: Path
) -> None:
    with pytest.raises(DataError, match=r"holds no generic_neutral_mesh\.obj"):
        read_facekit(tmp_path)
    source = (facekit / "FaceXModel" / "generic_neutral_mesh.obj").read_text().splitlines()
    neutral = tmp_path / "generic_neutral_mesh.obj"
    vertices = [line for line in source if line.startswith("v ")]
    faces = [line for line in source if line.startswith("f ")]
    neutral.write_text("\n".join([*vertices, *faces]))
    with pytest.raises(DataError, match="no expression"):
        read_facekit(tmp_path)
    neutral.write_text("\n".join([*reversed(vertices[:SKIN]), *faces]))
    with pytest.raises(DataError, match="take a later edition"):
        read_facekit(tmp_path)
    neutral.write_text("\n".join(vertices[:100]))
    with pytest.raises(DataError, match="100 vertices of at least 11248"):
        read_facekit(tmp_path)
