"""What `benchmarks/data_engine.py` says of sets and turns agrees with what a person counts."""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.datasets.ours.shards import SetEntry, write_shard
from mien.evaluation.metrics import face_size
from mien.geometry.pose import rotation_from_angles
from mien.synthesis.fit.anchors import Anchors
from mien.synthesis.fit.residual_warp import FittedPhoto
from mien.synthesis.head.morphable import MorphableHead
from mien.synthesis.make.manifest import begin_run
from mien.synthesis.render.turning import HeadTurner
from mien.types import HeadPose

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
data_engine = importlib.import_module("data_engine")
data_table = importlib.import_module("data_table")
round_trip = importlib.import_module("round_trip")

MADE = [(-91.0, ""), (-80.0, "eyes shut"), (3.0, "eyes half shut, mouth open"), (3.5, ""),
        (20.0, "dark glasses"), (89.0, "eyes shut, glasses")]  # fmt: skip


@pytest.fixture
def made_set(tmp_path: Path) -> Path:
    """Six pictures in two shards, made in half a minute."""
    run = begin_run(
        tmp_path / "set", split="train", pictures=6, made_by={}, command="make", shard_size=4
    )
    points, points84 = (np.zeros((n, 3), np.float32) for n in (68, 84))
    flags, flags84 = np.zeros(68, bool), np.zeros(84, bool)
    image = np.full((64, 64, 3), 90, np.uint8)
    for shard in run.shards:
        entries = [
            SetEntry(image, points, flags, points84, flags84, yaw, "a.jpg", "train", True, flags,
                     flags84, edit)
            for yaw, edit in (MADE[number] for number in run.numbers(shard))
        ]  # fmt: skip
        write_shard(run.file(shard), entries, "train")
    run.finish(6, 30.0)
    return run.folder


def test_a_set_is_counted(made_set: Path) -> None:
    found = data_engine.measure_set(made_set, reads=20)
    assert found["pictures"] == 6
    shares = found["yaw_bin_shares"]
    assert shares["-90 to -75"] == pytest.approx(2 / 6, abs=1e-4)  # what is beyond -90 too
    assert shares["+0 to +15"] == pytest.approx(2 / 6, abs=1e-4)
    assert sum(shares.values()) == pytest.approx(1, abs=1e-3)
    shut, mouths, glasses = (found[f"{e} share"] for e in ("eyes shut", "mouth open", "glasses"))
    assert [shut, mouths, glasses] == pytest.approx([2 / 6, 1 / 6, 2 / 6], abs=1e-4)
    assert found["minutes"] == 0.5
    assert found["made_by"] == ["make"]
    assert found["read_faces_per_s"] > 0


def test_the_time_of_a_run_that_broke_off_is_not_claimed(made_set: Path) -> None:
    manifest = json.loads((made_set / "manifest.json").read_text())
    manifest["runs"][0]["timed"]["pictures"] = 2
    (made_set / "manifest.json").write_text(json.dumps(manifest))
    found = data_engine.measure_set(made_set, reads=1)
    assert found["minutes"] is None
    told = {"command": "python benchmarks/data_engine.py set", "date": "2026-01-01", "cores": 2}
    (made_set / "result.json").write_text(json.dumps({"set": found | told}))
    section = data_table.make_section(made_set / "result.json")
    assert "| pictures of the set `set` | 60,000 | 6 |" in section
    assert "| share of eyes shut | 10 % | 33.3 % |" in section
    assert "min |" not in section.replace("90 min |", "")
    (made_set / "result.json").write_text(json.dumps({"unheard": told}))
    with pytest.raises(ValueError, match="unheard"):
        data_table.make_section(made_set / "result.json")


def test_a_round_trip_is_measured_on_the_pictures(head: MorphableHead, anchors: Anchors) -> None:
    """The clay head with a texture comes back to its place; a picture moved by 3 px does not."""
    noise = np.random.default_rng(1).uniform(0, 255, (260, 260, 3)).astype(np.float32)
    texture = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2.5), None, 20, 235, cv2.NORM_MINMAX)
    photo = FittedPhoto(
        image=texture.astype(np.uint8),
        rotation=rotation_from_angles(HeadPose(5, 0, 0)),
        scale=6.0,
        shift=np.array([130, 130], np.float32),
        vertices_cm=head.mean,
        points_cm=head.mean[head.landmarks68],
        expression=np.zeros(len(head.expression), np.float32),
    )
    trip = round_trip.make_round_trip(HeadTurner(head, anchors), photo, 25)
    assert trip.seen.sum() > 30
    assert trip.flow_nme() < 0.01
    moved = replace(trip, back=np.roll(trip.back, 3, axis=1))
    assert moved.flow_nme() == pytest.approx(3 / face_size(trip.points_image), rel=0.2)
