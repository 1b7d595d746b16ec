"""The Menpo 3D reader, on heads turned and projected by hand, in folders as published."""

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.datasets.public.menpo3d import read_menpo3d, read_menpo3d_videos
from mien.errors import DataError
from mien.markup import load_markup

MODEL_FROM_OURS = np.diag([1.0, -1.0, -1.0])
"""The usual axes of head models: y up, z towards the viewer."""


def write_ljson(path: Path, points: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    everything = {"label": "all", "mask": list(range(len(points)))}
    landmarks = {"connectivity": [[0, 1]], "points": points.tolist()}
    path.write_text(json.dumps({"labels": [everything], "landmarks": landmarks, "version": 2}))


def turned_head(yaw_deg: float) -> np.ndarray:
    """The mean head of 100 px about (200, 150), turned to the picture's right."""
    cos, sin = math.cos(math.radians(yaw_deg)), math.sin(math.radians(yaw_deg))
    x, y, z = 100 * load_markup(84).mean_shape.T
    return np.column_stack([cos * x - sin * z + 200, y + 150, sin * x + cos * z])


def write_face(
    root: Path,
    name: str,
    yaw_deg: float = 30.0,
    *,
    rows_first: bool = True,
    model_axes: np.ndarray = MODEL_FROM_OURS,
) -> np.ndarray:
    """The annotation of one face; returns its true points in our conventions."""
    head = turned_head(yaw_deg)
    plane = head[:, 1::-1] if rows_first else head[:, :2]
    write_ljson(root / f"projected_image_space/{name}.ljson", plane)
    model = 7.3 * load_markup(84).mean_shape @ model_axes + np.array([1.0, 2.0, 3.0])
    write_ljson(root / f"model_space/{name}.ljson", model)
    return head


def write_picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.zeros((300, 400, 3), np.uint8))


@pytest.mark.parametrize("rows_first", [True, False])
@pytest.mark.parametrize("yaw_deg", [-80.0, 0.0, 55.0])
def test_points_are_placed_whichever_axis_comes_first(
    tmp_path: Path, yaw_deg: float, rows_first: bool
) -> None:
    head = write_face(tmp_path, "image00002", yaw_deg, rows_first=rows_first)
    write_picture(tmp_path / "images/image00002.jpg")
    (photo,) = read_menpo3d(tmp_path)
    assert photo.name == "image00002"
    assert photo.read_rgb().shape == (300, 400, 3)
    np.testing.assert_allclose(photo.points_image[:, :2], head[:, :2])
    np.testing.assert_allclose(photo.points_image[:, 2], head[:, 2], atol=0.1)


@pytest.mark.parametrize(
    "model_axes",
    [np.eye(3), np.diag([1.0, -1.0, 1.0]), np.array([[0, 1.0, 0], [1, 0, 0], [0, 0, 1]])],
    ids=["ours", "left-handed", "y first"],
)
def test_depth_does_not_hang_on_the_axes_of_the_model(
    tmp_path: Path, model_axes: np.ndarray
) -> None:
    head = write_face(tmp_path, "a", -40.0, model_axes=model_axes)
    write_picture(tmp_path / "a.png")
    depth = read_menpo3d(tmp_path)[0].points_image[:, 2]
    np.testing.assert_allclose(depth, head[:, 2], atol=0.1)
    assert depth[np.array(load_markup(84).ibug68)[33]] < depth[0]  # the nose is nearer than an ear


def test_the_faces_of_a_folder_decide_together(tmp_path: Path) -> None:
    for number in range(9):
        write_face(tmp_path, f"image{number:05}", yaw_deg=10.0 * number)
        write_picture(tmp_path / f"image{number:05}.jpg")
    # One more, turned so far that alone it would be read the other way round.
    head = write_face(tmp_path, "image00009", yaw_deg=100.0)
    write_picture(tmp_path / "image00009.jpg")
    np.testing.assert_allclose(read_menpo3d(tmp_path)[9].points_image[:, :2], head[:, :2])


def test_68_of_the_84_points_are_those_of_ibug(tmp_path: Path) -> None:
    head = write_face(tmp_path, "a")
    write_picture(tmp_path / "a.jpg")
    photo = read_menpo3d(tmp_path)[0].to_68()
    # Data README: iBUG jaw point i is 84-jaw point 2i-1; points 34-84 are iBUG 18-68.
    rows = [2 * i - 2 for i in range(1, 18)] + list(range(33, 84))
    np.testing.assert_allclose(photo.points_image[:, :2], head[rows, :2])


