"""Measure the data engine, part by part, and keep the figures in one result file.

    python benchmarks/data_engine.py fit FACES --model ict_face_model.npz [--fits fits.npz]
    python benchmarks/data_engine.py own FACES --model ict_face_model.npz
    python benchmarks/data_engine.py roundtrip fits.npz
    python benchmarks/data_engine.py speed fits.npz
    python benchmarks/data_engine.py set sets/turned
    python benchmarks/data_engine.py clips clips

Each part replaces its own block of `benchmarks/results/data_engine.json` (`--out`) and leaves the
others. `data_table.py` puts the figures into docs/data.md. `fit` without `--fits`, `speed` and the
reading speed of `set` measure time: other work on the machine spoils them.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float

from data_speed import pictures_a_second
from mien.datasets.ours.clips import read_clips
from mien.datasets.ours.pack import FacePack, read_pack
from mien.datasets.ours.pack_labels import known_points
from mien.datasets.training_faces import ShardFaces
from mien.evaluation.metrics import face_size
from mien.runtime import load_landmarkers
from mien.synthesis.fit.anchors import load_anchors
from mien.synthesis.fit.fits import fit_photos, load_fits, points_of
from mien.synthesis.fit.labels import best_labels
from mien.synthesis.fit.quality import measure_fits
from mien.synthesis.head.morphable import MorphableHead, load_head
from mien.synthesis.make.session import SessionFiles, open_session
from round_trip import make_round_trip

RESULT = Path(__file__).parent / "results" / "data_engine.json"
YAWS_DEG = (30, 60)
BIN_DEG = 15
EDITS = ("eyes shut", "mouth open", "glasses", "face mask")
"""What the parts of a set's ``edit`` are counted by; dark glasses are glasses."""


def measure_fit(faces: Path, model: Path, fits_file: Path | None) -> dict[str, Any]:
    """How near fits come to the points that people clicked and to the teacher's jaw."""
    head, photos = load_head(model), read_pack(faces)
    anchors = load_anchors(head)
    start_secs, timed = time.perf_counter(), {}
    if fits_file is None:
        fits = fit_photos(head, photos, anchors)
        seconds = time.perf_counter() - start_secs
        timed = {"seconds": round(seconds, 1), "faces_per_s": round(len(photos) / seconds, 1)}
    else:
        fits = load_fits(fits_file, photos)
    rows = {
        f"{row.source} {row.split}": {
            key: value if isinstance(value, int) else round(value, 4)
            for key, value in dataclasses.asdict(row).items()
            if key not in ("source", "split")
        }
        for row in measure_fits(head, fits, photos, anchors)
    }
    left_out = int((~best_labels(head, fits, photos, anchors).usable).sum())
    return {
        "faces": len(photos),
        "left_out": left_out,
        **timed,
        "sets": rows,
        "guessed_clicks": _guessed_clicks(photos),
    }


def _guessed_clicks(photos: FacePack) -> dict[str, Any]:
    """NME of the inner points guessed from both teachers where people's are kept from the guess."""
    learned = photos.split == "train"
    kept = np.where(learned[:, None, None], photos.manual68, np.nan).astype(np.float32)
    guess = known_points(dataclasses.replace(photos, manual68=kept)).inner51
    found: dict[str, Any] = {}
    for source in ("helen", "afw"):
        asked = photos.trusted_manual & (photos.source == source) & (photos.split == "val")
        asked &= np.isfinite(guess).all(axis=(1, 2))
        if asked.any():
            missed = guess[asked] - photos.manual68[asked, 17:]
            errors = _nme(missed, photos.teacher68[asked])
            found[f"{source} val"] = {"faces": int(asked.sum()), **_spread(errors)}
    return found


def measure_own(faces: Path, model: Path, source: str, split: str) -> dict[str, Any]:
    """`mien data annotate` and `fit` on photos whose clicked points they do not get to see."""
    photos = read_pack(faces)
    asked = photos.trusted_manual & (photos.source == source) & (photos.split == split)
    rows = np.flatnonzero(asked)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "photos").mkdir()
        for row in rows:
            place = photos.table.parent / "faces" / str(photos.path[row])
            copy = folder / "photos" / f"{row:05d}{place.suffix}"
            copy.write_bytes(place.read_bytes())
        _mien("data", "annotate", folder / "photos", "--out", folder / "pack", "--val", "0")
        _mien("data", "fit", folder / "pack", "--model", model, "--out", folder / "fits.npz")
        return {"source": source, "split": split} | _compare_own(
            folder, load_head(model), photos, rows
        )


