"""How low CenterFace's score may be, when the landmark network judges what it finds.

    python benchmarks/detection_scores.py DATA CLIPS --json benchmarks/results/detection_scores.json

Val scenes, pictures without faces and what is patched of both, counted as in `small_faces.py`; and
films made of val people (`mien data video --split val`), counted as by `mien evaluate clips`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import cv2

import mien
from mien.datasets.ours.clips import read_clips
from mien.evaluation.video_score import VideoScore
from mien.evaluation.videos import VideoTruth, follow_video, score_video
from mien.files import write_atomically
from mien.pipeline import make_tracker
from mien.runtime import load_landmarkers
from mien.runtime.detectors import CenterFace
from provenance import command, weights_of
from small_faces import counted, pictures_by_name

SCORES = (0.5, 0.4, 0.3)
KINDS = ("scenes", "no faces")
"""Pictures that may hold people of any size; small faces pasted alone are left out."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--model", default="nano")
    parser.add_argument("--pictures", type=int, default=16, help="Of each kind that is patched.")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    sets = {
        name: shown
        for name, shown in pictures_by_name(given.data, given.pictures).items()
        if name.startswith(KINDS)
    }
    pair = load_landmarkers(given.model, points=68, threads=1)
    rows = []
    for score in SCORES:
        finder = CenterFace(score=score, threads=1)
        photos = make_tracker(pair, finder, mien.TrackerSettings(max_faces=10_000))
        pictures = {name: counted(photos, shown) for name, shown in sets.items()}
        films = filmed(make_tracker(pair, finder), given.clips)
        rows.append({"score": score, "pictures": pictures, "films": films})
        print(rows[-1], flush=True)
    content = {"command": command(), "networks": weights_of(given.model), "scores": rows}
    write_atomically(given.json, (json.dumps(content, indent=1) + "\n").encode())


def filmed(tracker: mien.Tracker, clips: Path) -> dict[str, Any]:
    """What `mien evaluate clips` says of all films together."""
    truths = [VideoTruth.of_clip(clip) for clip in read_clips(clips)]
    whole = VideoScore.joined(
        "all", [score_video(one, follow_video(one, tracker)) for one in truths]
    )
    return {
        "faces": whole.face_frames,
        "missed": whole.missed,
        "missed_seen": whole.missed_seen,
        "nme": round(whole.nme or 0.0, 4),
        "switches": whole.id_switches,
        "false_tracks": whole.false_tracks,
        "false_faces": whole.false_face_frames,
    }


if __name__ == "__main__":
    main()
