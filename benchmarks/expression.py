"""Measure `mien.expression` on clips with known coefficients (`expression_clips.py`).

    python benchmarks/expression.py clips/ --model fast --model nano --from 8

Every clip is tracked as `mien track` does (video decoded, faces found, points smoothed), then its
expressions are read from the first frame on, the neutral unknown. For each shape: the correlation
with the truth over all frames of all clips, its mean over the clips that play the shape, the mean
absolute error, and the same two from the true points. Figures go to
`benchmarks/results/expression.json`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

import mien
from mien.expression import SHAPES, ExpressionReader
from mien.expression.shapes import HEAD_COLUMNS
from mien.types import Landmarks
from provenance import command, weights_of

RESULT = Path(__file__).parent / "results" / "expression.json"
ASKED = {
    "jaw open": ("jawOpen",),
    "smile": ("mouthSmileLeft", "mouthSmileRight"),
    "pucker": ("mouthPucker",),
    "brows up": ("browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    "blink": ("eyeBlinkLeft", "eyeBlinkRight"),
}


@dataclass(frozen=True)
class KnownClip:
    """A clip, what is known of it, and what a tracker saw in it."""

    time_secs: Float[np.ndarray, " frames"]
    known: Float[np.ndarray, "frames shapes"]
    true_points: Float[np.ndarray, "frames 68 3"]
    points: Float[np.ndarray, "frames 68 3"]
    """NaN in frames without a face."""
    confidence: Float[np.ndarray, "frames 68"]


def known_clips(folder: Path, model: str, first: int, last: int | None) -> Iterator[KnownClip]:
    """Tracked once, and kept beside the clip for the next time."""
    tracker = None
    for file in sorted(folder.glob("clip-[0-9][0-9][0-9][0-9].npz"))[first:last]:
        kept = file.with_name(f"tracked-{model}-{file.stem}.npz")
        if not kept.exists():
            tracker = tracker or mien.load_tracker(model)
            _track(tracker, file.with_suffix(".mp4"), kept)
        with np.load(file) as label, np.load(kept) as seen:
            names = label["names"].tolist()
            columns = [[names.index(name) for name in HEAD_COLUMNS[shape]] for shape in SHAPES]
            known = [label["known"][:, column].mean(axis=1) for column in columns]
            yield KnownClip(
                label["time_secs"],
                np.stack(known, axis=1),
                label["points"].astype(np.float64),
                seen["points"],
                seen["confidence"],
            )


def _track(tracker: mien.Tracker, video: Path, kept: Path) -> None:
    points, confidence = [], []
    for _, faces in mien.track(video, tracker):
        face = max(faces, key=lambda face: face.box.width, default=None)
        points.append(face.landmarks.points_image if face else np.full((68, 3), np.nan))
        confidence.append(face.landmarks.confidence if face else np.zeros(68))
    np.savez_compressed(kept, points=np.stack(points), confidence=np.stack(confidence))


def read_clip(clip: KnownClip, *, from_truth: bool) -> Float[np.ndarray, "frames shapes"]:
    """The strengths read in every frame; NaN where no face was found."""
    reader, last_secs = ExpressionReader(), float(clip.time_secs[0])
    strengths = np.full(clip.known.shape, np.nan)
    points = clip.true_points if from_truth else clip.points
    for frame, time_secs in enumerate(clip.time_secs):
        if np.isfinite(points[frame]).all():
            landmarks = Landmarks(points[frame], clip.confidence[frame])
            strengths[frame] = reader.read(landmarks, float(time_secs) - last_secs).strengths
            last_secs = float(time_secs)
    return strengths


def score(clips: list[KnownClip], read: list[Float[np.ndarray, "frames shapes"]]) -> dict[str, Any]:
    """Figures a shape."""
    known = np.concatenate([clip.known for clip in clips])
    found = np.concatenate(read)
    seen = np.isfinite(found[:, 0])
    rows = {}
    for column, shape in enumerate(SHAPES):
        inside = [
            _correlation(part[:, column], clip.known[:, column])
            for part, clip in zip(read, clips, strict=True)
            if clip.known[:, column].max() > 0.3
        ]
        rows[shape] = {
            "correlation": round(_correlation(found[:, column], known[:, column]), 3),
            "correlation_within_clips": round(float(np.mean(inside)), 3) if inside else None,
            "mae": round(float(np.abs(found - known)[seen, column].mean()), 4),
            "mean_known": round(float(known[seen, column].mean()), 4),
            "clips": len(inside),
        }
    return rows


def _correlation(found: Float[np.ndarray, " frames"], known: Float[np.ndarray, " frames"]) -> float:
    seen = np.isfinite(found)
    if found[seen].std() < 1e-9 or known[seen].std() < 1e-9:
        return 0.0
    return float(np.corrcoef(found[seen], known[seen])[0, 1])


def milliseconds(clips: list[KnownClip]) -> float:
    """Processor time of one face: the median over all frames."""
    took = []
    for clip in clips:
        reader = ExpressionReader()
        for points, confidence in zip(clip.points, clip.confidence, strict=True):
            if np.isfinite(points).all():
                landmarks = Landmarks(points, confidence)
                start_secs = time.thread_time()
                reader.read(landmarks, 0.04)
                took.append(time.thread_time() - start_secs)
    return round(1e3 * float(np.median(took)), 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("--model", action="append", required=True)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--to", dest="last", type=int)
    parser.add_argument("--out", type=Path, default=RESULT)
    asked = parser.parse_args()
    result: dict[str, Any] = {
        "command": command(),
        "networks": weights_of(*asked.model),
        "models": {},
    }
    for model in asked.model:
        clips = list(known_clips(asked.clips, model, asked.first, asked.last))
        shapes = score(clips, [read_clip(clip, from_truth=False) for clip in clips])
        frames = sum(len(clip.time_secs) for clip in clips)
        found = sum(int(np.isfinite(clip.points[:, 0, 0]).sum()) for clip in clips)
        result["models"][model] = {
            "clips": len(clips),
            "frames": frames,
            "frames_with_face": found,
            "asked": {
                name: round(float(np.mean([shapes[part]["correlation"] for part in parts])), 3)
                for name, parts in ASKED.items()
            },
            "shapes": shapes,
            "ms_a_face": milliseconds(clips[:2]),
        }
    result["true_points"] = {
        "shapes": score(clips, [read_clip(clip, from_truth=True) for clip in clips])
    }
    asked.out.write_text(json.dumps(result, indent=1) + "\n")
    for model, figures in result["models"].items():
        print(model, figures["asked"], figures["ms_a_face"], "ms")


if __name__ == "__main__":
    main()
