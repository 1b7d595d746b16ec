"""Joined labels against a pack whose truth is known."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from mien.datasets.ours.pack_labels import load_pack_labels
from mien.errors import DataError
from tinypack import MISSING, TEACHERS_MISTAKE, TinyPack, write_tiny_pack

TRAIN = 30
HELEN, LFW = slice(0, TRAIN + 2), slice(TRAIN + 2, 2 * TRAIN + 4)
STEP = 1 / 32
"""Pixels between two numbers of the file."""


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> TinyPack:
    return write_tiny_pack(tmp_path_factory.mktemp("pack"), train=TRAIN)


def change(root: Path, **arrays: np.ndarray | None) -> None:
    """Put other arrays into ``faces.npz``; ``None`` leaves one out."""
    with np.load(root / "faces.npz") as old:
        values = dict(old) | arrays
    np.savez(root / "faces.npz", **{k: v for k, v in values.items() if v is not None})


def test_careful_manual_points_are_kept_as_they_are(pack: TinyPack) -> None:
    labels = load_pack_labels(pack.root)
    error = labels.points[HELEN, 17:, :2] - pack.points[HELEN, 17:, :2]
    assert np.abs(error).max() < STEP


def test_other_inner_points_are_guessed_from_both_teachers(pack: TinyPack) -> None:
    """The teacher alone is 3 px off; the regression learned on helen's 30 train faces is not."""
    labels = load_pack_labels(pack.root)
    truth = pack.points[LFW, 17:, :2]
    teacher = np.stack([TEACHERS_MISTAKE.apply(face) for face in truth])
    assert np.linalg.norm(teacher - truth, axis=-1).mean() > 2
    error = np.linalg.norm(labels.points[LFW, 17:, :2] - truth, axis=-1)
    assert error.mean() < 0.35


@pytest.mark.parametrize(("faces", "most"), [(HELEN, 0.1), (LFW, 0.8)])
def test_jaw_and_depth_follow_the_inner_points(pack: TinyPack, faces: slice, most: float) -> None:
    """3DDFA is the truth but for a similarity, so the join must undo exactly that."""
    labels = load_pack_labels(pack.root)
    error = labels.points[faces] - pack.points[faces]
    assert np.abs(error[:, :17, :2]).max() < most
    assert np.abs(error[..., 2]).max() < most
    assert (labels.points[:, 30, 2] < -5).all()  # the nose is nearer than the ears
    np.testing.assert_allclose(labels.points[..., 2].mean(axis=1), 0, atol=1e-4)


def test_provenance_is_handed_on(pack: TinyPack) -> None:
    labels = load_pack_labels(pack.root)
    assert len(labels) == 64
    assert (labels.source, labels.split) == (pack.source, pack.split)
    assert labels.path[0] == "helen/000.png"
    assert labels.trusted.all()


def test_where_teachers_disagree_only_manual_points_are_trusted(tmp_path: Path) -> None:
    pack = write_tiny_pack(tmp_path)
    with np.load(tmp_path / "faces.npz") as old:
        mesh = old["mediapipe478"]
    disagreement = np.full(16, 0.02, np.float32)
    disagreement[[0, 9]] = 0.2
    disagreement[[1, 10]] = np.nan
    mesh[[1, 10]] = MISSING
    change(tmp_path, disagreement=disagreement, mediapipe478=mesh)
    labels = load_pack_labels(tmp_path)
    for helen in (0, 1):
        assert labels.trusted[helen, 17:].all()
        assert not labels.trusted[helen, :17].any()
        assert np.abs(labels.points[helen] - pack.points[helen])[17:, :2].max() < STEP
    for lfw in (9, 10):
        assert not labels.trusted[lfw].any()
    assert labels.trusted[[2, 3, 8, 11]].all()
    assert np.isfinite(labels.points).all()


def test_manual_points_of_val_and_test_teach_nothing(tmp_path: Path) -> None:
    """Spoil the manual points of helen's val faces: the other sources' labels stay."""
    write_tiny_pack(tmp_path / "a")
    write_tiny_pack(tmp_path / "b")
    with np.load(tmp_path / "b" / "faces.npz") as old:
        manual = old["manual68"]
    manual[6:8] += 500
    change(tmp_path / "b", manual68=manual)
    first, second = (load_pack_labels(tmp_path / name).points for name in "ab")
    np.testing.assert_array_equal(first[8:], second[8:])
    assert np.abs(first[6:8] - second[6:8]).max() > 10


def test_without_clicked_faces_to_learn_from_the_teacher_is_taken_as_it_is(tmp_path: Path) -> None:
    pack = write_tiny_pack(tmp_path, ("lfw",))
    labels = load_pack_labels(tmp_path)
    teacher = np.stack([TEACHERS_MISTAKE.apply(face) for face in pack.points])
    np.testing.assert_allclose(labels.points[..., :2], teacher[..., :2], atol=STEP)
    assert labels.trusted.all()


def test_points_that_our_own_network_found_are_labels_where_it_was_sure(tmp_path: Path) -> None:
    write_tiny_pack(tmp_path, ("own",))
    confidence = np.full((8, 68), 0.9, np.float32)
    confidence[5] = 0.3
    change(
        tmp_path,
        manual68=np.full((8, 68, 2), MISSING, np.int16),
        mediapipe478=np.full((8, 478, 3), MISSING, np.int16),
        disagreement=np.full(8, np.nan, np.float32),
        confidence68=confidence,
    )
    labels = load_pack_labels(tmp_path)
    assert labels.trusted.all(axis=1).tolist() == [True] * 5 + [False] + [True] * 2
    with np.load(tmp_path / "faces.npz") as file:
        found = file["tddfa68"][..., :2] / 32
    np.testing.assert_allclose(labels.points[..., :2], found, atol=1e-4)


def test_points_that_users_clicked_are_believed_whatever_their_set_is_called(
    tmp_path: Path,
) -> None:
    pack = write_tiny_pack(tmp_path, ("my_photos", "ytf"))
    labels = load_pack_labels(tmp_path)
    assert np.abs(labels.points[:8, 17:, :2] - pack.points[:8, 17:, :2]).max() < STEP


def test_a_folder_without_a_pack_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=re.escape("holds no faces.npz")):
        load_pack_labels(tmp_path)


@pytest.mark.parametrize("contents", [b"", b"nonsense", b"PK\x03\x04 half"])
def test_a_damaged_pack_is_an_error(tmp_path: Path, contents: bytes) -> None:
    (tmp_path / "faces.npz").write_bytes(contents)
    with pytest.raises(DataError, match="not a whole face pack"):
        load_pack_labels(tmp_path)


def test_a_pack_without_a_key_is_an_error(tmp_path: Path) -> None:
    write_tiny_pack(tmp_path)
    change(tmp_path, tddfa68=None)
    with pytest.raises(DataError, match="tddfa68"):
        load_pack_labels(tmp_path)
