"""Clips with exact labels: ``clip-0000.mp4``, its label ``clip-0000.npz``, and ``manifest.json``.

For what a label holds see ``mien.datasets.ours.clips``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from jaxtyping import Float, UInt8

from mien.datasets.ours.clips import LabelledClip, read_clip, write_clip_label
from mien.errors import ConfigError, DataError, OutputError
from mien.files import PendingFile, write_atomically
from mien.synthesis.make.actor import Actor
from mien.synthesis.make.motion import HeadMotion, frame_times
from mien.synthesis.make.parallel import run_tasks
from mien.synthesis.make.scenes import draw_passer, draw_way, film
from mien.synthesis.make.session import SessionFiles, open_session
from mien.version import __version__

__all__ = ["ClipJob", "ClipRecipe", "make_clips", "write_clip"]

_TICKS = 90_000
"""A second, in the unit that the file's timestamps count in."""


@dataclass(frozen=True)
class ClipRecipe:
    """What the clips are to show."""

    clips: int
    seconds: float = 10.0
    split: str = "test"
    width: int = 640
    height: int = 360
    several_faces: float = 0.1
    """Share of clips with two or three faces that cross."""
    variable_rate: float = 0.25
    occluded: float = 0.6

    def __post_init__(self) -> None:
        if self.width % 2 or self.height % 2 or min(self.width, self.height) < 64:
            raise ConfigError(
                f"frames have even sides of at least 64 px, not {self.width} x {self.height}"
            )


@dataclass(frozen=True)
class ClipJob:
    """Clips to make: each follows from the job and its number alone."""

    files: SessionFiles
    recipe: ClipRecipe
    seed: int
    folder: Path


@dataclass(frozen=True)
class _Part:
    job: ClipJob
    number: int


def make_clips(job: ClipJob, workers: int, command: str) -> Iterator[Path]:
    """Make the clips that are not there yet; yields each one made.

    Raises:
        OutputError: the folder cannot be made, or holds clips of another job.
        DataError: files that do not belong together, or too few photos that can be used.
    """
    made_by = json.loads(
        json.dumps(
            {"seed": job.seed, "recipe": asdict(job.recipe), "fits_sha256": job.files.digest()}
        )
    )
    _plan(job)
    manifest = job.folder / "manifest.json"
    _begin(manifest, made_by | {"command": command, "mien": __version__}, made_by)
    missing = [n for n in range(job.recipe.clips) if not _file(job, n).exists()]
    start_secs = time.monotonic()
    yield from run_tasks(_make_clip, [_Part(job, number) for number in missing], workers)
    _finish(job, manifest, len(missing), time.monotonic() - start_secs)


def write_clip(
    file: Path,
    frames: Iterator[UInt8[np.ndarray, "height width 3"]],
    times_secs: Float[np.ndarray, " frames"],
) -> None:
    """H.264 with each frame (OpenCV's colour order) at its own time, to 1/90000 s."""
    with av.open(str(file), "w", format="mp4") as container:
        # One thread: the encoder's result must not depend on the machine's cores. Its macroblock
        # tree (mbtree) gives other bytes from call to call where frames lie unevenly in time.
        options = {"crf": "20", "preset": "fast", "threads": "1", "x264-params": "mbtree=0"}
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, _TICKS)
        for number, (image, time_secs) in enumerate(zip(frames, times_secs, strict=True)):
            if number == 0:
                stream.height, stream.width = image.shape[:2]
            picture = av.VideoFrame.from_ndarray(image, format="bgr24")
            picture.pts, picture.time_base = round(time_secs * _TICKS), Fraction(1, _TICKS)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def _file(job: ClipJob, number: int) -> Path:
    return job.folder / f"clip-{number:04d}.npz"


