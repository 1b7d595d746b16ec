"""Every format for animators read back by somebody else: pandas, a small BVH reader, trimesh."""

from __future__ import annotations

import dataclasses
import json
import struct
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from bvh_reader import read_bvh
from played import FRAMES, HIDDEN, RATE, SIZE, Played
from scipy.spatial.transform import Rotation

from gltf_reader import GlbFile
from mien.avatar import open_format
from mien.avatar.head_mesh import load_head_mesh
from mien.errors import OutputError
from mien.expression import ABSENT, ARKIT, SHAPES, Details
from mien.geometry.metric_head import Camera
from mien.outputs import is_ours
from mien.outputs.bvh import encode_bvh
from mien.outputs.livelink import timecode
from mien.outputs.take_files import TakeFiles

pytest.importorskip("pygltflib")
trimesh = pytest.importorskip("trimesh")

TO_GLTF = np.diag([1.0, -1.0, -1.0])


def write(name: str, folder: Path, played: Played) -> list[Path]:
    sink = open_format(name, folder, "clip", points=68, rate=RATE, details=Details(True, True))
    with sink:
        for frame, faces in played.frames:
            sink.write(frame, faces)
    return sorted(folder.iterdir())


@pytest.mark.parametrize("name", ["livelink", "bvh", "glb", "openface"])
def test_files_are_whole_and_known_as_ours(tmp_path: Path, played: Played, name: str) -> None:
    files = write(name, tmp_path, played)
    count = 1 if name == "openface" else 2
    assert len(files) == count
    assert all(is_ours(path) for path in files)
    for path in files:
        path.write_bytes(path.read_bytes()[:-1].replace(b"HeadRoll", b"headRoll"))
        if name in ("livelink", "openface"):
            path.write_text("some,other\n1,2\n")
            assert not is_ours(path)


def test_a_later_run_takes_the_faces_of_an_earlier_one_away(tmp_path: Path, played: Played) -> None:
    foreign = tmp_path / "clip.face-9.bvh"
    foreign.write_text("HIERARCHY\nROOT Hips\n")
    write("bvh", tmp_path, played)
    played.frames[-2:] = []
    write("bvh", tmp_path, played)
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        "clip.face-3.bvh",
        "clip.face-9.bvh",
    ]
    assert foreign.read_text() == "HIERARCHY\nROOT Hips\n"


def test_of_more_faces_those_seen_longest_are_kept(tmp_path: Path, played: Played) -> None:
    details = Details(True, True)
    with TakeFiles(tmp_path, "clip", "bvh", RATE, encode_bvh, details, most=1) as sink:
        for frame, faces in played.frames:
            sink.write(frame, faces[::-1])
    assert [path.name for path in tmp_path.iterdir()] == ["clip.face-3.bvh"]


def test_a_guess_is_not_a_frame_that_shows_the_face(tmp_path: Path, played: Played) -> None:
    """Whoever passes behind another is told with a score of 0: no performance."""
    at = next(i for i, (_, faces) in enumerate(played.frames) if faces)
    frame, faces = played.frames[at]
    played.frames[at] = (frame, [dataclasses.replace(face, score=0.0) for face in faces])
    path = write("livelink", tmp_path, played)[0]
    counts = pd.read_csv(path).BlendShapeCount
    assert counts[at] == 0
    assert counts.max() == 61


def test_an_interruption_keeps_what_was_seen(tmp_path: Path, played: Played) -> None:
    sink = open_format("bvh", tmp_path, "clip", points=68, rate=RATE, details=Details())

    def run() -> None:
        with sink:
            for frame, faces in played.frames[:8]:
                sink.write(frame, faces)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    assert len(read_bvh((tmp_path / "clip.face-3.bvh").read_text()).rows) == 8


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path, played: Played) -> None:
    (tmp_path / "clip.face-3.bvh").mkdir()
    with pytest.raises(OutputError, match="a folder has this name"):
        write("bvh", tmp_path, played)
    assert (tmp_path / "clip.face-5.bvh").is_file()