def _compare_own(
    folder: Path, head: MorphableHead, photos: FacePack, rows: np.ndarray
) -> dict[str, Any]:
    anchors, pack = load_anchors(head), read_pack(folder / "pack")
    fits = load_fits(folder / "fits.npz", pack)
    with np.load(pack.table, allow_pickle=False) as table:
        photo_row = np.array([int(Path(str(name)).stem) for name in table["photo"]])
        scale, corner = table["crop_scale"][:, None, None], table["corner"][:, None]
    fitted = points_of(head, fits, anchors.manual51)[..., :2] / scale + corner
    jaw = points_of(head, fits, anchors.points68)[:, :17, :2] / scale + corner
    network = pack.teacher68[:, 17:, :2] / scale + corner
    errors: dict[str, list[float]] = {"inner": [], "jaw": [], "network_inner": []}
    for row in rows:
        own = np.flatnonzero(photo_row == row)
        if not len(own):
            continue
        truth, teacher = photos.manual68[row, 17:], photos.teacher68[row]
        away = np.linalg.norm(network[own] - truth, axis=2).mean(axis=1)
        face = own[np.argmin(away)]  # others may stand beside the one that was clicked
        pairs = (fitted[face] - truth, jaw[face] - teacher[:17, :2], network[face] - truth)
        for kind, missed in zip(errors, pairs, strict=True):
            errors[kind].append(float(_nme(missed[None], teacher[None])[0]))
    return {
        "photos": len(rows),
        "faces_found": len(pack),
        "faces_compared": len(errors["inner"]),
        "faces_used": int(best_labels(head, fits, pack, anchors).usable.sum()),
        **{
            f"{kind}_{key}": value
            for kind, all_ in errors.items()
            for key, value in _spread(np.array(all_)).items()
        },
    }


def measure_round_trip(fits: Path, split: str, photos: int, model: str) -> dict[str, Any]:
    """How far skin stands from its label after a turn there and back (`round_trip.py`)."""
    session, pair = open_session(SessionFiles(fits)), load_landmarkers(model, points=68, threads=1)
    usable = np.flatnonzero(session.usable(split))
    rows = np.random.default_rng(0).permutation(usable)[:photos]
    errors = {(yaw, kind): list[float]() for yaw in YAWS_DEG for kind in ("flow", "network")}
    for row in rows.tolist():
        photo = session.warp.photo(row)
        for yaw in YAWS_DEG:
            trip = make_round_trip(session.turner, photo, yaw)
            errors[yaw, "flow"].append(trip.flow_nme())
            errors[yaw, "network"].append(trip.network_nme(pair))
    found = {
        str(yaw): {kind: _spread(np.array(errors[yaw, kind])) for kind in ("flow", "network")}
        for yaw in YAWS_DEG
    }
    return {"split": split, "photos": len(rows), "model": pair.name, "yaw_deg": found}


def measure_set(folder: Path, reads: int) -> dict[str, Any]:
    """What a set holds, how long it took, and how fast a training loop reads it."""
    yaws, edits = [], list[str]()
    for file in sorted(folder.glob("shard-*.npz")):
        with np.load(file, allow_pickle=False) as shard:
            yaws.append(shard["yaw_deg"])
            edits += shard["edit"].tolist()
    yaw = np.concatenate(yaws)
    bins = np.histogram(np.clip(yaw, -90, 90), np.arange(-90, 90 + BIN_DEG, BIN_DEG))[0]
    counts = Counter(edit.removeprefix("dark ") for all_ in edits for edit in all_.split(", "))
    runs = json.loads((folder / "manifest.json").read_text())["runs"]
    faces = ShardFaces(folder)
    chosen = np.random.default_rng(0).integers(len(faces), size=reads)
    start_secs = time.perf_counter()
    for index in chosen.tolist():
        faces.load(index)
    reading = reads / (time.perf_counter() - start_secs)
    return {
        "set": folder.resolve().name,
        "pictures": len(yaw),
        "yaw_bin_shares": {
            f"{-90 + k * BIN_DEG:+d} to {-90 + (k + 1) * BIN_DEG:+d}": round(n / len(yaw), 4)
            for k, n in enumerate(bins.tolist())
        },
        **{f"{edit} share": round(counts[edit] / len(yaw), 4) for edit in EDITS},
        "minutes": _minutes(runs),
        "made_by": [_short(shlex.split(run["command"])) for run in runs],
        "read_faces_per_s": round(reading),
    }


def _minutes(runs: list[dict[str, Any]]) -> float | None:
    """What all runs took together; unknown when one broke off on its way."""
    if any(run.get("timed", {}).get("pictures") != run["pictures"] for run in runs):
        return None
    return round(sum(run["timed"]["seconds"] for run in runs) / 60, 1)


