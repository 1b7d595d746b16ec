"""What handing out faces that pass behind others is worth, on made clips of several people.

    python benchmarks/held_faces.py CLIPS... --json benchmarks/results/held_faces.json

Counted as by `mien evaluate clips`, with the faces that nobody saw (`Face.is_seen`) and without;
clips of one person, in which there are none, are left out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import mien
from mien.datasets.ours.clips import read_clips
from mien.evaluation.video_score import VideoScore
from mien.evaluation.videos import VideoTruth, follow_video, score_video
from mien.files import write_atomically
from provenance import command, weights_of


def told(scores: Sequence[VideoScore]) -> dict[str, Any]:
    whole = VideoScore.joined("all", scores)
    return {
        "faces": whole.face_frames,
        "missed": whole.missed,
        "missed_seen": whole.missed_seen,
        "switches": whole.id_switches,
        "false_tracks": whole.false_tracks,
        "false_faces": whole.false_face_frames,
        "nme": round(whole.nme or 0.0, 4),
        "failure_rate_07": round(whole.failure_rate_07, 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--model", action="append")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    models = given.model or ["nano"]
    truths = [
        VideoTruth.of_clip(clip)
        for folder in given.clips
        for clip in read_clips(folder)
        if len(clip.points_image) > 1
    ]
    rows: dict[str, Any] = {}
    for model in models:
        tracker = mien.load_tracker(model, detector="centerface", threads=1)
        held, without = list[VideoScore](), list[VideoScore]()
        for truth in truths:
            faces = follow_video(truth, tracker)
            held.append(score_video(truth, faces))
            seen = [[face for face in frame if face.is_seen] for frame in faces]
            without.append(score_video(truth, seen))
        rows[model] = {"held": told(held), "seen_alone": told(without)}
        print(model, rows[model], flush=True)
    content = {
        "command": command(),
        "networks": weights_of(*models),
        "clips": len(truths),
        "frames": int(np.sum([len(truth.frame_indices) for truth in truths])),
        "models": rows,
    }
    write_atomically(given.json, (json.dumps(content, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
