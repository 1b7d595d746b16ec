"""A model's tracker measured on labelled videos, as a user gets it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mien.datasets.ours.clips import read_clips
from mien.datasets.public.menpo3d import read_menpo3d_videos
from mien.datasets.public.vw300 import TEST_CATEGORIES, read_300vw
from mien.datasets.video import LabelledVideo
from mien.errors import ConfigError
from mien.evaluation.evaluate import Provenance
from mien.evaluation.metrics import YAW_BINS_DEG, mean_or_none
from mien.evaluation.sets import Format
from mien.evaluation.video_score import VideoScore
from mien.evaluation.videos import VideoTruth, follow_video, moved_faces, score_video
from mien.files import write_atomically
from mien.geometry.convention import Convention
from mien.runtime import DEFAULT_MODEL, load_landmarkers, open_detector
from mien.tracking import OfflineSettings, OfflineSmoother, Tracker, TrackerSettings

__all__ = ["VideoEvaluation", "evaluate_videos", "write_videos_json"]

_DIGITS = 6


@dataclass(frozen=True)
class VideoEvaluation:
    """The figures of each video, and of all joined."""

    provenance: Provenance
    videos: tuple[VideoScore, ...]
    moved: tuple[VideoScore, ...]
    """The same with the points moved to where the set has them; empty where that is nowhere else
    than the model has them, or nobody knows where."""
    convention: Convention | None
    """Of the set."""

    @property
    def whole(self) -> VideoScore:
        """All videos as one."""
        return VideoScore.joined("all", self.videos)

    @property
    def whole_moved(self) -> VideoScore | None:
        """Likewise, of the moved points."""
        return VideoScore.joined("all", self.moved) if self.moved else None


def evaluate_videos(
    data_format: Format | str,
    root: Path | str,
    *,
    model: str = DEFAULT_MODEL,
    split: str = "",
    videos: Path | None = None,
    detector: str = "centerface",
    threads: int | None = None,
    careful: bool = False,
    offline: bool = False,
    on_video: Callable[[int, int], None] = lambda done, total: None,
) -> VideoEvaluation:
    """Follow every video of a set from its first frame.

    Args:
        data_format: ``clips`` (of ``mien data video``), ``300vw`` or ``menpo3d-videos``.
        split: of 300VW ``category-1`` to ``category-3`` or ``test``, all three; empty takes all.
        videos: of ``menpo3d-videos``, the folder of 300VW that holds the pictures.
        careful: look at each face several times in each frame, and average.
        offline: smooth by what comes before and after, as ``mien track --offline``.
        on_video: told the number of videos done and of all, after each.

    Raises:
        ConfigError: options that do not go together, or no such format.
        DataError, InputError: a video or its label is missing or damaged.
        ModelError: the model cannot be opened.
    """
    data_format = Format(data_format)
    root = Path(root)
    truths, total = _truths(data_format, root, split, videos)
    pair = load_landmarkers(model, points=68, threads=threads)
    settings = TrackerSettings(careful=careful)
    if offline:
        settings = dataclasses.replace(settings, smoothing=OfflineSettings())
    tracker = Tracker(open_detector(detector, threads), pair.first, pair.following, settings)
    words = ["mien", "evaluate", data_format, root.resolve().name, "--model", Path(model).name]
    words += ["--split", split] if split else []
    words += ["--videos", videos.resolve().name] if videos is not None else []
    words += ["--detector", detector]
    words += ["--careful"] if careful else []
    words += ["--offline"] if offline else []
    provenance = Provenance.of(pair, words, data_format, "video", mirror=False, careful=careful)
    own, sets = provenance.convention, None
    plain, moved = list[VideoScore](), list[VideoScore]()
    for truth in truths:
        sets = truth.convention
        smoother = OfflineSmoother(pair.markup.mean_shape) if offline else None
        tracked = follow_video(truth, tracker, smoother)
        plain.append(score_video(truth, tracked))
        if sets is not None and sets != own:
            moved.append(score_video(truth, moved_faces(tracked, own, sets)))
        on_video(len(plain), total)
    return VideoEvaluation(provenance, tuple(plain), tuple(moved), sets)


def _truths(
    data_format: Format, root: Path, split: str, videos: Path | None
) -> tuple[Iterable[VideoTruth], int]:
    """One after the other, and how many there are."""
    if split and data_format is not Format.VW300:
        raise ConfigError(f"{data_format} has no splits: leave the split out")
    if (videos is not None) != (data_format is Format.MENPO3D_VIDEOS):
        raise ConfigError(
            "the annotated videos of Menpo 3D, and they alone, need --videos: the folder of 300VW "
            "that holds 001/vid.avi"
        )
    if data_format is Format.CLIPS:
        clips = read_clips(root)
        return map(VideoTruth.of_clip, clips), len(clips)
    if data_format is Format.VW300:
        labelled: Sequence[LabelledVideo] = read_300vw(root, names=_names(split))
        convention = Convention.CLICKED
    elif videos is not None:
        labelled, convention = read_menpo3d_videos(root, videos), None
    else:
        raise ConfigError(f"{data_format} holds photos: measure them with evaluate")
    found = (VideoTruth.of_video(video, convention).to_68() for video in labelled)
    return found, len(labelled)


def _names(split: str) -> tuple[str, ...]:
    """Of the videos of a split of 300VW; none means all."""
    splits = {f"category-{number}": names for number, names in enumerate(TEST_CATEGORIES, start=1)}
    splits |= {"test": tuple(name for names in TEST_CATEGORIES for name in names), "": ()}
    if split not in splits:
        raise ConfigError(f"300VW has no split {split!r}: it has {', '.join(filter(None, splits))}")
    return splits[split]


def write_videos_json(evaluation: VideoEvaluation, file: Path) -> None:
    """Write the figures of all videos together, of each, and of the points moved.

    Raises:
        OutputError: the file cannot be written.
    """
    count = {"clips": len(evaluation.videos)}
    content = _block(evaluation.whole) | count
    content["per_clip"] = [_block(one) for one in evaluation.videos]
    if (moved := evaluation.whole_moved) is not None and evaluation.convention is not None:
        content["as_" + evaluation.convention.replace("-", "_")] = _block(moved) | count
    content |= dataclasses.asdict(evaluation.provenance)
    text = json.dumps(content, indent=1, allow_nan=False)
    write_atomically(file, (text + "\n").encode())


def _block(one: VideoScore) -> dict[str, object]:
    names = [f"{'[' if lower == 0 else '('}{lower},{upper}]" for lower, upper in YAW_BINS_DEG]
    return {
        "name": one.name,
        "frames": one.frames,
        "face_frames": one.face_frames,
        "missed": one.missed,
        "seen_face_frames": int(one.seen.sum()),
        "missed_seen": one.missed_seen,
        "nme": _short(one.nme),
        "bins": {name: _short(value) for name, value in zip(names, one.nme_by_yaw, strict=True)},
        "auc_07": _short(one.auc_07),
        "failure_rate_07": _short(one.failure_rate_07),
        "jitter": _short(one.jitter),
        "id_switches": one.id_switches,
        "tracks": one.tracks,
        "false_tracks": one.false_tracks,
        "false_face_frames": one.false_face_frames,
        "eyes": {
            kind: {"n": len(errors), "opening_error": _short(mean_or_none(errors))}
            for kind, errors in (("shut", one.eye_errors_shut), ("open", one.eye_errors_open))
        },
    }


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
