"""``mien track --blendshapes --metric``: columns, notes and the summary."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from scene import DARK, FRAMES, Done, Scene, square_at, write_photo

from mien.expression import ABSENT, SHAPES

Mien = Callable[..., Done]
READERS = {
    "csv": pd.read_csv,
    "parquet": pd.read_parquet,
    "jsonl": lambda path: pd.read_json(path, lines=True),
}


@pytest.mark.parametrize("ending", READERS)
def test_blendshapes_and_head_are_columns_of_every_table(
    mien: Mien, scene: Scene, tmp_path: Path, ending: str
) -> None:
    words = ("--no-overlay", "--format", ending, "--blendshapes", "--metric", *scene.options)
    done = mien("track", scene.clip, "--out", tmp_path / "out", *words)
    assert (done.code, done.err) == (0, "")
    assert done.out.count("63 degrees") == 1
    read = READERS[ending](tmp_path / "out" / f"clip.{ending}")
    assert set(SHAPES) <= set(read.columns)
    assert not set(ABSENT) & set(read.columns)
    assert read[[*SHAPES]].iloc[:DARK].isna().all(axis=None)
    seen = read.iloc[DARK:]
    assert seen[[*SHAPES]].apply(lambda column: column.between(0, 1)).all(axis=None)
    assert (seen.head_x_cm.diff().dropna() > 0).all()  # the square walks to the picture's right
    lengths = (seen[[f"head_q{axis}" for axis in "xyzw"]] ** 2).sum(axis=1)
    assert lengths.between(0.9999, 1.0001).all()
    summary = json.loads((tmp_path / "out" / "clip.json").read_text())
    assert summary["camera"] == {"focal_px": 163.19, "fov_diagonal_deg": 63.0, "assumed": True}
    assert summary["absent_blendshapes"] == ABSENT
    assert len(read) == FRAMES


def test_a_known_camera_is_not_remarked_on(mien: Mien, scene: Scene, tmp_path: Path) -> None:
    done = mien(
        *("track", scene.clip, "--out", tmp_path, "--no-overlay", "--fov", "90", *scene.options)
    )
    assert (done.code, done.err) == (0, "")
    assert "degrees" not in done.out
    summary = json.loads((tmp_path / "clip.json").read_text())
    assert summary["camera"]["focal_px"] == pytest.approx(100.0)
    assert summary["camera"]["assumed"] is False
    assert summary["absent_blendshapes"] is None
    read = pd.read_csv(tmp_path / "clip.csv")
    assert "head_x_cm" in read
    assert "jawOpen" not in read


def test_a_photo_has_no_rest_to_count_from(mien: Mien, scene: Scene, tmp_path: Path) -> None:
    photo = write_photo(tmp_path / "photo.png", square_at(DARK))
    done = mien("track", photo, "--out", tmp_path / "out", "--blendshapes", *scene.options)
    assert done.code == 0
    assert "average face" in done.out


@pytest.mark.parametrize(
    "words", [("--focal", "500", "--fov", "60"), ("--fov", "0"), ("--focal", "-3")]
)
def test_an_impossible_camera_is_one_line(
    mien: Mien, scene: Scene, tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = mien("track", scene.clip, "--out", tmp_path / "out", *words, *scene.options)
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_animators_get_a_file_for_each_face(mien: Mien, scene: Scene, tmp_path: Path) -> None:
    pytest.importorskip("pygltflib")
    for ending, name in (("bvh", "bvh"), ("livelink.csv", "livelink"), ("glb", "glb")):
        out = tmp_path / name
        for _ in range(2):  # our own files are replaced
            done = mien(
                *("track", scene.clip, "--out", out, "--no-overlay", "--format", name),
                *scene.options,
            )
            assert (done.code, done.err) == (0, "")
        assert sorted(path.name for path in out.iterdir()) == [f"clip.face-0.{ending}", "clip.json"]
        notes = json.loads((out / "clip.json").read_text())["notes"]
        assert any("63 degrees" in note for note in notes)
        assert any(name in note for note in notes) == (name != "glb")


def test_a_foreign_glb_is_not_replaced(mien: Mien, scene: Scene, tmp_path: Path) -> None:
    foreign = tmp_path / "clip.face-0.glb"
    foreign.write_bytes(b"glTF, but somebody else's")
    done = mien("track", scene.clip, "--out", tmp_path, "--format", "glb", *scene.options)
    assert done.code == 2
    assert "clip.face-0.glb" in done.err
    assert foreign.read_bytes() == b"glTF, but somebody else's"


def test_openface(mien: Mien, scene: Scene, tmp_path: Path) -> None:
    done = mien(
        *("track", scene.clip, "--out", tmp_path, "--no-overlay", "--format", "openface"),
        *scene.options,
    )
    assert (done.code, done.err) == (0, "")
    read = pd.read_csv(tmp_path / "clip.openface.csv")
    assert read.frame.tolist() == list(range(1, FRAMES + 1))
    assert read.success.tolist() == [0] * DARK + [1] * (FRAMES - DARK)
    summary = json.loads((tmp_path / "clip.json").read_text())
    assert summary["camera"]["assumed"]
    assert any("63 degrees" in note for note in summary["notes"])


@pytest.mark.parametrize(
    ("name", "words", "lacking"),
    [
        ("openface", ["--blendshapes"], "blendshapes have no place in openface"),
        ("bvh", ["--blendshapes"], "blendshapes have no place in bvh"),
        ("livelink", ["--fov", "70"], "the head's position has no place in livelink"),
        # What they hold unasked is not missed: faces come with it all the same.
        ("openface", ["--fov", "70"], None),
        ("bvh", [], None),
        ("livelink", ["--blendshapes"], None),
        ("glb", ["--fov", "70", "--blendshapes"], None),
        ("csv", ["--fov", "70", "--blendshapes"], None),
    ],
)
def test_what_a_format_cannot_hold_is_said(
    mien: Mien, scene: Scene, tmp_path: Path, name: str, words: list[str], lacking: str | None
) -> None:
    done = mien(
        *("track", scene.clip, "--out", tmp_path, "--no-overlay", "--format", name, *words),
        *scene.options,
    )
    assert done.code == 0
    notes = json.loads((tmp_path / "clip.json").read_text())["notes"]
    told = [note for note in notes if "no place in" in note]
    assert len(told) == (lacking is not None)
    assert all(lacking is not None and lacking in note for note in told)


def test_glb_without_its_package_is_one_line(
    mien: Mien, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pygltflib", None)
    monkeypatch.delitem(sys.modules, "mien.avatar.glb", raising=False)
    done = mien("track", scene.clip, "--out", tmp_path, "--format", "glb", *scene.options)
    assert done.code == 2
    assert "pip install 'mien[avatar]'" in done.err
