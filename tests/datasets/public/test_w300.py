"""300-W as iBUG publishes it: its folders, its names and its .pts, through the .pts reader."""

from pathlib import Path

import cv2
import numpy as np

from mien.datasets.public.pts import read_pts


def test_300w_is_read_with_indoor_and_outdoor_and_its_training_sets(tmp_path: Path) -> None:
    names = {
        "01_Indoor/indoor_001": "png",
        "02_Outdoor/outdoor_300": "png",
        "afw/1051618982_1": "jpg",
        "helen/trainset/10405146_1": "jpg",
        "ibug/image_003_1": "jpg",
        "lfpw/testset/image_0001": "png",
    }
    for at, (name, suffix) in enumerate(names.items()):
        path = tmp_path / f"{name}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.zeros((20, 30, 3), np.uint8))
        rows = "\n".join(f"{1.0 + at} {1.5 + i}" for i in range(68))
        path.with_suffix(".pts").write_text(f"version: 1\nn_points:  68\n{{\n{rows}\n}}\n")
    photos = read_pts(tmp_path)
    assert [photo.name for photo in photos] == list(names)
    for at, photo in enumerate(photos):
        assert photo.image_path.stem == photo.name.rpartition("/")[2]
        np.testing.assert_allclose(photo.points_image[2], [at, 2.5])
