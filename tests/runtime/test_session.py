"""Weight files and what is not one."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from mien.errors import ConfigError, ModelError
from mien.markup import load_markup
from mien.runtime import find_weights, load_landmarkers, open_detector
from mien.runtime.session import open_weights, read_card, usable_threads
from standin import CARD, SIDE, square_picture, write_standin


def test_a_batch_goes_through_in_order(standin_model: Path) -> None:
    weights = open_weights(standin_model, threads=1)
    assert weights.card == CARD
    crops = np.stack(
        [
            square_picture((63.5, 63.5, 40), width=SIDE, height=SIDE),
            square_picture((40.0, 70.0, 51), width=SIDE, height=SIDE),
        ]
    )
    batch = weights.run(crops)
    mean = load_markup(68).mean_shape
    np.testing.assert_allclose(batch.points_crop[0], mean * 40 + [63.5, 63.5, 0], atol=0.01)
    np.testing.assert_allclose(batch.points_crop[1], mean * 51 + [40, 70, 0], atol=0.01)
    np.testing.assert_allclose(batch.confidence, 0.9, rtol=1e-6)
    np.testing.assert_allclose(batch.score, [8 * 40**2 / SIDE**2, 1], rtol=1e-4)


def write_text(path: Path) -> Path:
    path.write_text("weights? no.")
    return path


def write_empty(path: Path) -> Path:
    path.touch()
    return path


def write_without_card(path: Path) -> Path:
    return write_standin(path, card=None)


def write_other_side(path: Path) -> Path:
    return write_standin(path, card=dataclasses.replace(CARD, side=SIDE * 2))


@pytest.mark.parametrize("write", [write_text, write_empty, write_without_card, write_other_side])
def test_a_file_that_is_no_weight_file_is_one_line(tmp_path: Path, write) -> None:  # type: ignore[no-untyped-def]
    path = write(tmp_path / "bad.onnx")
    with pytest.raises(ModelError) as caught:
        open_weights(path)
    assert "\n" not in str(caught.value)
    assert "bad.onnx" in str(caught.value)


def test_names_and_paths_find_their_files(tmp_path: Path) -> None:
    single = write_standin(tmp_path / "single.onnx")
    first = write_standin(tmp_path / "two-detection.onnx")
    following = write_standin(tmp_path / "two-tracking.onnx")
    assert find_weights(str(single)).detection == find_weights(str(single)).tracking == single
    for words in (first, following, tmp_path / "two"):
        pair = find_weights(str(words))
        assert (pair.detection, pair.tracking) == (first, following)
    with pytest.raises(ModelError, match="unknown model 'nonesuch'"):
        find_weights("nonesuch")
    with pytest.raises(ModelError):
        read_card(tmp_path / "missing.onnx")


def test_a_markup_the_model_lacks_is_refused(standin_model: Path) -> None:
    with pytest.raises(ConfigError, match=r"has 68 points, not 84.*--markup 68"):
        load_landmarkers(str(standin_model), points=84)
    assert len(load_landmarkers(str(standin_model), points=68).markup) == 68


def test_nobody_has_so_many_threads(standin_model: Path) -> None:
    assert usable_threads(None) >= 1
    assert usable_threads(3) == 3
    for threads in (-1, 99_999_999_999):
        with pytest.raises(ConfigError, match="threads are 1 to 1024"):
            open_weights(standin_model, threads=threads)
        with pytest.raises(ConfigError, match="threads are 1 to 1024"):
            open_detector("centerface", threads=threads)
