"""``mien data profile`` and ``mien data video``: fitted photos to pictures and to clips."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path
from typing import Annotated

import cv2
import typer

from mien.errors import ConfigError

__all__ = ["profile", "video"]

FitsFile = Annotated[Path, typer.Argument(help="What mien data fit wrote.")]
Split = Annotated[str, typer.Option(help="Photos of which split to use.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of every random choice.")]
Workers = Annotated[int, typer.Option(min=1, help="Processes; the result is the same for any.")]
FacesFile = Annotated[
    Path | None,
    typer.Option(help="faces.npz, or the folder that holds it (default: as fitted)."),
]
ModelFile = Annotated[Path | None, typer.Option(help="Head model (default: as fitted).")]
AnchorsFile = Annotated[
    Path | None,
    typer.Option(help="Where mark-ups sit on another head than ICT's (mien data anchors)."),
]


def profile(
    fits: FitsFile,
    out: Annotated[Path, typer.Option(help="Folder of the set; shards already there stay.")],
    pictures: Annotated[int, typer.Option(min=1, help="How many pictures to make.")] = 6000,
    split: Split = "train",
    seed: Seed = 0,
    yaw: Annotated[
        tuple[float, float], typer.Option(help="Least and greatest yaw, degrees, either side.")
    ] = (30.0, 90.0),
    pitch: Annotated[
        tuple[float, float] | None,
        typer.Option(
            help="Least and greatest pitch, degrees, up or down; if not given, as people nod."
        ),
    ] = None,
    eyes_shut: Annotated[float, typer.Option(min=0, max=1, help="Share of shut eyes.")] = 0.1,
    mouth_open: Annotated[float, typer.Option(min=0, max=1, help="Share of open mouths.")] = 0.1,
    mouth_moved: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Share of mouths that purse, press, roll, smile or are drawn aside.",
        ),
    ] = 0.0,
    brows: Annotated[float, typer.Option(min=0, max=1, help="Share of moved brows.")] = 0.05,
    relit: Annotated[float, typer.Option(min=0, max=1, help="Share of new light.")] = 0.3,
    glasses: Annotated[float, typer.Option(min=0, max=1, help="Share with glasses put on.")] = 0.06,
    masks: Annotated[
        float, typer.Option(min=0, max=1, help="Share with face masks put on.")
    ] = 0.04,
    workers: Workers = 1,
    faces: FacesFile = None,
    model: ModelFile = None,
    anchors: AnchorsFile = None,
) -> None:
    """Turn photos to a larger yaw, with exact 3D labels.

    A run that broke off goes on where it stood when it is started again.
    """
    from mien.synthesis.make.manifest import begin_run
    from mien.synthesis.make.photo_sets import Recipe, SetJob, make_set
    from mien.synthesis.make.session import SessionFiles, open_session
    from mien.synthesis.make.sources import set_sources

    if not 0 <= yaw[0] <= yaw[1] <= 90:
        raise ConfigError(f"--yaw takes two angles from 0 to 90, the smaller first, not {yaw}")
    if pitch is not None and not 0 <= pitch[0] <= pitch[1] <= 60:
        raise ConfigError(f"--pitch takes two angles from 0 to 60, the smaller first, not {pitch}")
    if glasses + masks > 1:
        raise ConfigError(f"nobody wears both: --glasses {glasses} and --masks {masks} exceed 1")
    recipe = Recipe(
        pictures=pictures,
        split=split,
        min_yaw_deg=yaw[0],
        max_yaw_deg=yaw[1],
        pitch_range_deg=pitch,
        eyes_shut=eyes_shut,
        mouth_open=mouth_open,
        mouth_moved=mouth_moved,
        brows=brows,
        relit=relit,
        glasses=glasses,
        masks=masks,
    )
    files = SessionFiles(fits, faces, model, anchors)
    session = open_session(files)  # mistakes show here, before anything is written
    made_by = {
        "seed": seed,
        "recipe": recipe.record(),
        "fits_sha256": files.digest(),
    }
    run = begin_run(
        out,
        split=split,
        pictures=pictures,
        made_by=made_by,
        command=shlex.join(sys.argv),
        sources=set_sources(session, split),
    )
    # One thread: OpenCV's own threads cost more than they gain on pictures this small.
    cv2.setNumThreads(1)
    todo = sum(len(run.numbers(shard)) for shard in run.missing)
    if todo < pictures:
        typer.echo(f"{pictures - todo} pictures of this run are there already")
    done, start = 0, time.monotonic()
    for count in make_set(SetJob(files, recipe, seed), run, workers):
        done += count
        rate = done / (time.monotonic() - start)
        typer.echo(f"{done} of {todo} pictures, {rate:.1f} a second")
    typer.echo(f"{pictures} pictures in {out}; look at them: mien data sheet {out}")


def video(
    fits: FitsFile,
    out: Annotated[Path, typer.Option(help="Folder of the clips; those already there stay.")],
    clips: Annotated[int, typer.Option(min=1, help="How many clips.")] = 40,
    seconds: Annotated[float, typer.Option(min=0.1, help="Length of each clip, seconds.")] = 10.0,
    split: Split = "test",
    seed: Seed = 0,
    size: Annotated[tuple[int, int], typer.Option(help="Width and height, px.")] = (640, 360),
    several_faces: Annotated[
        float, typer.Option(min=0, max=1, help="Share with two or three faces that cross.")
    ] = 0.1,
    variable_rate: Annotated[
        float, typer.Option(min=0, max=1, help="Share with a variable frame rate.")
    ] = 0.25,
    workers: Workers = 1,
    faces: FacesFile = None,
    model: ModelFile = None,
    anchors: AnchorsFile = None,
) -> None:
    """Make clips of turning, talking, blinking heads, with an exact label for every frame.

    A run that broke off goes on where it stood when it is started again.
    """
    from mien.synthesis.make.clips import ClipJob, ClipRecipe, make_clips
    from mien.synthesis.make.session import SessionFiles

    recipe = ClipRecipe(
        clips=clips,
        seconds=seconds,
        split=split,
        width=size[0],
        height=size[1],
        several_faces=several_faces,
        variable_rate=variable_rate,
    )
    cv2.setNumThreads(1)
    job = ClipJob(SessionFiles(fits, faces, model, anchors), recipe, seed, out)
    for number, clip in enumerate(make_clips(job, workers, shlex.join(sys.argv)), start=1):
        typer.echo(f"{number}: {clip.with_suffix('.mp4')}")
    typer.echo(f"{clips} clips in {out}")
