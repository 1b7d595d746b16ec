"""``mien corpus``: the options. What they do is in ``corpus_run``, which loads the networks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.choices import DEFAULT_MODEL, MAX_FACES, Points, PointsPlace

__all__ = ["corpus"]

_CLUSTER, _TRACKING = "Cluster", "Tracking"


def corpus(
    out: Annotated[
        str,
        typer.Option(
            "--out",
            "-o",
            metavar="FOLDER|ADDRESS",
            help="Where results go: rows/ and points/ (a Parquet file a clip), files/ (what came "
            "of each) and run.json. The same command again goes on after a break.",
        ),
    ],
    where: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FOLDER|FILE|ADDRESS",
            help="Folders, files, quoted patterns, or addresses that fsspec reaches "
            "(s3://bucket/folder).",
            show_default=False,
        ),
    ] = None,
    list_file: Annotated[
        Path | None,
        typer.Option(
            "--list",
            metavar="FILE",
            help="A text file that names inputs, one on each line.",
            show_default=False,
        ),
    ] = None,
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Also look in folders within folders.")
    ] = False,
    resume: Annotated[bool, typer.Option(help="Go on with a run that was broken off.")] = True,
    ray: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Address of a Ray cluster (HOST:PORT, or auto), local for all cores of this "
            "machine, or none for this process, one file after the other.",
            rich_help_panel=_CLUSTER,
        ),
    ] = "local",
    cores: Annotated[
        int,
        typer.Option(min=1, help="Cores that each file is tracked with.", rich_help_panel=_CLUSTER),
    ] = 1,
    retries: Annotated[
        int,
        typer.Option(
            min=0,
            help="How often a file is tried again when its process or node dies, or when it "
            "cannot be fetched.",
            rich_help_panel=_CLUSTER,
        ),
    ] = 2,
    scratch: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder on each node for unfinished results; the system's temporary folder if "
            "not given.",
            show_default=False,
            rich_help_panel=_CLUSTER,
        ),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            metavar="NAME|PATH",
            help="A model of 'mien models', or a weight file that every node has there.",
            rich_help_panel=_TRACKING,
        ),
    ] = DEFAULT_MODEL,
    markup: Annotated[
        Points, typer.Option(help="Number of landmarks.", rich_help_panel=_TRACKING)
    ] = Points.P68,
    points: Annotated[
        PointsPlace,
        typer.Option(
            help="Where landmarks go: beside the rows (in points/), inside them, or none.",
            rich_help_panel=_TRACKING,
        ),
    ] = PointsPlace.BESIDE,
    max_faces: Annotated[
        int | None,
        typer.Option(
            min=1,
            help=f"Faces followed at once, biggest first; if not given, {MAX_FACES} in a video and "
            "all in a photo.",
            rich_help_panel=_TRACKING,
        ),
    ] = None,
    detector: Annotated[
        str,
        typer.Option(help="Face detector, as for mien track.", rich_help_panel=_TRACKING),
    ] = "centerface",
    careful: Annotated[
        bool,
        typer.Option(
            "--careful",
            help="Several looks at each face, as for mien track.",
            rich_help_panel=_TRACKING,
        ),
    ] = False,
    offline: Annotated[
        bool,
        typer.Option(
            "--offline",
            help="Smooth with the future in view, as for mien track.",
            rich_help_panel=_TRACKING,
        ),
    ] = False,
) -> None:
    """Follow the faces of very many files: a task a file on the nodes of a Ray cluster.

    Each file's rows are those of 'mien track --table'. A file that cannot be read does not stop
    the others; the exit code is then 2. docs/corpus.md says what it needs.
    """
    from mien.cli.corpus_run import CorpusOptions, run_corpus

    options = CorpusOptions(
        words=where or [],
        list_file=list_file,
        out=out,
        recursive=recursive,
        resume=resume,
        ray=ray,
        cores=cores,
        retries=retries,
        scratch=scratch,
        model=model,
        points=int(markup),
        points_in=points,
        max_faces=max_faces,
        detector=detector,
        careful=careful,
        offline=offline,
    )
    if not run_corpus(options):
        raise typer.Exit(2)
