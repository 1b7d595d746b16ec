"""How fast the data engine makes pictures: part of ``benchmarks/data_engine.py``."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from mien.datasets.training_faces import ShardFaces
from mien.synthesis.make.manifest import begin_run
from mien.synthesis.make.photo_sets import Recipe, SetJob, make_set
from mien.synthesis.make.session import SessionFiles, open_session

SHARD = 25
"""Pictures of one task of a worker."""


def pictures_a_second(fits: Path, pictures: int) -> dict[str, Any]:
    """Pictures a second in the steady state: what a long run takes longer than a short one."""
    found: dict[str, Any] = {"pictures": pictures}
    files = SessionFiles(fits.resolve())
    open_session(files)  # else the short run of one worker would read the files, the long one not
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            short = _make(files, Path(folder) / "short", 2 * SHARD, workers)
            long = _make(files, Path(folder) / "long", 2 * SHARD + pictures, workers)
            sides = _sides_px(Path(folder) / "long")
        rate = pictures / (long - short)
        area = float((sides.astype(float) ** 2).mean()) / 256**2
        found[f"workers_{workers}"] = {
            "pictures_per_s": round(rate, 2),
            "per_s_at_256_px": round(rate * area, 2),
            "start_secs": round(short - 2 * SHARD / rate, 1),
        }
        found["median_side_px"] = int(np.median(sides))
    return found


def _make(files: SessionFiles, folder: Path, pictures: int, workers: int) -> float:
    """Seconds for a set as docs/data.md makes it."""
    recipe = Recipe(
        pictures, min_yaw_deg=0, eyes_shut=0.125, mouth_open=0.1, brows=0.05, relit=0.3,
        glasses=0.06, masks=0.04,
    )  # fmt: skip
    run = begin_run(
        folder, split="train", pictures=pictures, made_by={}, command="", shard_size=SHARD
    )
    start_secs = time.perf_counter()
    for _ in make_set(SetJob(files, recipe, 0), run, workers):
        pass
    return time.perf_counter() - start_secs


def _sides_px(folder: Path) -> np.ndarray:
    faces = ShardFaces(folder)
    return np.array([len(faces.load(index).image_rgb) for index in range(len(faces))])