def measure_clips(folder: Path) -> dict[str, Any]:
    """What a folder of clips holds."""
    clips = read_clips(folder)
    seconds = [float(clip.time_secs[-1] + np.diff(clip.time_secs).mean()) for clip in clips]
    rates = [len(clip.time_secs) / length for clip, length in zip(clips, seconds, strict=True)]
    manifest = json.loads((folder / "manifest.json").read_text())
    timed = manifest.get("timed", {})
    return {
        "clips": len(clips),
        "seconds_least": round(min(seconds), 2),
        "seconds_most": round(max(seconds), 2),
        "several_faces": sum(len(clip.points_image) > 1 for clip in clips),
        "variable_rate": sum(clip.variable_rate for clip in clips),
        "frames": sum(len(clip.time_secs) for clip in clips),
        "labelled_faces": int(sum(clip.present.sum() for clip in clips)),
        "rate_least": round(min(rates), 1),
        "rate_most": round(max(rates), 1),
        "largest_yaw_deg": round(float(max(np.nanmax(np.abs(clip.yaw_deg)) for clip in clips)), 1),
        "minutes": round(timed["seconds"] / 60, 1) if timed.get("clips") == len(clips) else None,
        "made_by": [_short(shlex.split(manifest["command"]))],
    }


def _nme(
    missed: Float[np.ndarray, "faces points 2"], truth: Float[np.ndarray, "faces 68 dims"]
) -> Float[np.ndarray, " faces"]:
    """Mean distance over the size of each true face."""
    return np.linalg.norm(missed, axis=2).mean(axis=1) / [face_size(one) for one in truth]


def _spread(errors: Float[np.ndarray, " faces"]) -> dict[str, float]:
    return {
        "median": round(float(np.median(errors)), 4),
        "p90": round(float(np.percentile(errors, 90)), 4),
    }


def _mien(*words: object) -> None:
    code = "import sys; from mien.cli import main; main(sys.argv[1:])"
    subprocess.run([sys.executable, "-c", code, *map(str, words)], check=True)


def _short(words: Sequence[str]) -> str:
    """A command line, its files and folders by their last names."""
    return shlex.join(Path(word).name if "/" in word else word for word in words)


def keep(out: Path, part: str, figures: dict[str, Any]) -> None:
    """Put a part's figures, and where they come from, into the result file."""
    content = json.loads(out.read_text()) if out.exists() else {}
    content[part] = {
        **figures,
        "command": f"python benchmarks/data_engine.py {_short(sys.argv[1:])}",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "version": version("mien"),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "cores": len(os.sched_getaffinity(0)),
    }
    out.write_text(json.dumps(dict(sorted(content.items())), indent=1) + "\n")
    print(json.dumps(content[part], indent=1))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--out", type=Path, default=RESULT)
    parts = parser.add_subparsers(dest="part", required=True)
    for name in ("fit", "own"):
        one = parts.add_parser(name, parents=[shared])
        one.add_argument("faces", type=Path, help="faces.npz, or the folder that holds it")
        one.add_argument("--model", type=Path, required=True, help="the morphable head")
    parts.choices["fit"].add_argument("--fits", type=Path, help="measure these; no time then")
    parts.choices["own"].add_argument("--source", default="helen")
    parts.choices["own"].add_argument("--split", default="val")
    for name in ("roundtrip", "speed"):
        parts.add_parser(name, parents=[shared]).add_argument("fits", type=Path)
    parts.choices["roundtrip"].add_argument("--split", default="val")
    parts.choices["roundtrip"].add_argument("--photos", type=int, default=200)
    parts.choices["roundtrip"].add_argument("--landmarks", default="fast", help="the network")
    parts.choices["speed"].add_argument("--pictures", type=int, default=400)
    one = parts.add_parser("set", parents=[shared])
    one.add_argument("folder", type=Path)
    one.add_argument("--reads", type=int, default=4000)
    parts.add_parser("clips", parents=[shared]).add_argument("folder", type=Path)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    figures = {
        "fit": lambda: measure_fit(asked.faces, asked.model, asked.fits),
        "own": lambda: measure_own(asked.faces, asked.model, asked.source, asked.split),
        "roundtrip": lambda: measure_round_trip(
            asked.fits, asked.split, asked.photos, asked.landmarks
        ),
        "speed": lambda: pictures_a_second(asked.fits, asked.pictures),
        "set": lambda: measure_set(asked.folder, asked.reads),
        "clips": lambda: measure_clips(asked.folder),
    }[asked.part]()
    keep(asked.out, asked.part, figures)


if __name__ == "__main__":
    main()
