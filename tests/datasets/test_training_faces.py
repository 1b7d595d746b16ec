"""Training faces from the pack and from shards, and how often each set is drawn."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.datasets.labelled_face import LabelledFace, TrainingFaces
from mien.datasets.training_faces import PackFaces, ShardFaces, pick
from mien.errors import DataError
from tinypack import TinyPack, write_tiny_pack


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> TinyPack:
    return write_tiny_pack(tmp_path_factory.mktemp("pack"))


def test_the_pack_gives_one_source_and_split(pack: TinyPack) -> None:
    faces = PackFaces(pack.root, split="val", source="helen")
    assert (faces.name, len(faces)) == ("helen", 2)
    for index, row in enumerate((6, 7)):
        face = faces.load(index)
        stored = cv2.imread(str(pack.root / "faces" / f"helen/{row:03d}.png"))
        assert stored is not None
        np.testing.assert_array_equal(face.image_rgb, stored[..., ::-1])
        assert np.abs(face.points[17:, :2] - pack.points[row, 17:, :2]).max() < 0.05
        assert face.trusted.all()


def test_a_source_that_is_not_there_is_an_error(pack: TinyPack) -> None:
    with pytest.raises(DataError, match="no train faces of source 'ytf'"):
        PackFaces(pack.root, split="train", source="ytf")


@pytest.mark.parametrize("contents", [None, b"", b"no picture"])
def test_a_picture_that_cannot_be_read_is_an_error(tmp_path: Path, contents: bytes | None) -> None:
    pack = write_tiny_pack(tmp_path, ("helen",))
    faces = PackFaces(pack.root, split="train", source="helen")
    file = tmp_path / "faces" / "helen" / "002.png"
    file.unlink()
    if contents is not None:
        file.write_bytes(contents)
    faces.load(1)
    with pytest.raises(DataError, match=r"002\.png"):
        faces.load(2)


def write_shard(file: Path, colours: list[tuple[int, int, int]], points: np.ndarray) -> None:
    """As ``mien data profile`` documents it: joined JPEG files with their offsets."""
    blobs = []
    for red, green, blue in colours:
        image = np.full((24, 32, 3), (blue, green, red), np.uint8)
        blobs.append(cv2.imencode(".jpg", image)[1].tobytes())
    file.parent.mkdir(exist_ok=True)
    np.savez(
        file,
        jpeg=np.frombuffer(b"".join(blobs), np.uint8),
        offsets=np.cumsum([0, *map(len, blobs)]),
        points=points.astype(np.float32),
        hidden=np.zeros((len(blobs), 68), bool),
        yaw_deg=np.zeros(len(blobs), np.float32),
        split=np.array(["train"] * len(blobs)),
    )


def test_shards_are_read_in_their_order(tmp_path: Path) -> None:
    points = np.random.default_rng(0).uniform(0, 24, (3, 68, 3))
    folder = tmp_path / "turned"
    write_shard(folder / "shard-00001.npz", [(20, 30, 220)], points[2:])
    write_shard(folder / "shard-00000.npz", [(220, 30, 20), (20, 220, 30)], points[:2])
    (folder / "manifest.json").write_text("{}")
    faces = ShardFaces(folder)
    assert (faces.name, len(faces)) == ("turned", 3)
    for index, colour in enumerate([(220, 30, 20), (20, 220, 30), (20, 30, 220)]):
        face = faces.load(index)
        assert face.image_rgb.shape == (24, 32, 3)
        assert np.abs(face.image_rgb.mean(axis=(0, 1)) - colour).max() < 4
        np.testing.assert_allclose(face.points[:, :2], points[index, :, :2], rtol=1e-6)
        centred = points[index, :, 2] - points[index, :, 2].mean()
        np.testing.assert_allclose(face.points[:, 2], centred, atol=1e-5)
        assert face.trusted.all()


def test_what_the_profiler_writes_is_read(tmp_path: Path) -> None:
    from mien.datasets.ours.shards import SetEntry, write_shard

    rng = np.random.default_rng(0)
    points, points84 = (rng.uniform(0, 40, (2, n, 3)).astype(np.float32) for n in (68, 84))
    image = np.full((40, 40, 3), 99, np.uint8)
    entries = [
        SetEntry(
            image,
            own,
            np.zeros(68, bool),
            own84,
            np.zeros(84, bool),
            30.0,
            "a.jpg",
            "train",
            True,
            np.zeros(68, bool),
            np.zeros(84, bool),
            edit,
        )
        for own, own84, edit in zip(points, points84, ("", "eyes shut, mouth open"), strict=True)
    ]
    write_shard(tmp_path / "shard-00000.npz", entries, "train")
    for count, expected in ((68, points), (84, points84)):
        faces = ShardFaces(tmp_path, count)
        assert len(faces) == 2
        assert faces.load(1).trusted.shape == (count,)
        np.testing.assert_allclose(faces.load(1).points[:, :2], expected[1, :, :2])
        shut = faces.edited("eyes shut")
        assert (len(shut), len(faces), len(faces.edited("brows"))) == (1, 2, 0)
        np.testing.assert_allclose(shut.load(0).points[:, :2], expected[1, :, :2])


def test_84_points_of_a_set_that_has_none(tmp_path: Path) -> None:
    write_shard(tmp_path / "set" / "shard-00000.npz", [(9, 9, 9)], np.zeros((1, 68, 3)))
    with pytest.raises(DataError, match="no 84-point labels"):
        ShardFaces(tmp_path / "set", 84)


def test_the_pack_gives_84_points(pack: TinyPack) -> None:
    sparse, dense = (PackFaces(pack.root, split="val", source="helen", points=n) for n in (68, 84))
    for index in range(2):
        old, new = sparse.load(index), dense.load(index)
        assert new.points.shape == (84, 3)
        assert new.trusted.shape == (84,)
        assert abs(new.points[:, 2].mean()) < 1e-4
        kept = new.points[[*range(0, 33, 2), *range(33, 84)]]
        np.testing.assert_allclose(kept[:, :2], old.points[:, :2])
        # Between its neighbours, as near as a bent line allows.
        middle = (new.points[0:32:2] + new.points[2:33:2]) / 2
        assert np.linalg.norm(new.points[1:32:2] - middle, axis=1).max() < 2


def test_a_folder_without_shards_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no shard-\*\.npz"):
        ShardFaces(tmp_path)


@pytest.mark.parametrize("contents", [b"", b"PK\x03\x04 half"])
def test_a_damaged_shard_is_an_error(tmp_path: Path, contents: bytes) -> None:
    (tmp_path / "shard-00000.npz").write_bytes(contents)
    with pytest.raises(DataError, match="not a whole shard"):
        ShardFaces(tmp_path)


class Numbered:
    """A set whose faces carry their index in their first pixel."""

    def __init__(self, name: str, base: int, count: int) -> None:
        self.name, self._base, self._count = name, base, count

    def __len__(self) -> int:
        return self._count

    def load(self, index: int) -> LabelledFace:
        image = np.full((1, 1, 3), self._base + index, np.uint8)
        return LabelledFace(image, np.zeros((68, 3)), np.ones(68, bool))


def test_sets_are_drawn_by_their_shares() -> None:
    sets: list[TrainingFaces] = [Numbered("a", 0, 4), Numbered("b", 100, 10), Numbered("c", 200, 1)]
    rng = np.random.default_rng(0)
    drawn = np.array(
        [int(pick(sets, [0.6, 1.2, 0.0], rng).image_rgb[0, 0, 0]) for _ in range(3000)]
    )
    assert not (drawn >= 200).any()
    # A third of 3000 has a standard deviation of 26; each of four faces a quarter of that third.
    assert abs((drawn < 100).sum() - 1000) < 100
    assert set(drawn) == {*range(4), *range(100, 110)}
