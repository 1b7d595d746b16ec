"""Packs whose only teacher is MediaPipe's mesh, and the anchors they need."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from mien.cli import app
from mien.datasets.ours.pack import UNKNOWN, FacePack, read_pack
from mien.datasets.ours.pack_labels import load_pack_labels
from mien.datasets.ours.pack_writer import PackWriter
from mien.errors import DataError, OutputError
from mien.geometry import rotation_from_angles
from mien.synthesis.fit.anchors import load_anchors
from mien.synthesis.fit.mesh_pack import TEACHER, write_mesh_pack
from mien.synthesis.head.morphable import MorphableHead, load_head
from mien.synthesis.make.sources import pack_sources
from mien.types import HeadPose, Landmarks

FACES, SIDE, PX_PER_CM = 12, 200, 7.0


@pytest.fixture(scope="module")
def ict() -> MorphableHead:
    """The head that ships."""
    return load_head()


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory, ict: MorphableHead) -> FacePack:
    """Faces of known heads: the mesh lies where the shipped anchors have it, clicks are far off."""
    folder, rng = tmp_path_factory.mktemp("faces"), np.random.default_rng(4)
    anchors = load_anchors(ict)
    mesh = np.zeros((FACES, 478, 3))
    (folder / "faces").mkdir()
    for face in range(FACES):
        vertices = ict.vertices(rng.normal(0, 0.6, 60), np.zeros(len(ict.expression)))
        turn = rotation_from_angles(HeadPose(*rng.uniform(-15, 15, 3)))
        placed = anchors.mesh468.of(vertices) @ turn.T * PX_PER_CM
        mesh[face, :468] = placed + np.array([SIDE / 2, SIDE / 2 + 10, 0])
        picture = np.full((SIDE, SIDE, 3), face, np.uint8)
        cv2.imwrite(str(folder / "faces" / f"{face}.png"), picture)
    mesh[-1] = np.nan
    unknown = np.full((FACES, 68, 3), 50 * 32, np.int16)
    np.savez(
        folder / "faces.npz",
        path=np.array([f"{face}.png" for face in range(FACES)]),
        source=np.array(["mebeauty"] * (FACES - 1) + ["helen"]),
        split=np.full(FACES, "train"),
        manual68=unknown[..., :2],
        mediapipe478=np.where(np.isnan(mesh), UNKNOWN, np.round(mesh * 16)).astype(np.int16),
        tddfa68=unknown,
        disagreement=np.full(FACES, 0.5, np.float32),
    )
    return read_pack(folder)


def test_mesh_and_head_alone_teach(shipped: FacePack, ict: MorphableHead, tmp_path: Path) -> None:
    made = write_mesh_pack([shipped], ["mebeauty"], tmp_path / "out", ict)
    again = read_pack(tmp_path / "out")
    assert len(made) == len(again) == FACES - 1
    np.testing.assert_allclose(again.teacher68, made.teacher68, atol=1 / 32)
    assert np.isnan(again.manual68).all(), "what people clicked must not come through"
    assert again.teachers_agree.all(), "fits of meshes that lie on the head are close"
    assert pack_sources(again) == [
        "MEBeauty photos (Unsplash, Pexels and Pixabay licences)",
        TEACHER,
    ]
    picture = cv2.imread(str(again.file(3)))
    assert picture is not None
    assert (picture == 3).all()
    labels = load_pack_labels(tmp_path / "out")
    nose = labels.points[:, 33, :2] - shipped.mesh478[: FACES - 1, 2, :2]
    assert np.abs(nose).max() < 0.1, "inner points are the mesh's own"
    brow = shipped.mesh478[: FACES - 1][:, [105, 52], :2].mean(axis=1)
    assert np.abs(labels.points[:, 19, :2] - brow).max() < 0.1, "brows lie between both rims"


def test_the_jaw_runs_evenly_down_the_heads_jaw_line(
    shipped: FacePack, ict: MorphableHead, tmp_path: Path
) -> None:
    write_mesh_pack([shipped], [], tmp_path / "out", ict)
    anchors = load_anchors(ict, tmp_path / "out" / "anchors.npz")
    assert anchors.sources == ("mediapipe", "ict")
    jaw = anchors.points68.of(ict.mean)[:17]
    steps = np.linalg.norm(np.diff(jaw[:, :2], axis=0), axis=1)
    assert steps.max() < 1.5 * steps.min()
    np.testing.assert_allclose(jaw[:, 0], -jaw[::-1, 0], atol=0.3)  # cm
    line = ict.mean[ict.jaw33]
    away = np.linalg.norm(jaw[:, None, :] - line, axis=2).min(axis=1)
    assert away.max() < 1.0, "cm"
    assert load_anchors(ict).sources == ("anchors",), "the shipped ones were clicked"


def test_too_few_faces_and_packs_that_are_there_are_refused(
    shipped: FacePack, ict: MorphableHead, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="0 train faces of helen have a mesh"):
        write_mesh_pack([shipped], ["helen"], tmp_path / "few", ict)
    assert not (tmp_path / "few").exists()
    with pytest.raises(OutputError, match="holds a pack already"):
        write_mesh_pack([shipped], [], shipped.table.parent, ict)


def test_packs_are_joined(shipped: FacePack, ict: MorphableHead, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"0\.png is a picture of more than one"):
        write_mesh_pack([shipped, shipped], [], tmp_path / "twice", ict)
    writer = PackWriter(tmp_path / "more", 0.0, "mesh", source="webmorph", licence="CC BY 4.0")
    mesh = np.asarray(shipped.mesh478[0], np.float64)
    face = Landmarks(np.asarray(shipped.teacher68[0], np.float64), np.full(68, 0.9))
    face.points_image[:, :2] = mesh[:68, :2]
    writer.add("new.png", np.full((SIDE, SIDE, 3), 99, np.uint8), face, mesh)
    writer.close()
    more = read_pack(tmp_path / "more")
    joined = write_mesh_pack([shipped, more], [], tmp_path / "both", ict)
    assert len(joined) == FACES
    assert joined.source[-1] == "webmorph"
    assert joined.licence is not None
    assert joined.licence[-1] == "CC BY 4.0"
    assert joined.file(FACES - 1).is_file()
    # The crop has another place and scale, so what the mesh says of the face is the same in shares.
    first, last = joined.teacher68[0, :, :2], joined.teacher68[-1, :, :2]
    shares = [(points - points.mean(axis=0)) / np.ptp(points[:, 0]) for points in (first, last)]
    np.testing.assert_allclose(shares[0], shares[1], atol=0.02)


def test_the_command(shipped: FacePack, tmp_path: Path) -> None:
    words = ["data", "mesh", str(shipped.table.parent), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, [*words, "--source", "mebeauty"])
    assert result.exit_code == 0, result.output
    assert "11 faces in" in result.output
    assert "mien data fit" in result.output
    assert (tmp_path / "out" / "anchors.npz").is_file()
