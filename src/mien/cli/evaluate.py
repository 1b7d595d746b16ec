"""``mien evaluate``: reads the options, prints the tables; ``mien.evaluate`` measures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from mien.cli.evaluate_tables import measured_tables
from mien.cli.evaluate_video_tables import measured_video_table
from mien.cli.progress import bars
from mien.errors import ConfigError
from mien.evaluation.evaluate import Evaluation
from mien.evaluation.evaluate import evaluate as measure
from mien.evaluation.evaluate_videos import evaluate_videos, write_videos_json
from mien.evaluation.plots import (
    require_matplotlib,
    write_ced,
    write_reliability,
    write_yaw_scatter,
)
from mien.evaluation.protocols import Init
from mien.evaluation.report import faces_file, write_faces, write_json
from mien.evaluation.sets import Format
from mien.evaluation.worst_faces import write_worst
from mien.files import told_as_output_error
from mien.runtime import DEFAULT_MODEL

__all__ = ["evaluate"]


def evaluate(
    data_format: Annotated[
        Format,
        typer.Argument(
            metavar="FORMAT",
            help="aflw2000: imageNNNNN.jpg + .mat; pts: photos + iBUG .pts; faces: our face pack; "
            "cfp: clicked profiles of CFP; w300lp: 300W-LP; menpo3d: photos of Menpo 3D; "
            "turned: a set of mien data profile; "
            "clips: videos of mien data video, followed by the tracker, as are 300vw and "
            "menpo3d-videos, frames between labels joined by straight lines.",
        ),
    ],
    root: Annotated[Path, typer.Argument(help="Folder of the data set.")],
    json_file: Annotated[
        Path,
        typer.Option(
            "--json",
            help="Result file; beside it predictions (.npz) and a row a face (.csv.gz).",
        ),
    ],
    init: Annotated[
        Init,
        typer.Option(
            help="Where the crop comes from: the true landmarks, their box, or the photo alone; "
            "clips are always followed by themselves."
        ),
    ] = Init.ORACLE,
    plots: Annotated[
        Path | None, typer.Option(help="Folder for curves and a sheet of the worst faces.")
    ] = None,
    model: Annotated[
        str, typer.Option(help="Shipped model, or the path of a weight file.")
    ] = DEFAULT_MODEL,
    split: Annotated[
        str,
        typer.Option(
            help="Split of the face pack (default: test), of cfp (default: val), or of 300vw "
            "(category-1 to category-3, or test, all three)."
        ),
    ] = "",
    source: Annotated[
        list[str] | None,
        typer.Option(help="Only this source of the face pack; may be given again."),
    ] = None,
    detector: Annotated[
        str,
        typer.Option(
            help="centerface or finder, each also with :LONG_SIDE, yunet:FILE or boxes:FILE.csv; "
            "read with --init detector and for clips; a photo's frame is its place in the set."
        ),
    ] = "centerface",
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Average with what is seen in the mirrored photo.")
    ] = False,
    careful: Annotated[
        bool,
        typer.Option(
            "--careful",
            help="Look at each face six times, mirrored too, and average: 4 times the time.",
        ),
    ] = False,
    offline: Annotated[
        bool,
        typer.Option("--offline", help="Videos: smooth by what comes before and after."),
    ] = False,
    cut: Annotated[
        float | None,
        typer.Option(help="Cut photos sideways: this share of each face lies outside."),
    ] = None,
    patch: Annotated[
        bool, typer.Option("--patch", help="Lay a hand over each mouth and chin.")
    ] = False,
    videos: Annotated[
        Path | None, typer.Option(help="menpo3d-videos: the folder of 300VW with the pictures.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads for the network; default: all cores.")
    ] = None,
) -> None:
    """Measure a model's landmarks on labelled photos, or its tracker on labelled clips."""
    if plots is not None:
        require_matplotlib()
    if data_format.on_video:
        if mirror or patch or cut is not None or plots is not None or source:
            raise ConfigError(
                "videos have no --mirror, --cut, --patch, --plots, --source: leave them out"
            )
        _make_folders(json_file, None)
        with bars(Console(stderr=True)) as progress:
            task = progress.add_task("tracking", total=None)
            followed = evaluate_videos(
                data_format,
                root,
                model=model,
                split=split,
                videos=videos,
                detector=detector,
                threads=threads,
                careful=careful,
                offline=offline,
                on_video=lambda done, total: progress.update(task, completed=done, total=total),
            )
        write_videos_json(followed, json_file)
        Console().print(measured_video_table(followed))
        return
    if offline:
        raise ConfigError("--offline smooths videos: leave it out for photos")
    if videos is not None:
        raise ConfigError("--videos belongs to menpo3d-videos: leave it out")
    _make_folders(json_file, plots)
    with bars(Console(stderr=True)) as progress:
        task = progress.add_task("predicting", total=None)
        evaluation = measure(
            data_format,
            root,
            init=init,
            model=model,
            split=split,
            sources=source or (),
            detector=detector,
            mirror=mirror,
            careful=careful,
            cut=cut,
            patch=patch,
            threads=threads,
            beside=json_file,
            on_face=lambda done, total: progress.update(task, completed=done, total=total),
        )
    write_json(evaluation, json_file)
    write_faces(evaluation, faces_file(json_file))
    if plots is not None:
        _draw(evaluation, plots)
    for table in measured_tables(evaluation):
        Console().print(table)


def _make_folders(json_file: Path, plots: Path | None) -> None:
    """Before an hour of predicting, not after it."""
    for folder in (json_file.parent, *([] if plots is None else [plots])):
        with told_as_output_error(folder):
            folder.mkdir(parents=True, exist_ok=True)


def _draw(evaluation: Evaluation, folder: Path) -> None:
    write_ced(evaluation, folder / "ced.png")
    write_yaw_scatter(evaluation, folder / "nme_against_yaw.png")
    write_worst(evaluation.photos, evaluation.predictions, evaluation.main, folder / "worst.png")
    write_reliability(evaluation, folder / "reliability.png")