def test_pictures_are_found_in_their_own_folder(tmp_path: Path) -> None:
    root, pictures = tmp_path / "final_published", tmp_path / "pictures"
    for name in ("afw/1", "lfpw/1"):
        write_face(root, name)
        write_picture(pictures / f"{name}.jpg")
    found = read_menpo3d(tmp_path, pictures=pictures)
    assert [str(photo.image_path.relative_to(pictures)) for photo in found] == [
        "afw/1.jpg",
        "lfpw/1.jpg",
    ]


def test_a_video_has_its_frames_in_order_and_lines_between(tmp_path: Path) -> None:
    root, videos = tmp_path / "menpo", tmp_path / "300VW"
    (videos / "001").mkdir(parents=True)
    (videos / "001/vid.avi").touch()
    heads = [write_face(root, f"001/{frame:06}", yaw) for frame, yaw in ((11, 0.0), (3, 20.0))]
    (video,) = read_menpo3d_videos(root, videos)
    assert video.name == "001"
    assert video.video_path == videos / "001/vid.avi"
    assert list(video.frame_indices) == [2, 10]
    np.testing.assert_allclose(video.points_image[0, :, :2], heads[1][:, :2])
    quarter = video.continuous().points_image[2]  # frame 4: a quarter of the way from 2 to 10
    between = 0.75 * heads[1] + 0.25 * heads[0]
    np.testing.assert_allclose(quarter[:, :2], between[:, :2])
    np.testing.assert_allclose(quarter[:, 2], between[:, 2], atol=0.1)


def test_version_3_of_the_format_is_read(tmp_path: Path) -> None:
    head = write_face(tmp_path, "a")
    write_picture(tmp_path / "a.jpg")
    for file in tmp_path.glob("*/a.ljson"):
        group = json.loads(file.read_text())
        del group["version"]
        file.write_text(json.dumps({"groups": {"LJSON": group}, "version": 3}))
    np.testing.assert_allclose(read_menpo3d(tmp_path)[0].points_image[:, :2], head[:, :2])


def test_broken_files_are_named(tmp_path: Path) -> None:
    write_face(tmp_path, "a")
    write_picture(tmp_path / "a.jpg")
    model = tmp_path / "model_space/a.ljson"
    whole = model.read_text()
    for text, message in [
        (whole[:200], r"a\.ljson is no \.ljson file, or is cut off"),
        ("[]", "version 2 or 3"),
        ('{"version": 2}', "version 2 or 3"),
        (whole.replace('"points": [[', '"points": [[null, 0, 0], ['), r"should hold \(84, 3\)"),
    ]:
        model.write_text(text)
        with pytest.raises(DataError, match=message):
            read_menpo3d(tmp_path)[0]
    write_ljson(model, np.zeros((68, 3)))
    with pytest.raises(DataError, match=r"model_space/a\.ljson should hold \(84, 3\) points"):
        read_menpo3d(tmp_path)[0]
    write_ljson(model, np.zeros((84, 3)))
    with pytest.raises(DataError, match="are no face: the source points all coincide"):
        read_menpo3d(tmp_path)[0]
    points = json.loads(whole)["landmarks"]["points"]
    points[5] = [None, None, None]
    model.write_text(json.dumps({"landmarks": {"points": points}, "version": 2}))
    with pytest.raises(DataError, match=r"model_space/a\.ljson has points without coordinates"):
        read_menpo3d(tmp_path)[0]


def test_wrong_folders_and_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no projected_image_space"):
        read_menpo3d(tmp_path)
    (tmp_path / "projected_image_space").mkdir()
    with pytest.raises(DataError, match=r"holds no \.ljson file"):
        read_menpo3d(tmp_path)
    write_face(tmp_path, "a")
    with pytest.raises(DataError, match=r"belongs to one photo a\.jpg .* but there is none"):
        read_menpo3d(tmp_path)
    with pytest.raises(DataError, match=r"a\.ljson is not named after a frame of 300VW"):
        read_menpo3d_videos(tmp_path, tmp_path)
    for name in ("x/a.jpg", "y/a.png"):
        write_picture(tmp_path / name)
    with pytest.raises(DataError, match=r"there is .*a\.\w+ and .*a\.\w+"):
        read_menpo3d(tmp_path)
    (tmp_path / "model_space/a.ljson").unlink()
    with pytest.raises(DataError, match=r"has no .*model_space/a\.ljson"):
        read_menpo3d(tmp_path)
    write_face(tmp_path / "videos", "001/000001")
    with pytest.raises(DataError, match=r"001/vid\.avi is missing"):
        read_menpo3d_videos(tmp_path / "videos", tmp_path)