def _plan(job: ClipJob) -> tuple[list[list[int]], list[bool]]:
    """Photos of each clip, every one used once before any again, and whether its rate varies."""
    recipe, rng = job.recipe, np.random.default_rng(job.seed)
    usable = np.flatnonzero(open_session(job.files).usable(recipe.split))
    if len(usable) < 3:
        raise DataError(
            f"clips need three usable photos of split {recipe.split}, not {len(usable)}: fit more"
        )
    several = _spread(recipe.several_faces, recipe.clips, rng)
    varies = _spread(recipe.variable_rate, recipe.clips, rng)
    rows, deck = list[list[int]](), list[int]()
    for crowd in several:
        faces = int(rng.integers(2, 4)) if crowd else 1
        if len(deck) < faces:
            deck = rng.permutation(usable).tolist()
        rows.append([deck.pop() for _ in range(faces)])
    return rows, varies


def _spread(share: float, clips: int, rng: np.random.Generator) -> list[bool]:
    """Exactly that share of the clips, at random places."""
    flags: list[bool] = rng.permutation(np.arange(clips) < round(share * clips)).tolist()
    return flags


def _make_clip(part: _Part) -> Path:
    job, recipe = part.job, part.job.recipe
    rng = np.random.default_rng([job.seed, part.number])
    plan, varies = _plan(job)
    rows, variable = plan[part.number], varies[part.number]
    times = frame_times(recipe.seconds, variable, rng)
    # What the file can say is what the label says.
    times = np.round(times * _TICKS) / _TICKS
    size, session = (recipe.width, recipe.height), open_session(job.files)
    actors = [Actor(session, row) for row in rows]
    motions = [HeadMotion.draw(times, rng) for _ in rows]
    ways = [draw_way(times, size, number, len(rows), rng) for number in range(len(rows))]
    passers = [draw_passer(times, ways[0], rng)] if rng.random() < recipe.occluded else []
    points, hidden, yaw = list[np.ndarray](), list[np.ndarray](), list[np.ndarray]()

    def pictures() -> Iterator[UInt8[np.ndarray, "height width 3"]]:
        for frame in film(actors, motions, ways, passers, size):
            points.append(frame.points_image)
            hidden.append(frame.hidden)
            yaw.append(frame.yaw_deg)
            yield frame.image

    label = _file(job, part.number)
    video = PendingFile(label.with_suffix(".mp4"))
    try:
        write_clip(video.part, pictures(), times)
    except BaseException:
        video.drop()
        raise
    video.publish()
    write_clip_label(
        LabelledClip(
            name=label.stem,
            video_path=video.path,
            time_secs=times,
            points_image=np.stack(points, axis=1),
            hidden=np.stack(hidden, axis=1),
            yaw_deg=np.stack(yaw, axis=1),
            variable_rate=variable,
            source_path=tuple(actor.source_path for actor in actors),
            split=recipe.split,
        )
    )
    return label


def _begin(manifest: Path, entry: dict[str, object], made_by: dict[str, object]) -> None:
    if not manifest.exists():
        _write(manifest, entry)
        return
    try:
        there = json.loads(manifest.read_text())
        same = all(there.get(key) == value for key, value in made_by.items())
    except (ValueError, AttributeError) as error:
        raise DataError(f"{manifest} is damaged ({error}): write into a new folder") from error
    if not same:
        raise OutputError(f"{manifest.parent} holds something else than these clips: name another")


def _finish(job: ClipJob, manifest: Path, made: int, seconds: float) -> None:
    """List the clips; ``made`` of them came at a stretch just now, in so many seconds."""
    entry, clips = json.loads(manifest.read_text()), []
    for number in range(job.recipe.clips):
        file = _file(job, number)
        label = read_clip(file)
        clips.append(
            {
                "video": label.video_path.name,
                "seed": [job.seed, number],
                "frames": len(label.time_secs),
                "faces": len(label.points_image),
                "source_path": list(label.source_path),
                "variable_rate": label.variable_rate,
            }
        )
    if made:
        entry["timed"] = {"clips": made, "seconds": round(seconds, 1)}
    _write(manifest, entry | {"clips": clips})


def _write(manifest: Path, entry: dict[str, object]) -> None:
    write_atomically(manifest, (json.dumps(entry, indent=1) + "\n").encode())
