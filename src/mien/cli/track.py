"""``mien track``: the options. What they do is in ``track_run``, which loads the networks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.choices import (
    DEFAULT_MODEL,
    MAX_FACES,
    SEARCH_SECS,
    Points,
    PointsPlace,
    TableFormat,
)
from mien.cli.networks import MODEL_HELP
from mien.cli.streams import FaceOption, OscOption, VmcOption, VrmOption

__all__ = ["track"]

_TRACKING, _DETECTOR = "Tracking", "Where to look"


def track(
    where: Annotated[
        list[str],
        typer.Argument(
            metavar="VIDEO|IMAGE|FOLDER|0...",
            help="Videos, photos, folders of them, a quoted pattern ('clips/*.mp4'), an image "
            "sequence (frame_%04d.png), the number of a webcam (Ctrl-C ends it), an address "
            "(rtsp://...) or - for a stream on standard input.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Folder for STEM.csv, STEM.overlay.mp4 (.png for a photo) and STEM.json; made if "
            "it is missing. Files of an earlier run are replaced, files of others are not.",
            show_default=False,
        ),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            "--table",
            metavar="NAME.csv|NAME.parquet",
            help="One table of all files, with measures, and run.json beside it that says what "
            "made it. The same command again goes on after a break.",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[
        int,
        typer.Option(
            min=1,
            help="Files tracked side by side, each in a process; the threads are shared out. "
            "The results are the same for any number.",
        ),
    ] = 1,
    resume: Annotated[
        bool,
        typer.Option(help="Go on with a run of several files that was broken off."),
    ] = True,
    recursive: Annotated[
        bool,
        typer.Option("--recursive", "-r", help="Folders within folders too."),
    ] = False,
    rate: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=1000.0,
            help="Frames a second of an image sequence, which carries no times itself.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            metavar="NAME|PATH",
            help=MODEL_HELP,
            rich_help_panel=_TRACKING,
        ),
    ] = DEFAULT_MODEL,
    markup: Annotated[
        Points,
        typer.Option(
            help="Number of landmarks; every model has the 68, see 'mien models' for 84.",
            rich_help_panel=_TRACKING,
        ),
    ] = Points.P68,
    max_faces: Annotated[
        int | None,
        typer.Option(
            min=1,
            help=f"Faces followed at once, biggest first; if not given, {MAX_FACES} in a video and "
            "all in a photo.",
            rich_help_panel=_TRACKING,
        ),
    ] = None,
    smooth: Annotated[
        bool,
        typer.Option(
            help="Smooth the points of faces at rest; moving ones do not lag.",
            rich_help_panel=_TRACKING,
        ),
    ] = True,
    offline: Annotated[
        bool,
        typer.Option(
            "--offline",
            help="Smooth files by what comes before and after: nothing lags, and moving heads "
            "have less jitter. Frames are held back for half a second.",
            rich_help_panel=_TRACKING,
        ),
    ] = False,
    careful: Annotated[
        bool,
        typer.Option(
            "--careful",
            help="For measuring: each face is looked at six times in each frame, mirrored too, and "
            "averaged; confidence falls where the looks differ. The networks take six times as "
            "long on videos, four times on photos.",
            rich_help_panel=_TRACKING,
        ),
    ] = False,
    seen_only: Annotated[
        bool,
        typer.Option(
            "--seen-only",
            help="Leave out faces that another one hides: if not given, they are handed out for up "
            "to 0.6 s where their motion leads, with a score of 0.",
            rich_help_panel=_TRACKING,
        ),
    ] = False,
    threads: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Threads for the networks; all cores if not given.",
            rich_help_panel=_TRACKING,
        ),
    ] = None,
    detector: Annotated[
        str,
        typer.Option(
            help="centerface, centerface:LONG_SIDE (px of the search; more finds smaller faces), "
            "finder (mien's own: quicker, misses more), finder:LONG_SIDE, finder:FILE, "
            "yunet:FILE, or boxes:FILE.csv (frame,left,top,right,bottom).",
            rich_help_panel=_DETECTOR,
        ),
    ] = "centerface",
    search_secs: Annotated[
        float,
        typer.Option(
            min=0.0,
            help="Seconds between two searches for further faces, at most; a third of it "
            "where the picture has changed away from those it has.",
            rich_help_panel=_DETECTOR,
        ),
    ] = SEARCH_SECS,
    table_format: Annotated[
        TableFormat,
        typer.Option(
            "--format",
            help="csv, parquet, jsonl or openface: a table of all faces. livelink, bvh or glb: for "
            "animators, a file for each face (STEM.face-0.glb). rrd: for Rerun's viewer.",
            rich_help_panel="Results",
        ),
    ] = TableFormat.CSV,
    blendshapes: Annotated[
        bool,
        typer.Option(
            "--blendshapes",
            help="Columns of blendshapes, named as ARKit names them (jawOpen, ...), 0 to 1.",
            rich_help_panel="Results",
        ),
    ] = False,
    metric: Annotated[
        bool,
        typer.Option(
            "--metric",
            help="Columns of the head in the camera's frame: head_x_cm, ..., quaternion, angles.",
            rich_help_panel="Results",
        ),
    ] = False,
    focal: Annotated[
        float | None,
        typer.Option(
            metavar="PX",
            help="Focal length of the camera, px of the picture; asks for --metric too.",
            rich_help_panel="Results",
        ),
    ] = None,
    fov: Annotated[
        float | None,
        typer.Option(
            metavar="DEGREES",
            help="The camera's field of view from corner to corner, in place of --focal; 63 if "
            "neither is given.",
            rich_help_panel="Results",
        ),
    ] = None,
    osc: OscOption = None,
    vmc: VmcOption = None,
    vrm_shapes: VrmOption = False,
    face: FaceOption = None,
    study_points: Annotated[
        PointsPlace,
        typer.Option(
            "--points",
            help="Points of --table: beside (NAME.points.csv), inside it, or none.",
            rich_help_panel="Results",
        ),
    ] = PointsPlace.BESIDE,
    overlay: Annotated[
        bool, typer.Option(help="Draw the landmarks on the video.", rich_help_panel="Results")
    ] = True,
    timeline: Annotated[
        bool,
        typer.Option(
            "--timeline",
            help="Also draw STEM.timeline.png: which faces are there when, and how the heads turn.",
            rich_help_panel="Results",
        ),
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="Replace also files that mien did not write.",
            rich_help_panel="Results",
        ),
    ] = False,
) -> None:
    """Follow the faces of videos, photos, folders or a webcam.

    A file that cannot be read does not stop the others; the exit code is then 2. Results go to
    --out (files a clip), to --table (one for all), or both.
    """
    from mien.cli.track_run import TrackOptions, run_track
    from mien.expression import Details

    options = TrackOptions(
        words=where,
        out=out,
        recursive=recursive,
        rate=rate,
        model=model,
        points=int(markup),
        max_faces=max_faces,
        smooth=smooth,
        offline=offline,
        careful=careful,
        seen_only=seen_only,
        threads=threads,
        detector=detector,
        search_secs=search_secs,
        table=table_format,
        overlay=overlay,
        timeline=timeline,
        overwrite=overwrite,
        details=Details(
            blendshapes=blendshapes,
            metric=metric or focal is not None or fov is not None,
            focal_px=focal,
            fov_deg=fov,
        ),
        osc=osc,
        vmc=vmc,
        vrm_shapes=vrm_shapes,
        face=face,
        study=table,
        study_points=study_points,
        workers=workers,
        resume=resume,
    )
    if not run_track(options):
        raise typer.Exit(2)