def test_live_link_face(tmp_path: Path, played: Played) -> None:
    first, second = write("livelink", tmp_path, played)
    assert first.name == "clip.face-3.livelink.csv"
    head = first.read_text().splitlines()[0]
    assert head.startswith("Timecode,BlendShapeCount,EyeBlinkLeft,EyeLookDownLeft,EyeLookInLeft,")
    assert ",JawForward,JawRight,JawLeft,JawOpen,MouthClose," in head
    assert head.endswith(
        ",TongueOut,HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,LeftEyePitch,LeftEyeRoll,"
        "RightEyeYaw,RightEyePitch,RightEyeRoll"
    )
    read = pd.read_csv(first)
    assert read.shape == (FRAMES, 2 + 61)
    assert read.Timecode[0] == "00:00:00:00.000"
    assert read.Timecode[26] == "00:00:01:01.000"
    shown = [index for index in range(FRAMES) if index not in HIDDEN]
    assert read.BlendShapeCount.tolist() == [61 * (index in shown) for index in range(FRAMES)]
    assert read.iloc[:, 2:].notna().all(axis=None)
    for index in shown:
        row = read.iloc[index]
        assert row.JawOpen == pytest.approx(0.9 * index / FRAMES, abs=1e-6)
        turn = TO_GLTF @ played.rotation(index) @ TO_GLTF
        angles = [row.HeadYaw, row.HeadPitch, row.HeadRoll]
        np.testing.assert_allclose(Rotation.from_euler("YXZ", angles).as_matrix(), turn, atol=1e-6)
    assert (read[[name[0].upper() + name[1:] for name in ABSENT]] == 0).all(axis=None)
    assert [name[0].upper() + name[1:] for name in ARKIT] == read.columns[2:54].tolist()
    assert read.HeadYaw[0] > 0.4  # the face turns to the picture's right, the person's left
    assert pd.read_csv(second).BlendShapeCount.tolist() == [0] * (FRAMES - 2) + [61, 61]


@pytest.mark.parametrize(
    ("secs", "rate", "said"),
    [
        (3661.5, 30.0, "01:01:01:15.000"),
        (0.99999, 25.0, "00:00:01:00.000"),
        (1.001, 60.0, "00:00:01:00.060"),
    ],
)
def test_timecodes(secs: float, rate: float, said: str) -> None:
    assert timecode(secs, rate) == said


def test_bvh(tmp_path: Path, played: Played) -> None:
    read = read_bvh(write("bvh", tmp_path, played)[0].read_text())
    assert [joint.name for joint in read.joints()] == [
        *("Head", "LeftEye", "LeftEye end", "RightEye", "RightEye end"),
    ]
    assert read.frame_secs == pytest.approx(1 / RATE)
    assert len(read.rows) == FRAMES
    for index in range(FRAMES):
        seen = 9 if index in HIDDEN else index  # held where it is not seen
        places = read.transforms(index)
        np.testing.assert_allclose(
            places["Head"][:3, :3], TO_GLTF @ played.rotation(seen) @ TO_GLTF, atol=1e-5
        )
        np.testing.assert_allclose(
            places["Head"][:3, 3], TO_GLTF @ played.place_cm(seen), atol=1e-3
        )
        # The person's left eye is at the picture's right, and looks ahead with the head.
        assert places["LeftEye"][0, 3] > places["RightEye"][0, 3] + 3
        ahead = places["LeftEye end"][:3, 3] - places["LeftEye"][:3, 3]
        np.testing.assert_allclose(ahead, 1.2 * places["Head"][:3, 2], atol=1e-4)


def test_bvh_of_uneven_times_has_one_frame_time(tmp_path: Path, played: Played) -> None:
    for index in (3, 4, 20):
        frame, faces = played.frames[index]
        late = type(frame)(frame.image_rgb, frame.index, frame.time_secs + 0.015)
        played.frames[index] = (late, faces)
    del played.frames[6:8]
    read = read_bvh(write("bvh", tmp_path, played)[0].read_text())
    assert len(read.rows) == FRAMES
    np.testing.assert_allclose(read.rows[6], read.rows[5])
    np.testing.assert_allclose(read.rows[12], read.rows[9])


