"""How well measures and blinks are read, on made clips whose every frame is known.

::

    mien data video fits.npz --out clips --split test --clips 40 --seed 104
    mien track clips/clip-000?.mp4 --table test/study.parquet --points inside
    python benchmarks/measures.py clips test/study.parquet benchmarks/results/measures.json

A true blink: the true opening of both eyes in space (the label's points, no network) falls below
half of that face's usual one for at most 0.6 s, while the head is turned by at most 55 degrees. A
found one is right if it overlaps a true one of the face that its track lies on. Blinks that a turn
beyond 55 degrees or another head cuts, or of 0.5 to 0.7 s, are left out on both sides, and
so are faces whose eyes are shut in the photo they were made of (usual opening below 0.15).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from mien.datasets.ours.clips import LabelledClip, read_clips
from mien.measures import FACE_MEASURES, ClipRows, measure_face, speaks, summarise
from mien.study import read_clips as read_table
from mien.types import Box
from provenance import weights_of_run

BINS = ((0, 30), (30, 60), (60, 90))
SEEN_DEG = 55.0
LEAST_USUAL = 0.15
EYES = slice(36, 48)


def assigned(rows: ClipRows, clip: LabelledClip) -> dict[tuple[int, int], int]:
    """(face, frame) to the row of the table that lies on it (overlap of boxes at least 0.3)."""
    found = {}
    frames = rows.columns["frame"].astype(int)
    boxes = np.stack(
        [rows.columns[f"box_{side}"] for side in ("left", "top", "right", "bottom")], 1
    )
    for frame in range(len(clip.time_secs)):
        there = [int(row) for row in np.flatnonzero(frames == frame) if rows.seen[row]]
        faces = np.flatnonzero(clip.present[:, frame])
        truths = [Box.around(clip.points_image[face, frame]) for face in faces]
        overlap = np.array([[Box(*boxes[row]).iou(one) for row in there] for one in truths])
        for one, other in (
            zip(*linear_sum_assignment(-overlap), strict=True) if there and truths else ()
        ):
            if overlap[one, other] >= 0.3:
                found[int(faces[one]), frame] = there[other]
    return found


def true_openings(clip: LabelledClip, face: int) -> tuple[np.ndarray, float]:
    """Of both eyes, frame by frame, and the usual one."""
    eyes = measure_face(clip.points_image[face].astype(float))[:, 1:3].mean(axis=1)
    return eyes, float(np.nanpercentile(eyes, 90))


def true_blinks(clip: LabelledClip, face: int) -> list[tuple[int, int, bool]]:
    """First and last frame, and whether it counts."""
    eyes, usual = true_openings(clip, face)
    shut = np.isfinite(eyes) & (eyes < 0.5 * usual)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], shut.astype(int), [0]])))
    found = []
    times, yaw = clip.time_secs, np.abs(clip.yaw_deg[face])
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        around = slice(max(first - 2, 0), min(end + 2, len(eyes)))
        last = end - 1
        secs = times[min(end, len(times) - 1)] - times[first]
        turned = not (yaw[around] <= SEEN_DEG).all()
        hidden = clip.hidden[face, first:end, EYES].mean() > 0.5
        at_edge = first < 2 or end > len(eyes) - 2
        if secs >= 0.7 and not turned:
            continue  # a rest: whatever is found there is wrong
        found.append((int(first), int(last), not (turned or hidden or at_edge) and secs <= 0.5))
    return found


def score_clip(clip: LabelledClip, rows: ClipRows) -> dict[str, Any]:
    on = assigned(rows, clip)
    face_of = {
        (int(rows.columns["track_id"][row]), frame): face for (face, frame), row in on.items()
    }
    _, _, events = summarise(rows)
    right = missed = wrong = 0
    delays: list[float] = []
    used: set[int] = set()
    blinks = [one for one in events if one.kind == "blink"]
    for face in range(len(clip.points_image)):
        if true_openings(clip, face)[1] < LEAST_USUAL:  # shut in the photo: left out
            used |= {
                at
                for at, one in enumerate(blinks)
                if face_of.get((one.person, one.apex_frame)) == face
            }
            continue
        for first, last, counts in true_blinks(clip, face):
            hits = [
                at
                for at, one in enumerate(blinks)
                if one.onset_frame <= last + 2
                and one.offset_frame >= first - 2
                and face_of.get((one.person, one.apex_frame)) == face
            ]
            used.update(hits)
            if counts:
                right += bool(hits)
                missed += not hits
                delays += [blinks[at].onset_secs - clip.time_secs[first] for at in hits[:1]]
    wrong = len(blinks) - len(used)
    return {"right": right, "missed": missed, "wrong": wrong, "delays": delays, "on": on}


def errors(clip: LabelledClip, rows: ClipRows, on: dict[tuple[int, int], int]) -> list[np.ndarray]:
    """A row a matched face and frame: |yaw|, then predicted and true measures."""
    lines = []
    for (face, frame), row in on.items():
        truth = measure_face(clip.points_image[face, frame].astype(float))
        seen = [rows.columns[name][row] for name in FACE_MEASURES]
        lines.append(np.concatenate([[abs(clip.yaw_deg[face, frame])], seen, truth]))
    return lines


def speech(
    clip: LabelledClip, rows: ClipRows, on: dict[tuple[int, int], int]
) -> list[tuple[bool, bool]]:
    """Found and true, of each matched frame; the truth by the same rule on the true mouth."""
    pairs = []
    for face in range(len(clip.points_image)):
        frames = np.array(sorted(frame for one, frame in on if one == face))
        if len(frames) < 10:
            continue
        true = measure_face(clip.points_image[face].astype(float))[:, 3]
        seen = np.array([rows.columns["mouth_open"][on[face, frame]] for frame in frames])
        times = clip.time_secs
        pairs += zip(
            speaks(times[frames], seen).tolist(),
            speaks(times, true)[frames].tolist(),
            strict=True,
        )
    return pairs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("clips", "table", "out"):
        parser.add_argument(name, type=Path)
    given = parser.parse_args()
    clips = {clip.name: clip for clip in read_clips(given.clips)}
    scores, lines, spoken = [], [], []
    for rows in read_table(given.table):
        clip = clips[rows.clip]
        score = score_clip(clip, rows)
        lines += errors(clip, rows, score["on"])
        spoken += speech(clip, rows, score.pop("on"))
        print(rows.clip, {name: score[name] for name in ("right", "missed", "wrong")})
        scores.append(score)
    right, missed, wrong = (
        sum(one[name] for one in scores) for name in ("right", "missed", "wrong")
    )
    table = np.array(lines)
    count = len(FACE_MEASURES)
    told: dict[str, Any] = {
        "command": f"python benchmarks/measures.py {given.clips.name} {given.table.name}",
        "networks": weights_of_run(json.loads(given.table.with_name("run.json").read_text())),
        "clips": len(scores),
        "faces_and_frames": len(table),
        "blinks": {
            "true": right + missed,
            "right": right,
            "missed": missed,
            "wrong": wrong,
            "f1": round(2 * right / max(2 * right + missed + wrong, 1), 4),
            "median_onset_delay_secs": round(
                float(np.median([d for one in scores for d in one["delays"]] or [np.nan])), 4
            ),
        },
        "measures": {},
        "speech": {
            "frames": len(spoken),
            "true_share": round(float(np.mean([true for _, true in spoken])), 4),
            "agree": round(float(np.mean([a == b for a, b in spoken])), 4),
        },
    }
    for at, name in enumerate(FACE_MEASURES):
        seen, true = table[:, 1 + at], table[:, 1 + count + at]
        if name == "size_px":
            seen, true = seen / true, np.ones_like(true)  # as a share
        by_yaw = {}
        for low, high in BINS:
            inside = (table[:, 0] >= low) & (table[:, 0] < high)
            if inside.sum() > 20:
                off = seen[inside] - true[inside]
                by_yaw[f"{low}-{high}"] = {
                    "n": int(inside.sum()),
                    "mean_abs_error": round(float(np.abs(off).mean()), 4),
                    "bias": round(float(off.mean()), 4),
                    "correlation": round(float(np.corrcoef(seen[inside], true[inside])[0, 1]), 4)
                    if np.ptp(true[inside]) > 0
                    else None,
                }
        told["measures"][name] = by_yaw
    given.out.write_text(json.dumps(told, indent=1) + "\n")
    print(json.dumps(told["blinks"]), json.dumps(told["speech"]))


if __name__ == "__main__":
    main()
