"""Whether numbers stay with people: crossings, cuts, two seconds hidden; on made clips.

    mien data video fits.npz --out clips --split val --clips 24 --seed 311
    mien data video fits.npz --out crossing --split val --clips 8 --seed 712 --several-faces 1
    python benchmarks/who_is_who.py clips crossing --out benchmarks/results/who_is_who.json

Three parts, with the detector and settings of `mien track`:

* the clips as they are: number switches, and misses with and without faces that nobody can see
  (`mien.evaluation.videos`), of clips of one person and of several;
* cuts: shots of 1.6 s of two clips of one person each, cut together as A, B, A. Handed over: B
  has a number that A had; came back: A ends with the number it had;
* hidden: a patch of noise lies on a face for two seconds, wherever it goes, and is taken away.
  Kept: it has its number again a second later.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

import mien
from mien.datasets.ours.clips import LabelledClip, read_clips
from mien.evaluation.video_score import VideoScore
from mien.evaluation.videos import VideoTruth, follow_video, score_video
from mien.media import open_source
from mien.tracking import Tracker
from mien.types import Box, Frame
from provenance import command, weights_of

RATE = 25
SHOT, AFTER = 40, 25
"""Frames of a shot, and between the end of cover and the judgement."""
COVER = 50
MARGIN = 0.5
"""Of the landmark box, which the patch reaches beyond it to each side."""
LEAST_IOU = 0.3
Picture = tuple[np.ndarray, np.ndarray]
"""A frame and the true points of its one face."""


def switches(clips: Sequence[LabelledClip], tracker: Tracker) -> dict[str, Any]:
    """Of clips of one person and of several."""
    told: dict[str, Any] = {}
    for name, several in (("one_person", False), ("several", True)):
        truths = [
            VideoTruth.of_clip(one) for one in clips if (len(one.points_image) > 1) == several
        ]
        if truths:
            scores = [score_video(one, follow_video(one, tracker)) for one in truths]
            whole = VideoScore.joined(name, scores)
            told[name] = {
                "clips": len(scores),
                "face_frames": whole.face_frames,
                "missed": whole.missed,
                "seen_face_frames": int(whole.seen.sum()),
                "missed_seen": whole.missed_seen,
                "id_switches": whole.id_switches,
            }
    return told


def seen_run(clip: LabelledClip, frames: int) -> int | None:
    """Where the first run of so many frames begins in which the clip's one face can be seen."""
    seen = VideoTruth.of_clip(clip).seen[0]
    starts = np.flatnonzero(np.convolve(seen, np.ones(frames), "valid") == frames)
    return int(starts[0]) if len(starts) else None


def pictures(clip: LabelledClip, first: int, frames: int) -> list[Picture]:
    with open_source(str(clip.video_path)) as source:
        shown = [frame.image_rgb for frame in source][first : first + frames]
    return [(image, clip.points_image[0, first + at]) for at, image in enumerate(shown)]


def numbers(film: Sequence[Picture], tracker: Tracker) -> list[int | None]:
    """The number on the true face in each frame; ``None`` where it was missed."""
    tracker.reset()
    told: list[int | None] = []
    for index, (image, points) in enumerate(film):
        faces = tracker.update(Frame(image, index, index / RATE))
        there = Box.around(points)
        best = max(faces, key=lambda face: face.box.iou(there), default=None)
        is_on = best is not None and best.box.iou(there) >= LEAST_IOU
        told.append(best.track_id if best is not None and is_on else None)
    return told


def cuts(clips: Sequence[LabelledClip], tracker: Tracker) -> dict[str, int]:
    """Neighbouring clips, cut together as A, B, A; both runs of A follow each other in the clip."""
    films = handed_over = came_back = 0
    usable = [(one, at) for one in clips if (at := seen_run(one, 2 * SHOT)) is not None]
    for (one, first), (other, start) in pairwise(usable):
        shots = pictures(one, first, 2 * SHOT), pictures(other, start, SHOT)
        told = numbers([*shots[0][:SHOT], *shots[1], *shots[0][SHOT:]], tracker)
        before, between, after = (
            [one for one in told[at * SHOT : (at + 1) * SHOT] if one is not None] for at in range(3)
        )
        if before and between and after:
            films += 1
            handed_over += bool(set(before) & set(between))
            came_back += before[-1] == after[-1]
    return {"films": films, "handed_over": handed_over, "came_back": came_back}


def covered(film: Sequence[Picture], first: int) -> Iterator[Picture]:
    """The film with noise on its face from a frame on, for ``COVER`` frames."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (16, 16, 3), np.uint8).repeat(40, 0).repeat(40, 1)
    for at, (image, points) in enumerate(film):
        if first <= at < first + COVER:
            box, image = Box.around(points), image.copy()
            left, right = box.left - MARGIN * box.width, box.right + MARGIN * box.width
            top, bottom = box.top - MARGIN * box.height, box.bottom + MARGIN * box.height
            spot = image[max(int(top), 0) : int(bottom), max(int(left), 0) : int(right)]
            spot[:] = noise[: spot.shape[0], : spot.shape[1]]
        yield image, points


def hidden(clips: Sequence[LabelledClip], tracker: Tracker) -> dict[str, int]:
    films = kept = still_there = 0
    for clip in clips:
        first = seen_run(clip, AFTER + COVER + AFTER)
        if first is not None:
            film = pictures(clip, first, AFTER + COVER + AFTER)
            told = numbers(list(covered(film, AFTER)), tracker)
            if told[AFTER - 1] is not None:
                films += 1
                kept += told[-1] == told[AFTER - 1]
                still_there += told[AFTER + COVER - 1] is not None
    return {"films": films, "kept": kept, "not_lost_under_the_patch": still_there}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", type=Path, nargs="+", help="Folders of `mien data video`.")
    parser.add_argument("--model", default="nano")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    clips = [clip for folder in given.clips for clip in read_clips(folder)]
    alone = [clip for clip in clips if len(clip.points_image) == 1]
    tracker = mien.load_tracker(given.model, detector="centerface")
    told = {
        "command": command(),
        "model": given.model,
        "networks": weights_of(given.model),
        "hidden_two_seconds": hidden(alone, tracker),
        "cuts_a_b_a": cuts(alone, tracker),
        "clips": switches(clips, tracker),
    }
    given.out.write_text(json.dumps(told, indent=1) + "\n")
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