def test_glb_stands_as_the_head_stood(tmp_path: Path, played: Played) -> None:
    path = write("glb", tmp_path, played)[0]
    assert path.stat().st_size < 2_500_000
    read = GlbFile(path)
    assert read.names == list(SHAPES)
    assert len(read.times()) == FRAMES - len(HIDDEN)
    mesh = load_head_mesh()
    for index in (0, 15, FRAMES - 1):
        time_secs = index / RATE
        weights = dict(zip(read.names, read.weights(time_secs), strict=True))
        assert weights["jawOpen"] == pytest.approx(0.9 * index / FRAMES, abs=1e-5)
        vertices = read.vertices(time_secs) @ TO_GLTF * 100
        jaw = 0.9 * index / FRAMES * mesh.shapes_m[SHAPES.index("jawOpen")]
        expected = (mesh.points_m + jaw) @ TO_GLTF * 100 @ played.rotation(index).T
        np.testing.assert_allclose(vertices, expected + played.place_cm(index), atol=2e-3)
    # At rest its landmarks fall on the points that the tracker had.
    camera = Camera.of_picture(*SIZE)
    landmarks = (read.vertices(0.0) @ TO_GLTF * 100)[mesh.landmarks68]
    apart = camera.project(landmarks) - played.frames[0][1][0].landmarks.points_image[:, :2]
    assert np.linalg.norm(apart[17:], axis=1).mean() < 5  # of a face of 100 px


def test_the_camera_of_a_glb_sees_what_the_picture_showed(tmp_path: Path, played: Played) -> None:
    read = GlbFile(write("glb", tmp_path, played)[0])
    (lens,) = (camera["perspective"] for camera in read.tree["cameras"])
    nose = read.vertices(0.0)[load_head_mesh().landmarks68[30]]
    up = nose[1] / -nose[2] / np.tan(lens["yfov"] / 2)  # -1 to 1, as glTF's camera has it
    right = nose[0] / -nose[2] / np.tan(lens["yfov"] / 2) / lens["aspectRatio"]
    width, height = SIZE
    seen = [(right + 1) / 2 * width - 0.5, (1 - up) / 2 * height - 0.5]
    camera = Camera.of_picture(*SIZE)
    np.testing.assert_allclose(seen, camera.project((nose @ TO_GLTF * 100)[None])[0], atol=1e-6)


def test_glb_as_trimesh_has_it(tmp_path: Path, played: Played) -> None:
    scene = trimesh.load(write("glb", tmp_path, played)[0])
    assert "Head" in scene.graph.nodes
    assert len(scene.geometry) == 3
    skin = max(scene.geometry.values(), key=lambda mesh: len(mesh.faces))
    assert np.abs(skin.vertices).max() < 0.3  # metres
    # Wound outwards: the nose tip's normal looks ahead.
    ahead = skin.vertex_normals[skin.vertices[:, 2].argmax()]
    assert ahead[2] > 0.7
    colours = {mesh.visual.material.name for mesh in scene.geometry.values()}
    assert colours == {"skin", "eyes", "mouth"}


def test_glb_drawn_opens_its_mouth(tmp_path: Path, played: Played) -> None:
    """Two frames drawn: the jaw goes down, the brows stay."""
    from shaded import shaded

    read = GlbFile(write("glb", tmp_path, played)[0])
    camera = Camera.of_picture(*SIZE)
    pictures = []
    for index in (0, FRAMES - 1):
        space = read.vertices(index / RATE) @ TO_GLTF * 100
        places = np.column_stack([camera.project(space), space[:, 2] * camera.focal_px / 60])
        pictures.append(shaded(places, read.triangles(), SIZE))
        cv2.imwrite(str(tmp_path / f"{index}.png"), pictures[-1][..., ::-1])
    shown = [(picture < 245).any(axis=2).sum() for picture in pictures]
    assert 0.05 < shown[0] / pictures[0][..., 0].size < 0.5
    mesh = load_head_mesh()
    opened = [
        np.ptp(read.vertices(index / RATE)[mesh.landmarks68[[62, 66]], 1])
        for index in (0, FRAMES - 1)
    ]
    assert opened[1] - opened[0] > 0.015


def test_glb_says_who_made_it(tmp_path: Path, played: Played) -> None:
    path = write("glb", tmp_path, played)[0]
    tree = GlbFile(path).tree
    assert tree["asset"]["version"] == "2.0"
    tree["asset"]["generator"] = "Blender"
    data = json.dumps(tree).encode()
    data += b" " * (-len(data) % 4)
    path.write_bytes(
        b"glTF" + np.array([2, 20 + len(data), len(data)], "<u4").tobytes() + b"JSON" + data
    )
    assert not is_ours(path)


def test_a_glb_of_another_shape_is_not_ours(tmp_path: Path) -> None:
    path = tmp_path / "clip.face-0.glb"
    for text in (b"[1, 2]", b'{"asset": 3}', b'{"asset": {"generator": 1}}'):
        path.write_bytes(b"glTF" + bytes(8) + struct.pack("<I", len(text)) + b"JSON" + text)
        assert not is_ours(path)
